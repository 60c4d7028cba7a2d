#include "store/sqlite/migrate.h"

#include <stdio.h>

#include "store/sqlite/database.h"

/* Made from the files in migrations/ when the program is built. */
extern const unsigned char embed_sqlite_0001_init_sql[];
extern const size_t embed_sqlite_0001_init_sql_len;

static const struct migration {
    const unsigned char *script;
    const size_t *len;
    const char *stamp;
} migrations[] = {
    {embed_sqlite_0001_init_sql, &embed_sqlite_0001_init_sql_len, "PRAGMA user_version = 1"},
};

#define HEAD ((sqlite3_int64)(sizeof migrations / sizeof migrations[0]))

sqlite3_int64 migrate_head(void)
{
    return HEAD;
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
    }
    return rc;
}

static int run_migration(sqlite3 *db, const struct migration *migration)
{
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = run_script(db, (const char *)migration->script, *migration->len);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, migration->stamp, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

bool migrate_to_head(sqlite3 *db, char *why, size_t why_size)
{
    sqlite3_int64 version = 0;
    int rc = database_read_i64(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK && (version > HEAD || version < 0)) {
        (void)snprintf(why, why_size,
                       "the database has schema %lld and this program knows up to %lld: start the "
                       "newer program",
                       (long long)version, (long long)HEAD);
        return false;
    }
    while (rc == SQLITE_OK && version < HEAD) {
        rc = run_migration(db, &migrations[version]);
        if (rc == SQLITE_OK)
            version++;
    }
    if (rc != SQLITE_OK)
        (void)snprintf(why, why_size, "schema change %lld failed: %s", (long long)version + 1,
                       database_error(db, rc));
    return rc == SQLITE_OK;
}
