// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/disk.h"
#include "fault_vfs.h"
#include "model/position.h"
#include "store/migrations.h"
#include "store/sqlite/database.h"
#include "store/sqlite/file.h"
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

/* The start after it has to write the WAL again, as after a server's failed flush. */
static void test_a_failed_flush_is_noted(void **state)
{
    char why[256] = "";
    char path[64] = "/tmp/taskhold-XXXXXX";
    char url[128];
    struct file file;
    (void)state;
    assert_non_null(mkdtemp(path));
    (void)snprintf(url, sizeof url, "sqlite:%s/t.db", path);
    assert_true(file_claim(&file, url, why, sizeof why));
    sqlite3 *db = database_open_writer(file.path, why, sizeof why);
    assert_non_null(db);
    assert_false(file_is_doubtful(file.path));
    fault_arm(FAULT_SYNC, 1, 1, SQLITE_IOERR_FSYNC);
    assert_false(migrate_to_head(db, why, sizeof why));
    assert_true(fault_struck());
    fault_disarm();
    assert_true(file_is_doubtful(file.path));
    database_close(&db);
    db = database_open_writer(file.path, why, sizeof why);
    assert_non_null(db);
    assert_false(file_is_doubtful(file.path));
    assert_true(migrate_to_head(db, why, sizeof why));
    database_close(&db);
    assert_true(file_remove_beside(file.path));
    assert_int_equal(unlink(file.path), 0);
    (void)snprintf(url, sizeof url, "%s/t.db" BESIDE_LOCK, path);
    assert_int_equal(unlink(url), 0);
    file_release(&file);
    assert_int_equal(rmdir(path), 0);
}

int main(void)
{
    fault_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_migration_of_positions),
        cmocka_unit_test(test_a_failed_flush_is_noted),
    };
    return cmocka_run_group_tests_name("sqlite_migrations", tests, NULL, NULL);
}
