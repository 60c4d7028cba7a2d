// SPDX-License-Identifier: MIT
#include "store/sqlite/inspect.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite/database.h"
#include "store/sqlite/migrate.h"

#define TABLE_NAMES                                                                                \
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "   \
    "'\\' ORDER BY name"

sqlite3 *inspect_open_still(const char *path, char *why, size_t why_size)
{
    sqlite3 *db = NULL;
    sqlite3_str *uri = sqlite3_str_new(NULL);
    sqlite3_str_appendall(uri, "file:");
    for (const char *c = path; *c; c++) {
        if (strchr("%?#", *c))
            sqlite3_str_appendf(uri, "%%%02x", (unsigned)*c);
        else
            sqlite3_str_appendchar(uri, 1, *c);
    }
    sqlite3_str_appendall(uri, "?immutable=1");
    char *text = sqlite3_str_finish(uri);
    database_setup();
    int rc =
        text ? sqlite3_open_v2(text, &db,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL)
             : SQLITE_NOMEM;
    sqlite3_free(text);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON", NULL,
                          NULL, NULL);
    if (rc != SQLITE_OK) {
        (void)snprintf(why, why_size, "cannot open %s: %s", path, sqlite3_errstr(rc));
        database_close(&db);
    }
    return db;
}

bool inspect_identity(sqlite3 *db, const char *path, int64_t *schema, char *why, size_t why_size)
{
    sqlite3_int64 application = 0;
    sqlite3_int64 version = 0;
    int rc = database_read_i64(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = database_read_i64(db, "PRAGMA user_version", &version);
    if (rc != SQLITE_OK) {
        (void)snprintf(why, why_size, "cannot read %s: %s", path, sqlite3_errstr(rc));
        return false;
    }
    if (application != DATABASE_APPLICATION_ID) {
        (void)snprintf(why, why_size, "%s is not a database of taskhold", path);
        return false;
    }
    if (version < 1 || version > migrate_head()) {
        (void)snprintf(why, why_size, "%s has schema %lld and this program knows 1 to %lld", path,
                       (long long)version, (long long)migrate_head());
        return false;
    }
    *schema = version;
    return true;
}

/* Runs a check. `*good`: its first row is "ok", or, with `empty_is_good`, there is none. */
static int run_check(sqlite3 *db, const char *sql, bool empty_is_good, bool *good)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        *good = !empty_is_good && text && strcmp(text, "ok") == 0;
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        *good = empty_is_good;
        rc = SQLITE_OK;
    }
    sqlite3_finalize(statement);
    return rc;
}

bool inspect_integrity(sqlite3 *db, const char *path, char *why, size_t why_size)
{
    bool whole = false;
    bool referenced = false;
    int rc = run_check(db, "PRAGMA integrity_check(1)", false, &whole);
    if (rc == SQLITE_OK && whole)
        rc = run_check(db, "PRAGMA foreign_key_check", true, &referenced);
    if (rc != SQLITE_OK)
        (void)snprintf(why, why_size, "cannot check %s: %s", path, sqlite3_errstr(rc));
    else if (!whole)
        (void)snprintf(why, why_size, "%s is damaged", path);
    else if (!referenced)
        (void)snprintf(why, why_size, "%s holds rows whose account is missing", path);
    return rc == SQLITE_OK && whole && referenced;
}

static void digest_value(crypto_generichash_state *state, sqlite3_stmt *row, int column)
{
    struct {
        int64_t type;
        int64_t number; /* the value, or the length of the bytes that follow */
    } head = {.type = sqlite3_column_type(row, column)};
    const void *bytes = NULL;
    if (head.type == SQLITE_INTEGER) {
        head.number = sqlite3_column_int64(row, column);
    } else {
        bytes = sqlite3_column_blob(row, column);
        head.number = sqlite3_column_bytes(row, column);
    }
    crypto_generichash_update(state, (const unsigned char *)&head, sizeof head);
    if (bytes)
        crypto_generichash_update(state, bytes, (unsigned long long)head.number);
}

static int digest_table(sqlite3 *db, struct inspect_table *table)
{
    unsigned char digest[INSPECT_DIGEST_LEN / 2];
    crypto_generichash_state state;
    sqlite3_stmt *statement = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table->name);
    int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &statement, NULL) : SQLITE_NOMEM;
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        rc = sqlite3_step(statement);
        if (rc != SQLITE_ROW)
            break;
        table->rows++;
        for (int i = 0; i < sqlite3_column_count(statement); i++)
            digest_value(&state, statement, i);
    }
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(table->digest, sizeof table->digest, digest, sizeof digest);
    sqlite3_finalize(statement);
    sqlite3_free(sql);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* The names alone, so that no statement stays open while the tables are read. */
static int name_tables(sqlite3 *db, struct inspect_tables *tables)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, TABLE_NAMES, -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    while (rc == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (!name || strlen(name) > INSPECT_NAME_MOST || tables->count == INSPECT_TABLES_MOST) {
            rc = SQLITE_TOOBIG;
            break;
        }
        (void)snprintf(tables->list[tables->count++].name, INSPECT_NAME_MOST + 1, "%s", name);
        rc = sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int inspect_tables(sqlite3 *db, struct inspect_tables *tables)
{
    memset(tables, 0, sizeof *tables);
    int rc = sodium_init() < 0 ? SQLITE_ERROR : name_tables(db, tables);
    for (size_t i = 0; i < tables->count && rc == SQLITE_OK; i++)
        rc = digest_table(db, &tables->list[i]);
    return rc;
}

const char *inspect_difference(const struct inspect_tables *a, const struct inspect_tables *b)
{
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        if (i >= a->count)
            return b->list[i].name;
        if (i >= b->count || strcmp(a->list[i].name, b->list[i].name) != 0 ||
            a->list[i].rows != b->list[i].rows || strcmp(a->list[i].digest, b->list[i].digest) != 0)
            return a->list[i].name;
    }
    return NULL;
}
