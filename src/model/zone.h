// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_ZONE_H
#define TASKHOLD_MODEL_ZONE_H

#include "base/slice.h"

/* IANA's time zones, from the system's files (model/tzif.h). They say which day an instant is on,
 * and which instant a wall clock means. Instants are milliseconds since 1970, days are numbers as
 * in model/civil.h. */

/* ---- the zones that there are ---- */

/* A longer name is none. */
#define ZONE_NAME_MOST 64

/* Names that are always known, and the only one without tzdata. */
#define ZONE_UTC "UTC"

/* Where their files are, unless another folder is given. */
#define ZONE_FOLDER "/usr/share/zoneinfo"

/* How long what is in memory is believed before its file is looked at again. */
#define ZONE_LOOK_MS 1000

/* Keeps zones in memory, the latest used ones. All calls may be made from any thread. */
struct zones;

/* One zone. It never changes and lives until zone_release. */
struct zone;

enum zone_status {
    ZONE_FOUND,
    ZONE_UNKNOWN, /* no name of a zone, no such file, or a file that is broken */
    ZONE_FAILED,  /* no memory, no descriptor, or a disk that cannot be read */
};

/* `folder`: where the files are, NULL: in /usr/share/zoneinfo. At
 * most `most` zones and `most_bytes` are kept, the files' changes alone counted. NULL without
 * memory. Reads no file. */
struct zones *zones_create(const char *folder, size_t most, size_t most_bytes);

/* Zones that were found may be used after that, until they are released. */
void zones_destroy(struct zones **zones);

/* Case counts. The name of a link is one; `localtime`, `posixrules`, `Factory` and what begins with
 * `posix/` or `right/` are none, nor is anything with a dot.
 *
 * May touch the disk: a zone that is not in memory is read from its file (some 3 KB, never more
 * than 64 KiB); of one that is, the file's state is asked at most once in ZONE_LOOK_MS, and only a
 * file of another inode, size or time of change is read again. An unknown name costs one open()
 * that fails. When a file has become unreadable or broken, the zone stays what it was; when it has
 * gone, the zone has too. UTC never touches the disk.
 *
 * On ZONE_FOUND `*zone` is set and the caller releases it. */
enum zone_status zones_find(struct zones *zones, struct slice name, struct zone **zone)
    __attribute__((warn_unused_result));

/* The same, never touching the disk: NULL when zones_find would. The caller releases it. */
struct zone *zones_peek(struct zones *zones, struct slice name) __attribute__((warn_unused_result));

/* Where it looks. */
const char *zones_folder(const struct zones *zones);

/* Is there any tzdata? Asks for the zone Etc/UTC, as zones_find. */
bool zones_are_there(struct zones *zones);

/* What is wrong with a name that zones_find does not know, for who sent it. As zones_find. */
const char *zones_wrong(struct zones *zones);

/* The zone that something is in: the one it names, else (ptr NULL) that of its user, else UTC; and
 * UTC where that name is known no more, or `zones` is NULL. As zones_find; the caller releases it.
 */
struct zone *zone_of(struct zones *zones, struct slice name, struct slice users);

/* UTC; needs no memory, and no release. */
struct zone *zone_utc(void);

/* Takes NULL, and sets `*zone` to NULL. */
void zone_release(struct zone **zone);

/* ---- instants, days and wall clocks: pure functions ---- */

/* Instants of the years 1 to 9999 and their days; a day more on either side does no harm. */
#define ZONE_MS_LEAST INT64_C(-62135596800000)
#define ZONE_MS_MOST  INT64_C(253402300799999)

/* What a clock on the wall shows. */
struct zone_wall {
    int32_t day;
    int32_t ms; /* of that day, 0 to 86399999, counted as if no day were longer or shorter */
};

/* Seconds that the zone is ahead of UTC, at that instant. */
int32_t zone_offset(const struct zone *zone, int64_t ms);

/* The first instant after `ms` at which the offset may become another one; INT64_MAX: none. */
int64_t zone_offset_until(const struct zone *zone, int64_t ms);

struct zone_wall zone_wall_of(const struct zone *zone, int64_t ms);

/* As zone_wall_of. */
int32_t zone_day_of(const struct zone *zone, int64_t ms);

/* A time that the zone skips is read with the offset from before, and so moves forward by the gap;
 * one that comes twice is the first (RFC 5545, 3.3.5). */
int64_t zone_instant_of(const struct zone *zone, struct zone_wall wall);

/* The first instant that is on that day or, where the zone skips all of it, on a later one. The
 * instants of a day are those from its begin up to the begin of the next; where a zone sets its
 * clocks back over midnight, zone_day_of calls some of them once more the day before. */
int64_t zone_day_begin(const struct zone *zone, int32_t day);

#endif
