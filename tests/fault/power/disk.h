// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_POWER_DISK_H
#define TASKHOLD_TESTS_POWER_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A disk that remembers: every call of this program, of SQLite's in it too, that changes a database
 * under one folder is noted with its bytes, in order, and so is every flush. From that it tells
 * what may be on the disk after a loss of power at any point: what was flushed, and of all else any
 * part, in pieces as small as a sector.
 *
 * It lies below SQLite's VFS, for the store flushes folders and a WAL by itself too. The index of
 * the WAL (-shm) is shared memory and no part of it. */

enum disk_file { DISK_DATABASE, DISK_WAL, DISK_JOURNAL, DISK_FILES };

enum disk_kind {
    DISK_WRITE,
    DISK_TRUNCATE,
    DISK_CREATE,
    DISK_UNLINK,
    DISK_SYNC,
    DISK_SYNC_FAILED, /* and what it was to flush is taken for flushed from then on */
    DISK_SYNC_FOLDER,
};

struct disk_event {
    enum disk_kind kind;
    enum disk_file file;
    int64_t at; /* of a WRITE; the size, of a TRUNCATE */
    size_t size;
    size_t bytes; /* where they are in the disk's memory */
};

/* One file's bytes. */
struct disk_bytes {
    char *bytes;
    size_t size;
    size_t room;
    bool there;
};

struct disk_image {
    struct disk_bytes files[DISK_FILES];
};

void disk_image_finish(struct disk_image *image);

/* Writes it into `folder` as t.db and what stands beside it; `garbage`: an old index of a WAL too.
 */
void disk_image_write(const struct disk_image *image, const char *folder, bool garbage);

/* Equal images have the same; others hardly ever. */
uint64_t disk_image_digest(const struct disk_image *image);

/* The memory is shared with children that are forked later. */
struct disk;
struct disk *disk_create(void);

/* Notes from here on what happens to the database t.db in `folder`, which is taken to be flushed as
 * it is. One disk at a time. */
void disk_watch(struct disk *disk, const char *folder);
void disk_unwatch(void);

/* How many things have happened. */
unsigned disk_count(const struct disk *disk);
const struct disk_event *disk_event(const struct disk *disk, unsigned nth);

/* The nth flush of `file` from now on fails; 0: none. In a child it counts alone. */
void disk_fail_sync(enum disk_file file, unsigned nth);

/* What is written to the WAL as it stands there already is not noted: as if nobody had. */
void disk_overlook(bool overlook);

/* The flushes of `file` do nothing, and say that they did. */
void disk_lie(enum disk_file file, bool lie);

/* ---- loss of power ---- */

/* What becomes of what was not flushed. */
enum disk_survival {
    SURVIVES_ALL,
    SURVIVES_NONE,
    SURVIVES_FIRST, /* some of the first writes to each file */
    SURVIVES_LAST,  /* the last one alone */
    SURVIVES_BUT_LAST,
    SURVIVES_BUT_FIRST,
    SURVIVES_SOME,     /* of the writes, any */
    SURVIVES_TORN_512, /* of their sectors, any */
    SURVIVES_TORN_4096,
    SURVIVES_LAST_TORN, /* all but sectors of the last */
    SURVIVES_GARBAGE,   /* as TORN_512, and some sectors are noise */
    SURVIVES_COUNT,
};

extern const char *const disk_survival_names[SURVIVES_COUNT];

struct disk_walk; /* from event to event */
struct disk_walk *disk_walk_create(const struct disk *disk, uint64_t seed);
void disk_walk_destroy(struct disk_walk **walk);

/* Power is lost before event `cut`, which is not before that of the last call. */
void disk_walk_to(struct disk_walk *walk, unsigned cut);

/* How many writes are not flushed there. */
unsigned disk_walk_pending(const struct disk_walk *walk);

/* What is on the disk then, by the number `seed` where there is a choice. */
void disk_walk_image(const struct disk_walk *walk, enum disk_survival how, uint64_t seed,
                     struct disk_image *image);

/* A number that follows another; for all choices. */
uint64_t disk_random(uint64_t *seed);

#endif
