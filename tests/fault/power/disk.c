// SPDX-License-Identifier: MIT
/* Both names of each call are defined here, and take the place of those of the C library. */
#undef _FILE_OFFSET_BITS

#include "disk.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk_log.h"

#define DESCRIPTORS 4096
#define OF_FOLDER   (DISK_FILES + 1)

static struct disk *watched;
static char folder[200];
static unsigned char descriptors[DESCRIPTORS]; /* 0: not watched; a file + 1; OF_FOLDER */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned failing[DISK_FILES];
static bool lying[DISK_FILES];
static bool overlooking;

#define REAL(name) ((__typeof__(&name))real_of(#name))

static void *real_of(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    assert(found);
    return found;
}

/* ---- what happened ---- */

struct disk *disk_create(void)
{
    struct disk *disk = mmap(NULL, sizeof *disk, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert(disk != MAP_FAILED);
    return disk;
}

unsigned disk_count(const struct disk *disk)
{
    return disk->count;
}

const struct disk_event *disk_event(const struct disk *disk, unsigned nth)
{
    assert(nth < disk->count);
    return &disk->events[nth];
}

static size_t keep(struct disk *disk, const void *bytes, size_t size)
{
    const size_t at = disk->used;
    assert(size <= sizeof disk->bytes - at);
    memcpy(disk->bytes + at, bytes, size);
    disk->used += size;
    return at;
}

static void note(enum disk_kind kind, int file, const void *bytes, size_t size, int64_t at)
{
    (void)pthread_mutex_lock(&lock);
    struct disk *disk = watched;
    if (disk) {
        assert(disk->count < DISK_EVENTS_MOST);
        disk->events[disk->count] =
            (struct disk_event){kind, (enum disk_file)file, at, size, keep(disk, bytes, size)};
        disk->count++;
    }
    (void)pthread_mutex_unlock(&lock);
}

static const char *const names[DISK_FILES] = {"/t.db", "/t.db-wal", "/t.db-journal"};

/* Which file of the watched database a path is; OF_FOLDER - 1: the folder; -1: nothing. */
static int file_of(const char *path)
{
    const size_t len = strlen(folder);
    if (!watched || strncmp(path, folder, len) != 0)
        return -1;
    for (int i = 0; i < DISK_FILES; i++) {
        if (strcmp(path + len, names[i]) == 0)
            return i;
    }
    return path[len] == '\0' || strcmp(path + len, "/") == 0 ? OF_FOLDER - 1 : -1;
}

static void load(struct disk *disk)
{
    static char bytes[4 << 20];
    for (int i = 0; i < DISK_FILES; i++) {
        char path[256];
        (void)snprintf(path, sizeof path, "%s%s", folder, names[i]);
        const int fd = open64(path, O_RDONLY | O_CLOEXEC);
        const ssize_t got = fd >= 0 ? pread64(fd, bytes, sizeof bytes, 0) : 0;
        assert(got >= 0 && got < (ssize_t)sizeof bytes);
        disk->base[i] = (struct disk_base){fd >= 0, (size_t)got, keep(disk, bytes, (size_t)got)};
        if (fd >= 0)
            (void)close(fd);
    }
}

void disk_watch(struct disk *disk, const char *path)
{
    assert(!watched && strlen(path) < sizeof folder);
    disk->count = 0;
    disk->used = 0;
    (void)snprintf(folder, sizeof folder, "%s", path);
    load(disk);
    watched = disk;
}

void disk_unwatch(void)
{
    (void)pthread_mutex_lock(&lock);
    watched = NULL;
    memset(descriptors, 0, sizeof descriptors);
    (void)pthread_mutex_unlock(&lock);
}

void disk_fail_sync(enum disk_file file, unsigned nth)
{
    failing[file] = nth;
}

void disk_lie(enum disk_file file, bool lie)
{
    lying[file] = lie;
}

void disk_overlook(bool overlook)
{
    overlooking = overlook;
}

/* ---- the calls ---- */

static int watched_file(int fd)
{
    return fd >= 0 && fd < DESCRIPTORS ? descriptors[fd] - 1 : -1;
}

static int on_open(int (*real)(const char *, int, ...), const char *path, int flags, mode_t mode)
{
    const int file = file_of(path);
    const bool made = file >= 0 && file < DISK_FILES && access(path, F_OK) != 0;
    const int fd = real(path, flags, mode);
    if (fd < 0 || file < 0)
        return fd;
    assert(fd < DESCRIPTORS);
    descriptors[fd] = (unsigned char)(file + 1);
    if (made)
        note(DISK_CREATE, file, "", 0, 0);
    if (!made && (flags & O_TRUNC))
        note(DISK_TRUNCATE, file, "", 0, 0);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return on_open(REAL(open64), path, flags, mode);
}

int open(const char *path, int flags, ...)
{
    va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return on_open(REAL(open64), path, flags, mode);
}

int close(int fd)
{
    if (fd >= 0 && fd < DESCRIPTORS)
        descriptors[fd] = 0;
    return REAL(close)(fd);
}

/* Do these bytes stand there already? */
static bool is_there(int fd, const void *bytes, size_t size, off64_t at)
{
    char *there = malloc(size);
    assert(there);
    const bool same =
        pread64(fd, there, size, at) == (ssize_t)size && memcmp(there, bytes, size) == 0;
    free(there);
    return same;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at)
{
    const int file = watched_file(fd);
    if (overlooking && file == DISK_WAL && is_there(fd, bytes, size, at))
        return (ssize_t)size;
    const ssize_t put = REAL(pwrite64)(fd, bytes, size, at);
    if (file >= 0 && file < DISK_FILES && put > 0)
        note(DISK_WRITE, file, bytes, (size_t)put, at);
    return put;
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return pwrite64(fd, bytes, size, at);
}

int ftruncate64(int fd, off64_t size)
{
    const int file = watched_file(fd);
    const int rc = REAL(ftruncate64)(fd, size);
    if (file >= 0 && file < DISK_FILES && rc == 0)
        note(DISK_TRUNCATE, file, "", 0, size);
    return rc;
}

int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

/* A folder's, or a file's. Nothing is flushed really: it is the disk that remembers. */
static int on_sync(int fd)
{
    const int file = watched_file(fd);
    if (file < 0)
        return 0;
    if (file == OF_FOLDER - 1) {
        note(DISK_SYNC_FOLDER, 0, "", 0, 0);
        return 0;
    }
    if (lying[file])
        return 0;
    const bool fails = failing[file] > 0 && --failing[file] == 0;
    note(fails ? DISK_SYNC_FAILED : DISK_SYNC, file, "", 0, 0);
    errno = EIO;
    return fails ? -1 : 0;
}

int fsync(int fd)
{
    return on_sync(fd);
}

int fdatasync(int fd)
{
    return on_sync(fd);
}

int unlink(const char *path)
{
    const int file = file_of(path);
    const int rc = REAL(unlink)(path);
    if (file >= 0 && file < DISK_FILES && rc == 0)
        note(DISK_UNLINK, file, "", 0, 0);
    return rc;
}
