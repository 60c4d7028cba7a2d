// SPDX-License-Identifier: MIT
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "auth/keys.h"
#include "base/disk.h"
#include "cli/doctor.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
#include "store/sqlite/inspect.h"
#include "store/sqlite/migrate.h"

#define MEGABYTE          INT64_C(1000000)
#define ROOM_LEAST        (100 * MEGABYTE)  /* below this a server will soon answer 507 */
#define ROOM_COMFORTABLE  (1000 * MEGABYTE) /* and the size of the database, for a backup */
#define SECRET_GOOD_BYTES 43                /* 32 random bytes as base64 */

/* Versions in which a WAL that one connection starts over while another one moves it may lose
 * writes; 3.50.7 and 3.44.6 have the correction too. */
#define WAL_RESET_CORRECTED 3051003

/* ---- files: modes, the secret, room on the disk ---- */

static bool name_beside(char **name, const char *path, const char *end)
{
    if (asprintf(name, "%s%s", path, end) < 0) {
        *name = NULL;
    }
    return *name != NULL;
}

static void check_modes(struct doctor *d)
{
    static const char *const ends[] = {"",          BESIDE_WAL,    BESIDE_SHM,
                                       BESIDE_LOCK, BESIDE_SECRET, BESIDE_LAST_BACKUP};
    bool good = true;

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *name = NULL;
        struct stat status;
        if (!name_beside(&name, d->path, ends[i])) {
            good = false;
        } else if (stat(name, &status) != 0) {
            /* One that is not there is no finding. */
        } else if (status.st_mode & (S_IRWXG | S_IRWXO)) {
            doctor_say(d, DOCTOR_ERROR, "files",
                       "%s has mode %03o, so others can use it: chmod 600 %s", name,
                       (unsigned)status.st_mode & 0777, name);
            good = false;
        } else if (status.st_uid != geteuid() && geteuid() != 0) {
            doctor_say(d, DOCTOR_WARNING, "files",
                       "%s belongs to user %u: run this as the server's user", name,
                       (unsigned)status.st_uid);
            good = false;
        }
        free(name);
    }
    if (good) {
        doctor_say(d, DOCTOR_OK, "files",
                   "only the owner can use the database and the files beside it");
    }
}

/* The folder may be one that others look into, as long as they cannot write. */
static void check_directory(struct doctor *d, const char *directory)
{
    struct stat status;

    if (stat(directory, &status) != 0) {
        doctor_say(d, DOCTOR_ERROR, "directory", "%s: %s", directory, strerror(errno));
    } else if (status.st_mode & (S_IWGRP | S_IWOTH)) {
        doctor_say(d, DOCTOR_ERROR, "directory",
                   "others can write to %s, and replace the database: chmod 700 %s", directory,
                   directory);
    } else if (access(directory, W_OK) != 0) {
        doctor_say(d, DOCTOR_ERROR, "directory", "%s cannot be written: %s", directory,
                   strerror(errno));
    } else {
        doctor_say(d, DOCTOR_OK, "directory", "only its owner can write to %s", directory);
    }
}

static void check_room(struct doctor *d, const char *directory)
{
    struct statvfs disk;
    struct stat status;

    if (statvfs(directory, &disk) != 0 || stat(d->path, &status) != 0) {
        doctor_say(d, DOCTOR_ERROR, "disk", "%s: %s", directory, strerror(errno));
        return;
    }
    const int64_t room = (int64_t)disk.f_bavail * (int64_t)disk.f_frsize;
    const long long megabytes = (long long)(room / MEGABYTE);
    if (room < ROOM_LEAST) {
        doctor_say(d, DOCTOR_ERROR, "disk",
                   "%lld MB are free: make room, because writes are about to fail", megabytes);
    } else if (room < ROOM_COMFORTABLE + status.st_size) {
        doctor_say(d, DOCTOR_WARNING, "disk", "%lld MB are free: make room before it fills up",
                   megabytes);
    } else {
        doctor_say(d, DOCTOR_OK, "disk", "%lld MB are free", megabytes);
    }
}

/* Reads, and makes none: that is for the first start. */
static void check_secret(struct doctor *d)
{
    char why[4096 + 256] = "";
    char *name = NULL;
    char *secret = NULL;

    if (d->settings.jwt_secret) {
        doctor_say(d, DOCTOR_OK, "secret", "JWT_SECRET is set and long enough");
        return;
    }
    if (!name_beside(&name, d->path, BESIDE_SECRET)) {
        return;
    }
    if (access(name, F_OK) != 0) {
        doctor_say(d, DOCTOR_WARNING, "secret",
                   "there is no %s: the next start makes one, and everybody has to log in again",
                   name);
    } else {
        secret = keys_secret_file(d->path, why, sizeof why);
    }
    if (secret && strlen(secret) < SECRET_GOOD_BYTES) {
        doctor_say(d, DOCTOR_WARNING, "secret",
                   "%s is short: replace it with at least 32 random bytes", name);
    } else if (secret) {
        doctor_say(d, DOCTOR_OK, "secret", "only the owner can read %s, and it is long enough",
                   name);
    } else if (*why) {
        doctor_say(d, DOCTOR_ERROR, "secret", "%s", why);
    }
    if (secret) {
        explicit_bzero(secret, strlen(secret));
    }
    free(secret);
    free(name);
}

static void check_filesystem(struct doctor *d, const char *directory)
{
    const char *name = NULL;

    switch (file_system_of(directory, &name)) {
    case FILE_SYSTEM_GOOD: doctor_say(d, DOCTOR_OK, "filesystem", "a local one"); break;
    case FILE_SYSTEM_MEMORY:
        doctor_say(d, DOCTOR_WARNING, "filesystem",
                   "%s is on %s, which loses everything at a restart: put the database on a disk",
                   directory, name);
        break;
    case FILE_SYSTEM_FUSE:
        doctor_say(d, DOCTOR_WARNING, "filesystem",
                   "%s is on %s, whose program may not honour locks and flushes: put the database "
                   "on a local disk, unless you know that program",
                   directory, name);
        break;
    case FILE_SYSTEM_NETWORK:
        doctor_say(d, file_system_risk_taken() ? DOCTOR_WARNING : DOCTOR_ERROR, "filesystem",
                   "%s is on %s, a network file system: put the database on a local disk, or use "
                   "postgres://",
                   directory, name);
        break;
    }
}

/* ---- the database: the library, the schema, the pages ---- */

static void check_content(struct doctor *d)
{
    char why[4096 + 256];
    int64_t schema = 0;
    sqlite3_stmt *statement = NULL;

    if (database_is_of_old_form(d->db)) {
        doctor_say(d, DOCTOR_ERROR, "schema", "%s", DATABASE_OLD_FORM_WHY);
    } else if (!inspect_identity(d->db, d->path, &schema, why, sizeof why)) {
        doctor_say(d, DOCTOR_ERROR, "schema", "%s: start the program that created it", why);
    } else if (schema < migrate_head()) {
        doctor_say(d, DOCTOR_WARNING, "schema", "%lld of %lld: run taskhold migrate",
                   (long long)schema, (long long)migrate_head());
    } else {
        doctor_say(d, DOCTOR_OK, "schema", "%lld, the newest", (long long)schema);
    }

    int rc = sqlite3_prepare_v2(d->db, "PRAGMA quick_check(1)", -1, &statement, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_step(statement);
    }
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (text && strcmp(text, "ok") == 0) {
        doctor_say(d, DOCTOR_OK, "pages", "quick_check found no damage");
    } else {
        doctor_say(d, DOCTOR_ERROR, "pages",
                   "the file is damaged: stop the server, keep a copy of the file and its -wal, "
                   "then put the last backup back with taskhold restore");
    }
    sqlite3_finalize(statement);
}

void doctor_sqlite(struct doctor *d)
{
    assert(!d->shared && !d->db);
    const int version = sqlite3_libversion_number();
    const bool corrected = version >= WAL_RESET_CORRECTED ||
                           (version >= 3050007 && version < 3051000) ||
                           (version >= 3044006 && version < 3045000);
    char *directory = d->path ? disk_folder_of(d->path) : NULL;

    if (directory) { /* first: SQLite corrects the mode of an empty WAL as it opens it */
        check_modes(d);
        check_directory(d, directory);
        check_filesystem(d, directory);
        check_room(d, directory);
        check_secret(d);
    }
    free(directory);
    database_setup();
    doctor_say(d, DOCTOR_OK, "sqlite", "version %s%s", sqlite3_libversion(),
               corrected ? ""
                         : "; its WAL-reset bug (fixed in 3.51.3) cannot occur here, because only "
                           "one connection writes and checkpoints the WAL");
    if (!d->path) {
        return;
    }
    d->db = database_open_reader(d->path, NULL, 0);
    if (!d->db) {
        doctor_say(d, DOCTOR_ERROR, "database",
                   "%s cannot be read as a database in WAL mode: check its owner and mode; "
                   "taskhold restore replaces a damaged one",
                   d->path);
        return;
    }
    doctor_say(d, DOCTOR_OK, "database", "%s, WAL, opened for reading only", d->path);
    check_content(d);
}
