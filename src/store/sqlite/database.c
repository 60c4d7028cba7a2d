// SPDX-License-Identifier: MIT
#include "store/sqlite/database.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/point.h"
#include "store/sqlite/file.h"
#include "store/sqlite/functions.h"
#include "store/sqlite/wal_buffer.h"

#define BUSY_MS 5000

/* How long a start waits for those who read the WAL; a backup or an export may take hours. */
#define START_WAIT_MS 500

#define WAL_STEP (256 * 1024)

/* A test is built to lose what was acknowledged; wal_buffer.h needs each commit flushed. */
#ifndef DATABASE_SYNCHRONOUS
#define DATABASE_SYNCHRONOUS        "FULL"
#define DATABASE_SYNCHRONOUS_NUMBER "2"
#define DATABASE_WRITER_VFS         wal_buffer_vfs()
#else
#define DATABASE_WRITER_VFS NULL
#endif

static void setup_once(void)
{
    /* Its memory statistics are a lock that all threads would meet at. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_initialize();
}

void database_setup(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, setup_once);
}

/* A setting, and what must be read back. NULL `value`: it is only set. */
struct setting {
    const char *set;
    const char *get;
    const char *value;
};

static const struct setting writer_settings[] = {
    {"PRAGMA page_size = 4096", NULL, NULL}, /* counts only while the file is empty */
    {"PRAGMA journal_mode = WAL", "PRAGMA journal_mode", "wal"},
    {"PRAGMA synchronous = " DATABASE_SYNCHRONOUS, "PRAGMA synchronous",
     DATABASE_SYNCHRONOUS_NUMBER},
    {"PRAGMA foreign_keys = ON", "PRAGMA foreign_keys", "1"},
    {"PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "0"},
    {"PRAGMA cell_size_check = ON", "PRAGMA cell_size_check", "1"},
    {"PRAGMA mmap_size = 0", "PRAGMA mmap_size", "0"},
    {"PRAGMA wal_autocheckpoint = 0", "PRAGMA wal_autocheckpoint", "0"},
    /* What a WAL keeps of the disk after a reader made it grow. */
    {"PRAGMA journal_size_limit = 67108864", "PRAGMA journal_size_limit", "67108864"},
    {"PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "2"},
    {"PRAGMA secure_delete = FAST", "PRAGMA secure_delete", "2"},
    {"PRAGMA cache_size = -8192", "PRAGMA cache_size", "-8192"},
};

static const struct setting reader_settings[] = {
    {"PRAGMA query_only = ON", "PRAGMA query_only", "1"},
    {"PRAGMA trusted_schema = OFF", "PRAGMA trusted_schema", "0"},
    {"PRAGMA cell_size_check = ON", "PRAGMA cell_size_check", "1"},
    {"PRAGMA mmap_size = 0", "PRAGMA mmap_size", "0"},
    {"PRAGMA wal_autocheckpoint = 0", "PRAGMA wal_autocheckpoint", "0"},
    {"PRAGMA temp_store = MEMORY", "PRAGMA temp_store", "2"},
    {"PRAGMA journal_mode", "PRAGMA journal_mode", "wal"},
};

int database_says(sqlite3 *db, const char *sql, const char *wanted, bool *said)
{
    assert(db && sql && said);
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    const void *text = rc == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    *said = wanted ? text && strcmp(text, wanted) == 0 : rc == SQLITE_DONE;
    sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Returns the setting that did not hold, or NULL. */
static const struct setting *apply(sqlite3 *db, const struct setting *settings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct setting *setting = &settings[i];
        bool same = true;
        if (sqlite3_exec(db, setting->set, NULL, NULL, NULL) != SQLITE_OK ||
            (setting->get && database_says(db, setting->get, setting->value, &same) != SQLITE_OK) ||
            !same)
            return setting;
    }
    return NULL;
}

static int configure(sqlite3 *db)
{
    int rc = sqlite3_extended_result_codes(db, 1);
    if (rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, BUSY_MS);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    if (rc == SQLITE_OK)
        rc = functions_register(db);
    return rc;
}

int database_read_i64(sqlite3 *db, const char *sql, sqlite3_int64 *value)
{
    assert(db && sql && value);
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        *value = sqlite3_column_int64(statement, 0);
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        rc = SQLITE_EMPTY;
    }
    sqlite3_finalize(statement);
    return rc;
}

bool database_is_of_old_form(sqlite3 *db)
{
    assert(db);
    sqlite3_int64 count = 0;
    return database_read_i64(db,
                             "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND "
                             "name IN ('users', 'spaces')",
                             &count) == SQLITE_OK &&
           count == 1;
}

bool database_read_epoch(sqlite3 *db, struct uuid *epoch)
{
    assert(db && epoch);
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT epoch FROM meta", -1, &statement, NULL);
    const bool found = rc == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW &&
                       sqlite3_column_bytes(statement, 0) == (int)sizeof epoch->bytes;
    if (found)
        memcpy(epoch->bytes, sqlite3_column_blob(statement, 0), sizeof epoch->bytes);
    sqlite3_finalize(statement);
    return found;
}

int database_renew_epoch(sqlite3 *db)
{
    assert(db);
    return sqlite3_exec(db, "UPDATE meta SET epoch = randomblob(16)", NULL, NULL, NULL);
}

int database_set_epoch(sqlite3 *db, const struct uuid *epoch)
{
    sqlite3_stmt *statement = NULL;
    assert(db && epoch);
    int rc = sqlite3_prepare_v2(db, "UPDATE meta SET epoch = ?1", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_blob(statement, 1, epoch->bytes, sizeof epoch->bytes, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(db);
    sqlite3_finalize(statement);
    return rc;
}

int database_code(sqlite3 *db, int rc, bool file)
{
    sqlite3_file *written = NULL;
    int number = 0;
    if (rc != SQLITE_IOERR_WRITE)
        return rc;
    (void)sqlite3_file_control(
        db, "main", file ? SQLITE_FCNTL_FILE_POINTER : SQLITE_FCNTL_JOURNAL_POINTER, &written);
    if (written && written->pMethods)
        (void)written->pMethods->xFileControl(written, SQLITE_FCNTL_LAST_ERRNO, &number);
    return number == EDQUOT || number == EFBIG || number == ENOSPC ? SQLITE_FULL : rc;
}

const char *database_error(sqlite3 *db, int rc)
{
    const int number = db && (rc & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(db) : 0;
    return number != 0 ? strerror(number) : sqlite3_errstr(rc);
}

/* Why a connection is refused: what `rc` says, or the setting that did not hold. */
static void tell(sqlite3 *db, const char *path, int rc, const struct setting *broken, char *why,
                 size_t why_size)
{
    const int error = sqlite3_errcode(db);
    if (!broken)
        (void)snprintf(why, why_size, "cannot open the database %s: %s", path,
                       database_error(db, rc));
    else if (error != SQLITE_OK)
        (void)snprintf(why, why_size, "the database %s refuses %s: %s", path, broken->set,
                       database_error(db, error));
    else
        (void)snprintf(why, why_size, "the database %s: %s is not %s", path, broken->get,
                       broken->value);
}

/* Is it a database that we may touch: empty, or marked as ours? */
static bool is_ours(sqlite3 *db, const char *path, char *why, size_t why_size)
{
    sqlite3_int64 application = 0;
    sqlite3_int64 tables = 0;
    int rc = database_read_i64(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = database_read_i64(db, "SELECT count(*) FROM sqlite_schema", &tables);
    if (rc != SQLITE_OK) {
        (void)snprintf(why, why_size, "cannot read the database %s: %s", path,
                       database_error(db, rc));
        return false;
    }
    if (application == DATABASE_APPLICATION_ID || (application == 0 && tables == 0))
        return true;
    (void)snprintf(why, why_size, "%s is the database of another program", path);
    return false;
}

/* Writes every byte of the WAL again as it is, and flushes that: after a flush that failed the
 * kernel may take what it holds in memory for written, and what it reads for flushed. */
static bool write_again(int fd)
{
    char *bytes = malloc(WAL_STEP);
    off_t at = 0;
    ssize_t got = bytes ? 1 : -1;
    while (got > 0) {
        got = pread(fd, bytes, WAL_STEP, at);
        if (got > 0 && pwrite(fd, bytes, (size_t)got, at) != got)
            got = -1;
        at += got;
    }
    free(bytes);
    return got == 0 && fsync(fd) == 0;
}

/* True too when there is none. */
static bool flush_wal(const char *path, bool again)
{
    char *wal = NULL;
    if (asprintf(&wal, "%s-wal", path) < 0)
        return false;
    const int fd = open(wal, O_RDWR | O_CLOEXEC);
    bool flushed = fd < 0 && errno == ENOENT;
    if (fd >= 0)
        flushed = again ? write_again(fd) : fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    free(wal);
    return flushed;
}

/* Moves what the last run left in the WAL. When that run ended because a flush had failed, SQLite's
 * own flush of the WAL would do nothing now, and the WAL must outlive a loss of power until all of
 * the file is written; so its bytes are written again first. Never without need: power that is lost
 * meanwhile could harm what is there. Somebody who still reads the WAL, or a full disk, may keep
 * some of it there: then that is moved later. */
static int settle_wal(sqlite3 *db, const char *path)
{
    if (file_is_doubtful(path) && !flush_wal(path, true))
        return SQLITE_IOERR_FSYNC;
    (void)sqlite3_busy_timeout(db, START_WAIT_MS);
    int rc = database_code(
        db, sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL), true);
    if ((rc & 0xff) == SQLITE_BUSY)
        rc = database_code(
            db, sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL), true);
    else if (rc != SQLITE_FULL)
        return rc;
    if (rc != SQLITE_OK && rc != SQLITE_FULL)
        return rc;
    if (!flush_wal(path, false))
        return SQLITE_IOERR_FSYNC;
    log_message(LOG_WARN, "wal_held", "%s",
                rc == SQLITE_FULL ? "the disk is full: the WAL stays as it is for now"
                                  : "somebody reads the database, a backup or an export say: the "
                                    "WAL grows until that ends");
    return SQLITE_OK;
}

/* Opened, and every setting read back. */
static sqlite3 *open_with(const char *path, int flags, const struct setting *settings, size_t count,
                          char *why, size_t why_size)
{
    sqlite3 *db = NULL;
    const struct setting *broken = NULL;
    const bool writes = (flags & SQLITE_OPEN_READWRITE) != 0;
    const char *vfs = NULL;
    if (writes)
        vfs = DATABASE_WRITER_VFS;
    int rc = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, vfs);
    bool good = true;
    if (rc == SQLITE_OK)
        rc = configure(db);
    if (rc == SQLITE_OK && writes)
        good = is_ours(db, path, why, why_size);
    if (rc == SQLITE_OK && good)
        broken = apply(db, settings, count);
    if (rc != SQLITE_OK || broken)
        tell(db, path, rc, broken, why, why_size);
    if (rc != SQLITE_OK || broken || !good)
        database_close(&db);
    return db;
}

sqlite3 *database_open_writer(const char *path, char *why, size_t why_size)
{
    sqlite3 *db = open_with(path, SQLITE_OPEN_READWRITE, writer_settings,
                            sizeof writer_settings / sizeof writer_settings[0], why, why_size);
    POINT(SQLITE_START_CHECKPOINT);
    POINT_CHECKPOINTS(true);
    int rc = db ? settle_wal(db, path) : SQLITE_OK;
    POINT_CHECKPOINTS(false);
    POINT(SQLITE_STARTED_CHECKPOINT);
    if (db && (rc == SQLITE_OK ? file_is_doubtful(path) : database_is_lost_write(rc)))
        file_doubt(path, rc != SQLITE_OK);
    if (db && rc == SQLITE_OK)
        rc = sqlite3_busy_timeout(db, BUSY_MS);
    if (rc != SQLITE_OK) {
        (void)snprintf(why, why_size, "cannot flush what the last run left in the database %s: %s",
                       path, database_error(db, rc));
        database_close(&db);
    }
    return db;
}

sqlite3 *database_open_reader(const char *path, char *why, size_t why_size)
{
    assert(path);
    return open_with(path, SQLITE_OPEN_READONLY, reader_settings,
                     sizeof reader_settings / sizeof reader_settings[0], why, why_size);
}

void database_close(sqlite3 **db)
{
    assert(db);
    if (*db)
        (void)sqlite3_close_v2(*db);
    *db = NULL;
}

enum error database_result(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE: return ERROR_NONE;
    case SQLITE_FULL: return ERROR_STORAGE_FULL;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_INTERRUPT: return ERROR_OVERLOADED;
    case SQLITE_NOMEM:
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM: return ERROR_UNAVAILABLE;
    default: return ERROR_INTERNAL_ERROR;
    }
}

bool database_is_corrupt(int rc)
{
    return (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
}

bool database_is_lost_write(int rc)
{
    switch (rc) {
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
    case SQLITE_IOERR_TRUNCATE: return true;
    default: return false;
    }
}
