// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store/sqlite/functions.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/sql.h"
#include "store_fixture.h"

/* How SQLite means to run our statements on the newest schema. */

static int setup(void **pointer)
{
    char why[512] = "";
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(functions_register(db), SQLITE_OK);
    if (!migrate_to_head(db, why, sizeof why))
        fail_msg("%s", why);
    *pointer = db;
    return 0;
}

static int teardown(void **pointer)
{
    assert_int_equal(sqlite3_close(*pointer), SQLITE_OK);
    return 0;
}

static void explain(sqlite3 *db, const char *sql, char *plan, size_t size)
{
    sqlite3_stmt *statement = NULL;
    char *text = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
    size_t used = 0;
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &statement, NULL), SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW)
        used += (size_t)snprintf(plan + used, size - used, "%s\n",
                                 (const char *)sqlite3_column_text(statement, 3));
    sqlite3_finalize(statement);
    sqlite3_free(text);
}

/* No statement reads a whole table without an index. */
static void test_plans(void **state)
{
    sqlite3 *db = *state;
    char plan[2048] = "";
    struct sql_texts texts;
    assert_true(sql_texts_init(&texts));
    for (unsigned i = 0; i < texts.count; i++) {
        const bool transaction = i >= SQL_BEGIN_READ && i <= SQL_BATCH_ROLLBACK_TO;
        /* They are few, and an operator makes them; or it is an order through all spaces. */
        const bool all = i == SQL_INVITATION_COUNT || i == SQL_PURGE_INVITATIONS;
        plan[0] = '\0';
        if (!transaction)
            explain(db, texts.list[i], plan, sizeof plan);
        const char *scan = strstr(plan, "SCAN");
        /* A virtual table is the JSON of one row; `d` are the rows that the statement itself found.
         */
        if (scan && !all && strncmp(scan, "SCAN d\n", 7) != 0 && !strstr(scan, "USING") &&
            !strstr(scan, "SCAN (subquery") && !strstr(scan, "VIRTUAL TABLE"))
            fail_msg("%s\n%s", texts.list[i], plan);
    }
    sql_texts_finish(&texts);
}

/* The default order of a list needs no sorting, in both directions and after any row. */
static void test_plan_of_the_default_list(void **state)
{
    sqlite3 *db = *state;
    char plan[2048] = "";
    struct buffer sql;
    for (unsigned i = 0; i < 4; i++) {
        const struct store_item_list op = {
            .resource = fixture_resource,
            .orders = {{resource_field(fixture_resource, SLICE("created_at")), LIST_BY_VALUE,
                        i % 2 == 0}},
            .order_count = 1,
            .after = i / 2 == 0};
        buffer_init(&sql, 4096);
        sql_expand(&sql, "SELECT {columns} FROM {t}", op.resource, SQL_SQLITE);
        sql_list_where(&sql, &op, op.after, SQL_SQLITE);
        sql_list_order(&sql, &op, SQL_SQLITE);
        buffer_add_char(&sql, '\0');
        explain(db, sql.data, plan, sizeof plan);
        assert_non_null(strstr(plan, "SEARCH tasks USING PRIMARY KEY"));
        assert_null(strstr(plan, "SCAN"));
        assert_null(strstr(plan, "TEMP B-TREE"));
        buffer_finish(&sql);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_plan_of_the_default_list),
    };
    return cmocka_run_group_tests_name("store: SQLite plans", tests, setup, teardown);
}
