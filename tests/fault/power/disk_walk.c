// SPDX-License-Identifier: MIT
#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk_log.h"

#define PAGE    4096
#define SECTOR  512
#define PENDING 65536

const char *const disk_survival_names[SURVIVES_COUNT] = {
    "all",  "none",     "first ones", "last one",  "all but the last", "all but the first",
    "some", "torn 512", "torn 4096",  "last torn", "garbage",
};

/* A file as it stands on the disk, and what was not flushed of it. */
struct walk_file {
    struct disk_bytes durable;
    bool there;                /* by its name; whether that is flushed: durable.there */
    unsigned pending[PENDING]; /* numbers of events */
    unsigned count;
};

struct disk_walk {
    const struct disk *disk;
    uint64_t seed;
    unsigned at;
    struct walk_file files[DISK_FILES];
};

uint64_t disk_random(uint64_t *seed)
{
    /* splitmix64, of Steele, Lea and Flood */
    uint64_t z = (*seed += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static bool coin(uint64_t *seed)
{
    return disk_random(seed) & 1;
}

/* ---- bytes ---- */

static void resize(struct disk_bytes *file, size_t size)
{
    if (size > file->room) {
        file->room = size * 2;
        file->bytes = realloc(file->bytes, file->room);
        assert(file->bytes);
    }
    if (size > file->size)
        memset(file->bytes + file->size, 0, size - file->size);
    file->size = size;
}

static void put(struct disk_bytes *file, const char *bytes, size_t size, size_t at)
{
    if (at + size > file->size)
        resize(file, at + size);
    memcpy(file->bytes + at, bytes, size);
}

static void copy(struct disk_bytes *to, const struct disk_bytes *from)
{
    to->size = 0;
    to->there = from->there;
    if (from->size > 0)
        put(to, from->bytes, from->size, 0);
}

static void apply(const struct disk *disk, struct disk_bytes *file, unsigned nth)
{
    const struct disk_event *event = &disk->events[nth];
    if (event->kind == DISK_TRUNCATE)
        resize(file, (size_t)event->at);
    else
        put(file, disk->bytes + event->bytes, event->size, (size_t)event->at);
}

/* Some pieces of a write; those that are not cut at a boundary of `unit` bytes share their fate
 * with nothing else. `noise`: some of them are no bytes that anybody wrote. */
static void apply_torn(const struct disk *disk, struct disk_bytes *file, unsigned nth, size_t unit,
                       bool noise, uint64_t *seed)
{
    const struct disk_event *event = &disk->events[nth];
    if (event->kind == DISK_TRUNCATE) {
        if (coin(seed))
            apply(disk, file, nth);
        return;
    }
    for (size_t done = 0; done < event->size;) {
        const size_t at = (size_t)event->at + done;
        size_t size = unit - at % unit;
        size = size < event->size - done ? size : event->size - done;
        const uint64_t number = disk_random(seed);
        if (number & 1)
            put(file, disk->bytes + event->bytes + done, size, at);
        for (size_t i = 0; noise && (number & 14) == 0 && at + i < file->size && i < size; i++)
            file->bytes[at + i] = (char)(number >> (i % 7 * 8));
        done += size;
    }
}

/* ---- the walk ---- */

struct disk_walk *disk_walk_create(const struct disk *disk, uint64_t seed)
{
    struct disk_walk *walk = calloc(1, sizeof *walk);
    assert(walk);
    walk->disk = disk;
    walk->seed = seed;
    for (int i = 0; i < DISK_FILES; i++) {
        const struct disk_base *base = &disk->base[i];
        walk->files[i].there = walk->files[i].durable.there = base->there;
        if (base->size > 0)
            put(&walk->files[i].durable, disk->bytes + base->bytes, base->size, 0);
    }
    return walk;
}

void disk_walk_destroy(struct disk_walk **walk)
{
    for (int i = 0; i < DISK_FILES; i++)
        free((*walk)->files[i].durable.bytes);
    free(*walk);
    *walk = NULL;
}

static void flush(struct disk_walk *walk, struct walk_file *file)
{
    for (unsigned i = 0; i < file->count; i++)
        apply(walk->disk, &file->durable, file->pending[i]);
    file->count = 0;
}

/* Any pages of it got there, the others never will: the kernel takes them for written. */
static void lose(struct disk_walk *walk, struct walk_file *file)
{
    for (unsigned i = 0; i < file->count; i++)
        apply_torn(walk->disk, &file->durable, file->pending[i], PAGE, false, &walk->seed);
    file->count = 0;
}

static void step(struct disk_walk *walk, unsigned nth)
{
    const struct disk_event *event = &walk->disk->events[nth];
    struct walk_file *file = &walk->files[event->file];
    switch (event->kind) {
    case DISK_WRITE:
    case DISK_TRUNCATE:
        assert(file->count < PENDING);
        file->pending[file->count++] = nth;
        break;
    case DISK_CREATE:
        file->there = true;
        file->durable.there = false;
        file->durable.size = 0;
        file->count = 0;
        break;
    case DISK_UNLINK: file->there = false; break;
    case DISK_SYNC: flush(walk, file); break;
    case DISK_SYNC_FAILED: lose(walk, file); break;
    case DISK_SYNC_FOLDER:
        for (int i = 0; i < DISK_FILES; i++)
            walk->files[i].durable.there = walk->files[i].there;
        break;
    }
}

void disk_walk_to(struct disk_walk *walk, unsigned cut)
{
    assert(cut >= walk->at && cut <= walk->disk->count);
    while (walk->at < cut)
        step(walk, walk->at++);
}

unsigned disk_walk_pending(const struct disk_walk *walk)
{
    unsigned count = 0;
    for (int i = 0; i < DISK_FILES; i++)
        count += walk->files[i].count + (walk->files[i].there != walk->files[i].durable.there);
    return count;
}

/* Whether, and how, the write that is `nth` of `count` survives. */
static void survive(const struct disk *disk, struct disk_bytes *out, const struct walk_file *file,
                    unsigned nth, enum disk_survival how, unsigned first, uint64_t *seed)
{
    const unsigned event = file->pending[nth];
    const bool last = nth + 1 == file->count;
    bool whole = false;
    switch (how) {
    case SURVIVES_ALL: whole = true; break;
    case SURVIVES_FIRST: whole = nth < first; break;
    case SURVIVES_LAST: whole = last; break;
    case SURVIVES_BUT_LAST: whole = !last; break;
    case SURVIVES_BUT_FIRST: whole = nth > 0; break;
    case SURVIVES_SOME: whole = coin(seed); break;
    case SURVIVES_TORN_512: apply_torn(disk, out, event, SECTOR, false, seed); break;
    case SURVIVES_TORN_4096: apply_torn(disk, out, event, PAGE, false, seed); break;
    case SURVIVES_GARBAGE: apply_torn(disk, out, event, SECTOR, true, seed); break;
    case SURVIVES_LAST_TORN:
        whole = !last;
        if (last)
            apply_torn(disk, out, event, SECTOR, false, seed);
        break;
    case SURVIVES_NONE:
    case SURVIVES_COUNT: break;
    }
    if (whole)
        apply(disk, out, event);
}

void disk_walk_image(const struct disk_walk *walk, enum disk_survival how, uint64_t seed,
                     struct disk_image *image)
{
    for (int i = 0; i < DISK_FILES; i++) {
        const struct walk_file *file = &walk->files[i];
        struct disk_bytes *out = &image->files[i];
        copy(out, &file->durable);
        if (file->there != out->there)
            out->there = how == SURVIVES_NONE  ? out->there
                         : how == SURVIVES_ALL ? file->there
                                               : coin(&seed);
        const unsigned first =
            file->count > 0 ? (unsigned)(disk_random(&seed) % (file->count + 1)) : 0;
        for (unsigned nth = 0; nth < file->count; nth++)
            survive(walk->disk, out, file, nth, how, first, &seed);
    }
}

/* ---- images ---- */

void disk_image_finish(struct disk_image *image)
{
    for (int i = 0; i < DISK_FILES; i++)
        free(image->files[i].bytes);
    *image = (struct disk_image){0};
}

uint64_t disk_image_digest(const struct disk_image *image)
{
    uint64_t hash = 14695981039346656037U;
    for (int i = 0; i < DISK_FILES; i++) {
        const struct disk_bytes *file = &image->files[i];
        const size_t size = file->there ? file->size : 0;
        hash = (hash ^ size ^ ((uint64_t)file->there << 60)) * UINT64_C(0x9e3779b97f4a7c15);
        for (size_t at = 0; at + 8 <= size; at += 8) {
            uint64_t word = 0;
            memcpy(&word, file->bytes + at, 8);
            hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
            hash ^= hash >> 32;
        }
        for (size_t at = size & ~(size_t)7; at < size; at++)
            hash = (hash ^ (unsigned char)file->bytes[at]) * UINT64_C(1099511628211);
    }
    return hash;
}

static void write_file(const char *folder, const char *name, const char *bytes, size_t size)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    const ssize_t done = write(fd, bytes, size);
    assert(done == (ssize_t)size);
    (void)done;
    (void)close(fd);
}

void disk_image_write(const struct disk_image *image, const char *folder, bool garbage)
{
    static const char *const names[] = {"t.db", "t.db-wal", "t.db-journal"};
    char path[256];
    for (int i = 0; i < DISK_FILES; i++) {
        const struct disk_bytes *file = &image->files[i];
        (void)snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        (void)unlink(path);
        if (file->there)
            write_file(folder, names[i], file->bytes ? file->bytes : "", file->size);
    }
    (void)snprintf(path, sizeof path, "%s/t.db-shm", folder);
    (void)unlink(path);
    if (garbage && image->files[DISK_DATABASE].size >= 32768)
        write_file(folder, "t.db-shm", image->files[DISK_DATABASE].bytes, 32768);
}
