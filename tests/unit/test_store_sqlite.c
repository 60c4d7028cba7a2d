// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/task_list.h"
#include "store/sql.h"
#include "store/sqlite/database.h"
#include "store/sqlite/engine.h"
#include "store_contract.h"

static char directory[64];
static char url[128];

#ifdef FAILING
#include <fcntl.h>

#include "failing.h"
#define WHERE "/dev/shm/taskhold-XXXXXX"
#else
#define WHERE "/tmp/taskhold-XXXXXX"
#endif

static void remove_database(void)
{
    static const char *const names[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/t.db%s", directory, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(directory), 0);
}

static int64_t number(const char *sql)
{
    sqlite3 *db = NULL;
    sqlite3_int64 value = -1;
    assert_int_equal(sqlite3_open_v2(url + strlen("sqlite:"), &db, SQLITE_OPEN_READWRITE, NULL), 0);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    const int rc = database_read_i64(db, sql, &value);
    if (rc != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
    return value;
}

#ifdef FAILING
/* What the run left is opened again, as the next start does, and must be sound. */
const char *failing_judge(const char *place)
{
    static char why[512];
    static struct buffer drift;
    struct store_options options = {.url = url};
    struct store *store = NULL;
    const char *wrong = NULL;
    (void)snprintf(directory, sizeof directory, "%s", place);
    (void)snprintf(url, sizeof url, "sqlite:%s/t.db", directory);
    if (access(url + strlen("sqlite:"), F_OK) == 0 &&
        !(store = sqlite_engine.open(&options, why, sizeof why)))
        wrong = why;
    if (store) {
        if (!drift.data)
            contract_make_drift(&drift, SQL_SQLITE);
        if (number("SELECT (SELECT group_concat(integrity_check) = 'ok' FROM "
                   "pragma_integrity_check) AND NOT EXISTS (SELECT 1 FROM "
                   "pragma_foreign_key_check)") != 1)
            wrong = "the database is not sound";
        else if (number(drift.data) != 0)
            wrong = "a count is wrong";
        sqlite_engine.close(&store);
    }
    if (!wrong)
        remove_database();
    return wrong;
}
#endif

static const char *make_database(void)
{
    (void)snprintf(directory, sizeof directory, WHERE);
    assert_non_null(mkdtemp(directory));
    (void)snprintf(url, sizeof url, "sqlite:%s/t.db", directory);
#ifdef FAILING
    (void)snprintf(failing_place, FAILING_PLACE_BYTES, "%s", directory);
#endif
    return url;
}

static void drop_database(void)
{
#ifndef FAILING
    remove_database();
#endif
}

int main(void)
{
    struct buffer drift;
    contract_make_drift(&drift, SQL_SQLITE);
    struct store_contract contract = {
        .engine = &sqlite_engine,
        .make_database = make_database,
        .drop_database = drop_database,
        .number = number,
        .drift = drift.data,
    };
    int failed = store_contract_run(&contract);
    contract.resource = &list_resource;
    failed += store_contract_run(&contract);
    buffer_finish(&drift);
    return failed;
}
