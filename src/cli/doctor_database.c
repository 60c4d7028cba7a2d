// SPDX-License-Identifier: MIT
#include <string.h>

#include "cli/doctor.h"
#include "store/sqlite/database.h"
#include "store/sqlite/inspect.h"
#include "store/sqlite/migrate.h"

/* Versions in which a WAL that one connection starts over while another one moves it may lose
 * writes; 3.50.7 and 3.44.6 have the correction too. */
#define WAL_RESET_CORRECTED 3051003

static bool wal_reset_is_corrected(int version)
{
    return version >= WAL_RESET_CORRECTED || (version >= 3050007 && version < 3051000) ||
           (version >= 3044006 && version < 3045000);
}

static void check_library(struct doctor *d)
{
    const char *remark =
        wal_reset_is_corrected(sqlite3_libversion_number())
            ? ""
            : "; its WAL-reset fault (corrected in 3.51.3) cannot happen here, because "
              "one connection alone writes and moves the WAL";
    doctor_say(d, DOCTOR_OK, "sqlite", "version %s%s", sqlite3_libversion(), remark);
}

static void check_schema(struct doctor *d)
{
    char why[4096 + 256];
    int64_t schema = 0;

    if (!inspect_identity(d->db, d->path, &schema, why, sizeof why)) {
        doctor_say(d, DOCTOR_ERROR, "schema", "%s: start the program that made it", why);
    } else if (database_is_of_0_1_0(d->db)) {
        doctor_say(d, DOCTOR_ERROR, "schema", "%s", DATABASE_OF_0_1_0_WHY);
    } else if (schema < migrate_head()) {
        doctor_say(d, DOCTOR_WARNING, "schema", "%lld of %lld: run taskhold migrate",
                   (long long)schema, (long long)migrate_head());
    } else {
        doctor_say(d, DOCTOR_OK, "schema", "%lld, the newest", (long long)schema);
    }
}

static void check_pages(struct doctor *d)
{
    sqlite3_stmt *statement = NULL;
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
                   "then taskhold restore the last backup");
    }
    sqlite3_finalize(statement);
}

void doctor_database(struct doctor *d)
{
    database_setup();
    check_library(d);
    if (!d->path) {
        return;
    }
    d->db = database_open_reader(d->path, NULL, 0);
    if (!d->db) {
        doctor_say(d, DOCTOR_ERROR, "database",
                   "%s cannot be read as a database in WAL mode: look at its owner and mode; a "
                   "damaged one is replaced by taskhold restore",
                   d->path);
        return;
    }
    doctor_say(d, DOCTOR_OK, "database", "%s, WAL, opened for reading only", d->path);
    check_schema(d);
    check_pages(d);
}
