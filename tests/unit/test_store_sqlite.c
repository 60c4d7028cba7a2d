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

static const char *make_database(void)
{
    (void)snprintf(directory, sizeof directory, "/tmp/taskhold-XXXXXX");
    assert_non_null(mkdtemp(directory));
    (void)snprintf(url, sizeof url, "sqlite:%s/t.db", directory);
    return url;
}

static void drop_database(void)
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
