// SPDX-License-Identifier: MIT
#include "fault_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

/* Ours, and after it in the same memory the file of the VFS below. */
struct fault_file {
    sqlite3_file base;
    sqlite3_file *real;
};

static sqlite3_vfs vfs;
static sqlite3_vfs *below;
static atomic_uint counts[FAULT_CALLS];
static atomic_uint first[FAULT_CALLS]; /* 0: not armed */
static atomic_uint last[FAULT_CALLS];
static atomic_int code;
static atomic_bool struck;
static atomic_int number = EIO;

void fault_disarm(void)
{
    for (unsigned i = 0; i < FAULT_CALLS; i++) {
        atomic_store(&first[i], 0);
        atomic_store(&counts[i], 0);
    }
}

void fault_arm(enum fault_call call, unsigned nth, unsigned times, int rc)
{
    fault_disarm();
    atomic_store(&struck, false);
    atomic_store(&code, rc);
    atomic_store(&last[call], nth + times - 1);
    atomic_store(&first[call], nth);
}

void fault_set_errno(int value)
{
    atomic_store(&number, value);
}

bool fault_struck(void)
{
    return atomic_load(&struck);
}

unsigned fault_count(enum fault_call call)
{
    return atomic_load(&counts[call]);
}

/* Counts a call; the code with which it must fail, or SQLITE_OK. */
static int strike(enum fault_call call)
{
    unsigned nth = atomic_fetch_add(&counts[call], 1) + 1;
    unsigned from = atomic_load(&first[call]);
    if (from == 0 || nth < from || nth > atomic_load(&last[call]))
        return SQLITE_OK;
    atomic_store(&struck, true);
    return atomic_load(&code);
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

static int on_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at)
{
    int rc = strike(FAULT_READ);
    if (rc != SQLITE_OK) {
        memset(bytes, 0, (size_t)size);
        return rc;
    }
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, at);
}

/* A write that fails has written half. */
static int on_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at)
{
    int rc = strike(FAULT_WRITE);
    if (rc != SQLITE_OK) {
        (void)real_of(file)->pMethods->xWrite(real_of(file), bytes, size / 2, at);
        return rc;
    }
    return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, at);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int on_sync(sqlite3_file *file, int flags)
{
    int rc = strike(FAULT_SYNC);
    return rc != SQLITE_OK ? rc : real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int on_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int on_check_lock(sqlite3_file *file, int *held)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), held);
}

static int on_control(sqlite3_file *file, int op, void *argument)
{
    if (op == SQLITE_FCNTL_LAST_ERRNO && atomic_load(&struck)) {
        *(int *)argument = atomic_load(&number);
        return SQLITE_OK;
    }
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

static int on_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **memory)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, memory);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int drop)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), drop);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags, int *out)
{
    struct fault_file *fault = (struct fault_file *)file;
    (void)self;
    fault->real = (sqlite3_file *)(fault + 1);
    int rc = below->xOpen(below, name, fault->real, flags, out);
    fault->base.pMethods = fault->real->pMethods ? &methods : NULL;
    return rc;
}

static sqlite3_mem_methods memory;

static void *on_malloc(int size)
{
    return strike(FAULT_MALLOC) != SQLITE_OK ? NULL : memory.xMalloc(size);
}

static void *on_realloc(void *old, int size)
{
    return strike(FAULT_MALLOC) != SQLITE_OK ? NULL : memory.xRealloc(old, size);
}

void fault_install(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
    sqlite3_mem_methods failing = memory;
    failing.xMalloc = on_malloc;
    failing.xRealloc = on_realloc;
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &failing);
    below = sqlite3_vfs_find(NULL);
    vfs = *below;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + below->szOsFile;
    vfs.xOpen = on_open;
    (void)sqlite3_vfs_register(&vfs, 1);
}
