// SPDX-License-Identifier: MIT
#include "store/sqlite/inspect.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "store/sqlite/database.h"
#include "store/sqlite/migrate.h"

#define TABLE_NAMES                                                                                \
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE "   \
    "'\\' ORDER BY name"

sqlite3 *inspect_open_still(const char *path, const char *name, char *why, size_t why_size)
{
    assert(path && name && why_size > 0);
    sqlite3 *db = NULL;
    int64_t schema = 0;
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
    if (rc != SQLITE_OK)
        (void)snprintf(why, why_size, "cannot open %s: %s", name, sqlite3_errstr(rc));
    if (rc != SQLITE_OK || !inspect_identity(db, name, &schema, why, why_size))
        database_close(&db);
    return db;
}

bool inspect_identity(sqlite3 *db, const char *path, int64_t *schema, char *why, size_t why_size)
{
    assert(db && path && schema && why_size > 0);
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
    if (database_is_of_old_form(db)) {
        (void)snprintf(why, why_size, "%s: " DATABASE_OLD_FORM_WHY, path);
        return false;
    }
    *schema = version;
    return true;
}

bool inspect_integrity(sqlite3 *db, const char *path, char *why, size_t why_size)
{
    assert(db && path && why_size > 0);
    bool whole = false;
    bool referenced = false;
    int rc = database_says(db, "PRAGMA integrity_check(1)", "ok", &whole);
    if (rc == SQLITE_OK && whole)
        rc = database_says(db, "PRAGMA foreign_key_check", NULL, &referenced);
    if (rc != SQLITE_OK)
        (void)snprintf(why, why_size, "cannot check %s: %s", path, sqlite3_errstr(rc));
    else if (!whole)
        (void)snprintf(why, why_size, "%s is damaged", path);
    else if (!referenced)
        (void)snprintf(why, why_size, "%s holds rows whose account is missing", path);
    return rc == SQLITE_OK && whole && referenced;
}

static int digest_table(sqlite3 *db, struct inspect_table *table)
{
    struct digest digest;
    sqlite3_stmt *row = NULL;
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", table->name);
    int rc = sql ? sqlite3_prepare_v2(db, sql, -1, &row, NULL) : SQLITE_NOMEM;
    digest_init(&digest);
    while (rc == SQLITE_OK && (rc = sqlite3_step(row)) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(row); i++) {
            const int type = sqlite3_column_type(row, i);
            struct field_value value = {.null = type == SQLITE_NULL};
            if (type == SQLITE_INTEGER) {
                value.number = sqlite3_column_int64(row, i);
            } else if (!value.null) {
                const char *bytes = sqlite3_column_blob(row, i);
                value.bytes =
                    (struct slice){bytes ? bytes : "", (size_t)sqlite3_column_bytes(row, i)};
            }
            digest_value(&digest, type == SQLITE_INTEGER, &value);
        }
        digest.rows++;
        rc = SQLITE_OK;
    }
    digest_finish(&digest, &table->sum);
    sqlite3_finalize(row);
    sqlite3_free(sql);
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int inspect_tables(sqlite3 *db, struct inspect_tables *found)
{
    assert(db && found);
    sqlite3_stmt *names = NULL;
    int rc =
        sodium_init() < 0 ? SQLITE_ERROR : sqlite3_prepare_v2(db, TABLE_NAMES, -1, &names, NULL);
    memset(found, 0, sizeof *found);
    while (rc == SQLITE_OK && (rc = sqlite3_step(names)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(names, 0);
        rc = SQLITE_TOOBIG;
        if (name && strlen(name) <= INSPECT_NAME_MOST && found->count < INSPECT_TABLES_MOST) {
            (void)snprintf(found->list[found->count++].name, INSPECT_NAME_MOST + 1, "%s", name);
            rc = SQLITE_OK;
        }
    }
    /* So that no statement stays open while the tables are read. */
    sqlite3_finalize(names);
    rc = rc == SQLITE_DONE ? SQLITE_OK : rc;
    for (size_t i = 0; i < found->count && rc == SQLITE_OK; i++)
        rc = digest_table(db, &found->list[i]);
    return rc;
}

const char *inspect_difference(const struct inspect_tables *a, const struct inspect_tables *b)
{
    for (size_t i = 0; i < a->count || i < b->count; i++) {
        if (i >= a->count)
            return b->list[i].name;
        if (i >= b->count || strcmp(a->list[i].name, b->list[i].name) != 0 ||
            !digest_sum_eq(&a->list[i].sum, &b->list[i].sum))
            return a->list[i].name;
    }
    return NULL;
}
