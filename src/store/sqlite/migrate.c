// SPDX-License-Identifier: MIT
#include "store/sqlite/migrate.h"

#include <assert.h>
#include <stdio.h>

#include "base/point.h"
#include "store/sqlite/database.h"
#include "store/sqlite/functions.h"

sqlite3_int64 migrate_head(void)
{
    return (sqlite3_int64)sqlite_migration_count;
}

/* Runs every statement of a script. */
static int run_script(sqlite3 *db, const char *script, size_t len)
{
    const char *end = script + len;
    int rc = SQLITE_OK;
    while (script < end && rc == SQLITE_OK) {
        sqlite3_stmt *statement = NULL;
        rc = sqlite3_prepare_v2(db, script, (int)(end - script), &statement, &script);
        if (!statement)
            break; /* an error, or nothing but blanks and comments was left */
        do
            rc = sqlite3_step(statement);
        while (rc == SQLITE_ROW);
        if (rc == SQLITE_DONE)
            rc = SQLITE_OK;
        sqlite3_finalize(statement);
        POINT(SQLITE_MIGRATION_STATEMENT);
    }
    return rc;
}

static int run_step(sqlite3 *db, const struct migration *migration, sqlite3_int64 version)
{
    char stamp[64];
    bool hold = false;
    (void)snprintf(stamp, sizeof stamp, "PRAGMA user_version = %lld", (long long)version);
    POINT(SQLITE_MIGRATION_BEGIN);
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = run_script(db, (const char *)migration->script, *migration->len);
    if (rc == SQLITE_OK)
        rc = database_says(db, "PRAGMA foreign_key_check", NULL, &hold);
    if (rc == SQLITE_OK && !hold)
        rc = SQLITE_CONSTRAINT_FOREIGNKEY;
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, stamp, NULL, NULL, NULL);
    POINT(SQLITE_MIGRATION_COMMIT);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    POINT(SQLITE_MIGRATION_STEP);
    if (rc != SQLITE_OK)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* Sets it, outside of a transaction, where alone it can be set, and reads it back. */
static int set_references(sqlite3 *db, bool enforced)
{
    int now = -1;
    int rc = sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_FKEY, (int)enforced, &now);
    return rc == SQLITE_OK && now != (int)enforced ? SQLITE_ERROR : rc;
}

bool migrate_through(sqlite3 *db, const struct migration *migrations, size_t count, char *why,
                     size_t why_size)
{
    assert(db && migrations && count > 0 && sqlite3_get_autocommit(db));
    const sqlite3_int64 head = (sqlite3_int64)count;
    sqlite3_int64 version = 0;
    int rc = functions_register(db);
    if (rc == SQLITE_OK)
        rc = database_read_i64(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK && (version > head || version < 0)) {
        (void)snprintf(why, why_size,
                       "the database has schema %lld and this program knows up to %lld: start the "
                       "newer program",
                       (long long)version, (long long)head);
        return false;
    }
    while (rc == SQLITE_OK && version < head) {
        /* With foreign keys on, dropping a table deletes its rows, and all that refers to them. */
        rc = set_references(db, false);
        if (rc == SQLITE_OK)
            rc = run_step(db, &migrations[version], version + 1);
        const int again = set_references(db, true);
        rc = rc == SQLITE_OK ? again : rc;
        version += rc == SQLITE_OK;
    }
    if (rc != SQLITE_OK)
        (void)snprintf(why, why_size, "schema change %lld failed: %s", (long long)version + 1,
                       database_error(db, rc));
    return rc == SQLITE_OK;
}

bool migrate_to_head(sqlite3 *db, char *why, size_t why_size)
{
    assert(db && why_size > 0);
    if (database_is_of_old_form(db)) {
        (void)snprintf(why, why_size, "%s: " DATABASE_OLD_FORM_WHY,
                       sqlite3_db_filename(db, "main"));
        return false;
    }
    return migrate_through(db, sqlite_migrations, sqlite_migration_count, why, why_size);
}
