// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "model/position.h"
#include "store/migrations.h"
#include "store/sqlite/database.h"
#include "store/sqlite/migrate.h"

/* Tasks of the first schema get positions in the order in which they were made, those that
 * position_nth gives. */
static void test_migration_of_positions(void **state)
{
    char why[256] = "";
    char path[64] = "/tmp/taskhold-XXXXXX";
    char file[128];
    (void)state;
    assert_non_null(mkdtemp(path));
    (void)snprintf(file, sizeof file, "%s/t.db", path);
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK); /* makes the file */
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    db = database_open_writer(file, why, sizeof why);
    if (!db)
        fail_msg("%s", why);
    assert_true(migrate_through(db, sqlite_migrations, 1, why, sizeof why));
    assert_int_equal(
        sqlite3_exec(
            db,
            "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 5000) "
            "INSERT INTO tasks (space_id, created_at, id, revision, updated_at, status, title) "
            "SELECT zeroblob(16), i, CAST(printf('%016d', 9999 - i) AS BLOB), 1, i, 0, 'x' "
            "FROM c",
            NULL, NULL, NULL),
        SQLITE_OK);
    assert_true(migrate_through(db, sqlite_migrations, sqlite_migration_count, why, sizeof why));
    sqlite3_stmt *rows = NULL;
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT position FROM tasks ORDER BY created_at", -1, &rows, NULL),
        SQLITE_OK);
    int64_t count = 0;
    while (sqlite3_step(rows) == SQLITE_ROW) {
        char room[POSITION_MOST];
        const struct slice found = {(const char *)sqlite3_column_text(rows, 0),
                                    (size_t)sqlite3_column_bytes(rows, 0)};
        assert_true(slice_eq(found, position_nth(++count, room)));
    }
    assert_int_equal(count, 5000);
    sqlite3_finalize(rows);
    database_close(&db);
    static const char *const names[] = {"", "-wal", "-shm"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)snprintf(file, sizeof file, "%s/t.db%s", path, names[i]);
        (void)unlink(file);
    }
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_migration_of_positions),
    };
    return cmocka_run_group_tests_name("sqlite_migrations", tests, NULL, NULL);
}
