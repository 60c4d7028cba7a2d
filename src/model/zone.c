// SPDX-License-Identifier: MIT
#include "model/zone.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"
#include "model/tzif.h"

#define DAY_SECONDS 86400
#define DAY_MS      86400000

/* Whether a file is still the one that was read. */
struct file_state {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec changed;
};

struct zone {
    atomic_uint users; /* one of them is the cache */
    struct tzif *times;
    struct file_state file;
    size_t name_len;
    char name[ZONE_NAME_MOST];
};

/* Its `times` are NULL, and nobody counts its users. */
static struct zone utc = {.name = ZONE_UTC, .name_len = sizeof ZONE_UTC - 1};

/* ---- names ---- */

/* The characters of tz's own rules for names, without the dot, which no name has. */
static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > ZONE_NAME_MOST) {
        return false;
    }
    struct slice rest = name;
    while (rest.ptr) {
        if (slice_next(&rest, '/').len == 0) {
            return false;
        }
    }
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.ptr[i]) && !ascii_is_in(name.ptr[i], "/_+-")) {
            return false;
        }
    }
    return !slice_starts(name, SLICE("posix/")) && !slice_starts(name, SLICE("right/")) &&
           !slice_eq(name, SLICE("localtime")) && !slice_eq(name, SLICE("posixrules")) &&
           !slice_eq(name, SLICE("Factory"));
}

static struct slice name_of(const struct zone *zone)
{
    return (struct slice){zone->name, zone->name_len};
}

/* ---- one zone ---- */

struct zone *zone_utc(void)
{
    return &utc;
}

static void hold(struct zone *zone)
{
    atomic_fetch_add_explicit(&zone->users, 1, memory_order_relaxed);
}

void zone_release(struct zone **zone)
{
    assert(zone);
    struct zone *given = *zone;

    *zone = NULL;
    if (!given || given == &utc) {
        return;
    }
    const unsigned users = atomic_fetch_sub_explicit(&given->users, 1, memory_order_acq_rel);
    assert(users > 0);
    if (users == 1) {
        tzif_destroy(&given->times);
        free(given);
    }
}

/* What it counts for in the cache. */
static size_t size_of(const struct zone *zone)
{
    return sizeof *zone + tzif_size(zone->times);
}

static struct file_state state_of(const struct stat *stat)
{
    return (struct file_state){stat->st_dev, stat->st_ino, stat->st_size, stat->st_mtim};
}

static bool state_eq(const struct file_state *a, const struct file_state *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

/* Whether an error number says that there is no such file, rather than that it cannot be had now.
 */
static bool says_none(int error)
{
    return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG ||
           error == ENXIO || error == EISDIR;
}

static enum zone_status make_zone(struct slice name, struct slice bytes, const struct stat *stat,
                                  struct zone **zone)
{
    struct zone *made = calloc(1, sizeof *made);

    if (!made) {
        return ZONE_FAILED;
    }
    const enum tzif_status status = tzif_read(bytes, &made->times);
    if (status != TZIF_READ) {
        free(made);
        return status == TZIF_BROKEN ? ZONE_UNKNOWN : ZONE_FAILED;
    }
    atomic_init(&made->users, 1);
    made->file = state_of(stat);
    made->name_len = name.len;
    memcpy(made->name, name.ptr, name.len);
    *zone = made;
    return ZONE_FOUND;
}

/* A pipe that somebody put there must not hold us up. */
static enum zone_status read_zone(const char *path, struct slice name, struct zone **zone)
{
    enum zone_status status = ZONE_FAILED;
    struct stat stat;
    char *bytes = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        /* What may not be read is not there for this server. */
        return says_none(errno) || errno == EACCES ? ZONE_UNKNOWN : ZONE_FAILED;
    }
    if (fstat(fd, &stat) != 0) {
        goto out;
    }
    if (!S_ISREG(stat.st_mode) || stat.st_size <= 0 || stat.st_size > TZIF_BYTES_MOST) {
        status = ZONE_UNKNOWN;
        goto out;
    }
    bytes = malloc((size_t)stat.st_size);
    if (bytes) {
        const ssize_t len = disk_read(fd, bytes, (size_t)stat.st_size);
        if (len >= 0) {
            status = make_zone(name, (struct slice){bytes, (size_t)len}, &stat, zone);
        }
    }
out:
    free(bytes);
    close(fd);
    return status;
}

/* ---- the cache ---- */

struct entry {
    struct zone *zone;
    uint32_t hash;
    uint64_t used;      /* when, by `uses` below */
    int64_t checked_ms; /* by the clock that nobody sets */
};

struct zones {
    pthread_mutex_t lock; /* never held while the disk is touched */
    char *folder;
    size_t most;
    size_t most_bytes;
    size_t count;
    size_t bytes;
    uint64_t uses;
    struct entry entries[];
};

struct zones *zones_create(const char *folder, size_t most, size_t most_bytes)
{
    struct zones *zones = calloc(1, sizeof *zones + most * sizeof zones->entries[0]);

    assert(most > 0);
    if (!zones) {
        return NULL;
    }
    zones->folder = strdup(folder ? folder : ZONE_FOLDER);
    if (!zones->folder) {
        free(zones);
        return NULL;
    }
    zones->most = most;
    zones->most_bytes = most_bytes;
    pthread_mutex_init(&zones->lock, NULL);
    return zones;
}

/* The last entry takes its place. */
static void drop(struct zones *zones, struct entry *entry)
{
    zones->bytes -= size_of(entry->zone);
    zone_release(&entry->zone);
    *entry = zones->entries[--zones->count];
}

void zones_destroy(struct zones **zones)
{
    assert(zones);
    if (*zones) {
        while ((*zones)->count > 0) {
            drop(*zones, (*zones)->entries);
        }
        pthread_mutex_destroy(&(*zones)->lock);
        free((*zones)->folder);
        free(*zones);
    }
    *zones = NULL;
}

/* FNV-1a. */
static uint32_t hash_of(struct slice name)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < name.len; i++) {
        hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619U;
    }
    return hash;
}

/* There are some hundreds at most, of which a server uses a few: a walk does. */
static struct entry *seek(struct zones *zones, struct slice name)
{
    const uint32_t hash = hash_of(name);

    for (size_t i = 0; i < zones->count; i++) {
        struct entry *entry = &zones->entries[i];
        if (entry->hash == hash && slice_eq(name_of(entry->zone), name)) {
            return entry;
        }
    }
    return NULL;
}

static void drop_oldest(struct zones *zones)
{
    struct entry *oldest = zones->entries;

    for (size_t i = 1; i < zones->count; i++) {
        if (zones->entries[i].used < oldest->used) {
            oldest = &zones->entries[i];
        }
    }
    drop(zones, oldest);
}

/* Forgets what it has of that name; `zone`, if it is not NULL, is kept instead. */
static void keep(struct zones *zones, struct slice name, struct zone *zone)
{
    pthread_mutex_lock(&zones->lock);
    struct entry *old = seek(zones, name);
    if (old) {
        drop(zones, old);
    }
    if (zone && size_of(zone) <= zones->most_bytes) {
        while (zones->count == zones->most || zones->bytes + size_of(zone) > zones->most_bytes) {
            drop_oldest(zones);
        }
        hold(zone);
        zones->entries[zones->count++] = (struct entry){
            .zone = zone,
            .hash = hash_of(name),
            .used = ++zones->uses,
            .checked_ms = clock_mono_ms(),
        };
        zones->bytes += size_of(zone);
    }
    pthread_mutex_unlock(&zones->lock);
}

/* What is in memory, held for the caller, or NULL. `*due`: its file has to be looked at; whoever
 * is told so with `will_look` does it, others go on with what there is. */
static struct zone *remembered(struct zones *zones, struct slice name, bool will_look, bool *due)
{
    struct zone *zone = NULL;

    pthread_mutex_lock(&zones->lock);
    struct entry *entry = seek(zones, name);
    if (entry) {
        const int64_t now_ms = clock_mono_ms();
        *due = now_ms - entry->checked_ms >= ZONE_LOOK_MS;
        entry->checked_ms = *due && will_look ? now_ms : entry->checked_ms;
        entry->used = ++zones->uses;
        zone = entry->zone;
        hold(zone);
    }
    pthread_mutex_unlock(&zones->lock);
    return zone;
}

/* Asks the disk. `old`: what is in memory, which passes to this function; or NULL. */
static enum zone_status look(struct zones *zones, struct slice name, struct zone *old,
                             struct zone **zone)
{
    char path[PATH_MAX];
    struct stat stat_now;
    const int len = snprintf(path, sizeof path, "%s/%.*s", zones->folder, (int)name.len, name.ptr);

    if (len < 0 || (size_t)len >= sizeof path) {
        return ZONE_UNKNOWN; /* and so was never in memory */
    }
    if (old) {
        const bool there = stat(path, &stat_now) == 0;
        if (!there && says_none(errno)) {
            zone_release(&old);
            keep(zones, name, NULL);
            return ZONE_UNKNOWN;
        }
        const struct file_state now = there ? state_of(&stat_now) : old->file;
        if (state_eq(&now, &old->file)) {
            *zone = old;
            return ZONE_FOUND;
        }
    }
    const enum zone_status status = read_zone(path, name, zone);
    if (status == ZONE_FOUND) {
        keep(zones, name, *zone);
        zone_release(&old);
    } else if (old) {
        /* Half written, maybe: the next look will tell. */
        *zone = old;
        return ZONE_FOUND;
    }
    return status;
}

enum zone_status zones_find(struct zones *zones, struct slice name, struct zone **zone)
{
    bool due = false;

    assert(zones && zone);
    if (slice_eq(name, SLICE(ZONE_UTC))) {
        *zone = &utc;
        return ZONE_FOUND;
    }
    if (!is_name(name)) {
        return ZONE_UNKNOWN;
    }
    struct zone *known = remembered(zones, name, true, &due);
    if (known && !due) {
        *zone = known;
        return ZONE_FOUND;
    }
    return look(zones, name, known, zone);
}

struct zone *zones_peek(struct zones *zones, struct slice name)
{
    bool due = false;

    assert(zones);
    if (slice_eq(name, SLICE(ZONE_UTC))) {
        return &utc;
    }
    struct zone *known = is_name(name) ? remembered(zones, name, false, &due) : NULL;
    if (due) {
        zone_release(&known);
    }
    return known;
}

const char *zones_folder(const struct zones *zones)
{
    assert(zones);
    return zones->folder;
}

bool zones_are_there(struct zones *zones)
{
    struct zone *zone = NULL;

    if (zones_find(zones, SLICE("Etc/UTC"), &zone) != ZONE_FOUND) {
        return false;
    }
    zone_release(&zone);
    return true;
}

const char *zones_wrong(struct zones *zones)
{
    return zones_are_there(zones)
               ? "Is no time zone that this server knows. Names are IANA's, such as "
                 "Europe/Berlin, and case counts."
               : "This server has no time zone data, so it knows UTC alone; its operator can "
                 "install tzdata. Names are IANA's, such as Europe/Berlin.";
}

struct zone *zone_of(struct zones *zones, struct slice name, struct slice users)
{
    struct zone *zone = NULL;
    const struct slice meant = name.ptr ? name : users;

    const bool found = zones && meant.ptr && zones_find(zones, meant, &zone) == ZONE_FOUND;
    return found ? zone : zone_utc();
}

/* ---- instants, days and wall clocks ---- */

/* Rounds down. */
static int64_t divide(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

int32_t zone_offset(const struct zone *zone, int64_t ms)
{
    assert(zone && ms >= ZONE_MS_LEAST && ms <= ZONE_MS_MOST);
    return zone->times ? tzif_span_at(zone->times, divide(ms, 1000)).offset : 0;
}

int64_t zone_offset_until(const struct zone *zone, int64_t ms)
{
    assert(zone && ms >= ZONE_MS_LEAST && ms <= ZONE_MS_MOST);
    const int64_t until =
        zone->times ? tzif_span_at(zone->times, divide(ms, 1000)).until : INT64_MAX;

    return until == INT64_MAX ? until : until * 1000;
}

struct zone_wall zone_wall_of(const struct zone *zone, int64_t ms)
{
    const int64_t local = ms + (int64_t)zone_offset(zone, ms) * 1000;
    const int64_t day = divide(local, DAY_MS);

    return (struct zone_wall){.day = (int32_t)day, .ms = (int32_t)(local - day * DAY_MS)};
}

int32_t zone_day_of(const struct zone *zone, int64_t ms)
{
    return zone_wall_of(zone, ms).day;
}

int64_t zone_instant_of(const struct zone *zone, struct zone_wall wall)
{
    assert(zone && wall.ms >= 0 && wall.ms < DAY_MS);
    const int64_t local = (int64_t)wall.day * DAY_SECONDS + wall.ms / 1000;

    return (zone->times ? tzif_meant(zone->times, local) : local) * 1000 + wall.ms % 1000;
}

int64_t zone_day_begin(const struct zone *zone, int32_t day)
{
    assert(zone);
    const int64_t local = (int64_t)day * DAY_SECONDS;

    return (zone->times ? tzif_first(zone->times, local) : local) * 1000;
}
