// SPDX-License-Identifier: MIT
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "script.h"
#include "store/sqlite/database.h"
#include "store_contract.h"

#define WAIT_US 200
#define WAITS   50000

/* What the server removes by itself, in steps: then contents differ that are none to anybody. */
static const char unsettled[] =
    "SELECT (SELECT count(*) FROM users WHERE deleted_at IS NOT NULL) + "
    "(SELECT count(*) FROM spaces WHERE emptied > 0)";

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    return (hash ^ size) * UINT64_C(0x9e3779b97f4a7c15);
}

/* All rows of a table, in the order of its key. */
static bool add_table(sqlite3 *db, const char *name, uint64_t *hash)
{
    char sql[128];
    sqlite3_stmt *rows = NULL;
    (void)snprintf(sql, sizeof sql, "SELECT * FROM \"%s\"", name);
    int rc = sqlite3_prepare_v2(db, sql, -1, &rows, NULL);
    uint64_t sum = 0;
    while (rc == SQLITE_OK && sqlite3_step(rows) == SQLITE_ROW) {
        uint64_t row = mix(1, name, strlen(name));
        for (int i = 0; i < sqlite3_column_count(rows); i++) {
            const int type = sqlite3_column_type(rows, i);
            row = mix(row, &type, sizeof type);
            const void *bytes = sqlite3_column_blob(rows, i);
            row = mix(row, bytes ? bytes : "", (size_t)sqlite3_column_bytes(rows, i));
        }
        sum += row;
    }
    *hash = mix(*hash, &sum, sizeof sum);
    return rc == SQLITE_OK && sqlite3_finalize(rows) == SQLITE_OK;
}

static bool add_tables(sqlite3 *db, uint64_t *hash)
{
    sqlite3_stmt *tables = NULL;
    bool good = sqlite3_prepare_v2(db,
                                   "SELECT name FROM sqlite_schema WHERE type = 'table' AND name "
                                   "NOT LIKE 'sqlite_%' ORDER BY name",
                                   -1, &tables, NULL) == SQLITE_OK;
    while (good && sqlite3_step(tables) == SQLITE_ROW)
        good = add_table(db, (const char *)sqlite3_column_text(tables, 0), hash);
    return sqlite3_finalize(tables) == SQLITE_OK && good;
}

static bool is_zero(sqlite3 *db, const char *sql)
{
    sqlite3_int64 number = -1;
    return database_read_i64(db, sql, &number) == SQLITE_OK && number == 0;
}

static bool is_whole(sqlite3 *db)
{
    static struct buffer drift;
    if (!drift.data)
        contract_make_drift(&drift, SQL_SQLITE);
    bool same = false;
    return database_says(db, "PRAGMA integrity_check", "ok", &same) == SQLITE_OK && same &&
           is_zero(db, "SELECT count(*) FROM pragma_foreign_key_check") && is_zero(db, drift.data);
}

uint64_t script_contents(const char *folder, bool *whole)
{
    char path[128];
    sqlite3 *db = NULL;
    uint64_t hash = 1;
    (void)snprintf(path, sizeof path, "%s/t.db", folder);
    bool good = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK;
    for (unsigned i = 0; good && i < WAITS && !is_zero(db, unsettled); i++)
        (void)usleep(WAIT_US);
    good =
        good && sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) == SQLITE_OK && add_tables(db, &hash);
    if (whole)
        *whole = good && is_whole(db);
    (void)sqlite3_close_v2(db);
    return good ? hash : 0;
}
