// SPDX-License-Identifier: MIT
#include "store/sqlite/wal_buffer.h"

#include <assert.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/point.h"
#include "store/sqlite/file.h"

#define BUFFER_BYTES (124 * 1024) /* SQLite's own VFS writes less than 128 KiB at once */

struct wal_file {
    sqlite3_file file;  /* first: what SQLite knows */
    sqlite3_file *real; /* after this struct */
    const char *name;   /* SQLite's own */
    char *bytes;        /* BUFFER_BYTES, of which the first `count` are not yet in the file */
    int count;
    sqlite3_int64 at; /* where they belong */
};

static sqlite3_vfs *usual;
static sqlite3_vfs buffered;
static const sqlite3_io_methods methods;

static struct wal_file *wal_of(sqlite3_file *file)
{
    assert(file->pMethods == &methods);
    return (struct wal_file *)file;
}

/* Writes what is kept, and gives the file. A failure fails the transaction, which forgets it. */
static int write_out(sqlite3_file *file, sqlite3_file **real)
{
    struct wal_file *wal = wal_of(file);
    const int count = wal->count;
    *real = wal->real;
    wal->count = 0;
    return count > 0 ? wal->real->pMethods->xWrite(wal->real, wal->bytes, count, wal->at)
                     : SQLITE_OK;
}

static int on_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    struct wal_file *wal = wal_of(file);
    sqlite3_file *real = NULL;
    int rc = SQLITE_OK;
    if (at != wal->at + wal->count || count > BUFFER_BYTES - wal->count)
        rc = write_out(file, &real);
    if (rc != SQLITE_OK)
        return rc;
    if (count > BUFFER_BYTES)
        return wal->real->pMethods->xWrite(wal->real, bytes, count, at);
    if (wal->count == 0)
        wal->at = at;
    memcpy(wal->bytes + wal->count, bytes, (size_t)count);
    wal->count += count;
    return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags)
{
    sqlite3_file *real = NULL;
    int rc = write_out(file, &real);
    POINT(SQLITE_COMMIT_WRITTEN);
    if (rc == SQLITE_OK) {
        rc = real->pMethods->xSync(real, flags);
        if (rc != SQLITE_OK)
            file_doubt(sqlite3_filename_database(wal_of(file)->name), true);
    }
    POINT(SQLITE_COMMIT_FLUSHED);
    return rc;
}

static int on_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    sqlite3_file *real = NULL;
    POINT_IN_CHECKPOINT(SQLITE_CHECKPOINT_PAGE);
    const int rc = write_out(file, &real);
    return rc == SQLITE_OK ? real->pMethods->xRead(real, bytes, count, at) : rc;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = NULL;
    int rc = write_out(file, &real);
    POINT(SQLITE_BEFORE_TRUNCATE);
    if (rc == SQLITE_OK)
        rc = real->pMethods->xTruncate(real, size);
    POINT(SQLITE_AFTER_TRUNCATE);
    return rc;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = NULL;
    const int rc = write_out(file, &real);
    return rc == SQLITE_OK ? real->pMethods->xFileSize(real, size) : rc;
}

static int on_control(sqlite3_file *file, int what, void *argument)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xFileControl(real, what, argument);
}

static int on_characteristics(sqlite3_file *file)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static int on_sector_size(sqlite3_file *file)
{
    sqlite3_file *real = wal_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static int on_close(sqlite3_file *file)
{
    struct wal_file *wal = wal_of(file);
    sqlite3_file *real = NULL;
    const int written = write_out(file, &real);
    const int closed = real->pMethods->xClose(real);
    free(wal->bytes);
    return written == SQLITE_OK ? closed : written;
}

/* A WAL is never locked: the database is. Version 1 has no shared memory and no maps. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

/* Every other file is the usual VFS's own. */
static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given)
{
    struct wal_file *wal = (struct wal_file *)file;
    assert(vfs == &buffered);
    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0)
        return usual->xOpen(usual, name, file, flags, given);
    *wal = (struct wal_file){
        .real = (sqlite3_file *)(wal + 1), .name = name, .bytes = malloc(BUFFER_BYTES)};
    const int rc = wal->bytes ? usual->xOpen(usual, name, wal->real, flags, given) : SQLITE_NOMEM;
    if (rc == SQLITE_OK)
        wal->file.pMethods = &methods;
    else
        free(wal->bytes);
    return rc;
}

static void setup_once(void)
{
    usual = sqlite3_vfs_find(NULL);
    if (!usual)
        return;
    buffered = *usual;
    buffered.zName = "taskhold";
    buffered.szOsFile += (int)sizeof(struct wal_file);
    buffered.xOpen = on_open;
    if (sqlite3_vfs_register(&buffered, 0) != SQLITE_OK)
        usual = NULL;
}

const char *wal_buffer_vfs(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, setup_once);
    return usual ? buffered.zName : NULL;
}
