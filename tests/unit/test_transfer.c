// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/task.h"
#include "store/transfer/digest.h"
#include "store/transfer/dump.h"

static const struct table *const keys = &tables[TABLE_IDEMPOTENCY_KEYS]; /* has every type */

/* A row of `keys` with something in every column that must not be NULL. */
static void make_row(struct field_value values[TABLE_COLUMNS_MOST])
{
    for (size_t i = 0; i < keys->column_count; i++) {
        const struct field *column = &keys->columns[i];
        values[i] = (struct field_value){.null = (column->flags & FIELD_NULLABLE) != 0};
        if (field_is_number(column->type))
            values[i].number = column->type == FIELD_CHOICE ? 3 : -INT64_C(1795000000123);
        else
            values[i].bytes = column->type == FIELD_UUID
                                  ? SLICE("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\377")
                                  : SLICE("a\0\n\xff");
    }
}

static void digest_of(const struct field_value *values, struct digest_sum *sum)
{
    struct digest digest;
    digest_init(&digest);
    digest_row(&digest, keys, values);
    digest_finish(&digest, sum);
}

/* Each value stands for itself: NULL, nothing and 0 differ, and no border can move. */
static void test_digests_differ(void **state)
{
    struct field_value row[TABLE_COLUMNS_MOST];
    struct digest_sum sums[6];
    const int key = table_find(keys, SLICE("key"));
    const int body = table_find(keys, SLICE("body"));
    (void)state;
    make_row(row);
    digest_of(row, &sums[0]);
    row[body] = (struct field_value){.bytes = SLICE("")};
    digest_of(row, &sums[1]);
    row[key] = (struct field_value){.bytes = SLICE("ab")};
    row[body] = (struct field_value){.bytes = SLICE("c")};
    digest_of(row, &sums[2]);
    row[key] = (struct field_value){.bytes = SLICE("a")};
    row[body] = (struct field_value){.bytes = SLICE("bc")};
    digest_of(row, &sums[3]);
    row[table_find(keys, SLICE("revision"))].number++;
    digest_of(row, &sums[4]);
    row[table_find(keys, SLICE("outcome"))].number = 0;
    digest_of(row, &sums[5]);
    for (size_t i = 0; i < 6; i++) {
        assert_int_equal(sums[i].rows, 1);
        for (size_t k = 0; k < 6; k++)
            assert_int_equal(digest_sum_eq(&sums[i], &sums[k]), i == k);
    }
}

/* What a row is found by, and counted as belonging to, is in every table, and those of resources
 * are among them. */
static void test_every_table_has_an_owner(void **state)
{
    size_t items = 0;
    (void)state;
    for (const struct table *table = NULL; (table = table_next(table));) {
        /* An invitation is for somebody who has no account yet. */
        const bool of_nobody = strcmp(table->name, "invitations") == 0;
        const bool owned =
            table_find(table, SLICE("user_id")) >= 0 || table_find(table, SLICE("space_id")) >= 0;
        assert_int_equal(owned, !of_nobody);
        assert_true(table->exported <= table->column_count);
        items += table->resource != NULL;
    }
    assert_int_equal(items, resource_count);
    assert_int_equal(table_find(&tables[0], SLICE("nothing")), -1);
}

/* ---- lines ---- */

#define SPACE "\"00000000-0000-4000-8000-00000000000a\""
#define ID    "\"00000000-0000-4000-8000-00000000000b\""
#define TIME  "\"2026-11-29T12:00:00.000Z\""
#define MORE                                                                                       \
    "\"priority\":\"none\",\"list_id\":null,\"parent_id\":null,\"position\":\"V\",\"labels\":[],"  \
    "\"start\":null,\"due\":null,\"time_zone\":null,\"recurrence\":null,\"recurrence_anchor\":"    \
    "\"due\","                                                                                     \
    "\"blocked_by\":[],\"metadata\":{},\"series_id\":null,\"next_id\":null,"
#define TASK TASK_WITH(MORE)
#define TASK_WITH(more)                                                                            \
    "{\"type\":\"task\",\"%s\":" SPACE ",\"id\":" ID ",\"title\":\"t\",\"description\":null,"      \
    "\"status\":\"pending\"," more "\"created_at\":" TIME ",\"updated_at\":" TIME                  \
    ",\"completed_at\":null,\"revision\":%d}"

static char why[256];

static void read_header(struct dump_reader *reader, const char *header)
{
    struct dump_rows rows;
    assert_true(dump_reader_init(reader, why, sizeof why));
    assert_true(dump_read(reader, slice_of(header), &rows));
    assert_int_equal(rows.count, 0);
}

static bool read_line(struct dump_reader *reader, struct dump_rows *rows, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool read_line(struct dump_reader *reader, struct dump_rows *rows, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return dump_read(reader, slice_of(line), rows);
}

static struct field_value value_of(const struct dump_rows *rows, size_t row, struct slice column)
{
    return rows->list[row].values[table_find(rows->list[row].table, column)];
}

/* As many lines as each resource has, none. */
static const char *header_of(int version)
{
    static struct buffer text;
    buffer_finish(&text);
    buffer_init(&text, 4096);
    buffer_add_format(&text, "{\"format\":\"taskhold\",\"version\":%d", version);
    for (const struct table *table = NULL; version > 1 && (table = table_next(table));) {
        const bool newer =
            table == &tables[TABLE_TRASH] || (table->resource && table->resource != &task_resource);
        if (table->exported > 0 && (version > 2 || !newer))
            buffer_add_format(&text, ",\"%.*s\":0", (int)table->lines.len, table->lines.ptr);
    }
    buffer_add_text(&text, version > 1 ? "}" : ",\"users\":1,\"tasks\":2,\"tombstones\":3}");
    buffer_add_char(&text, '\0');
    assert_false(text.failed);
    return text.data;
}

static void test_lines_of_format_3(void **state)
{
    struct dump_reader reader;
    struct dump_rows rows;
    (void)state;
    tables_setup();
    read_header(&reader, header_of(3));
    assert_true(read_line(&reader, &rows, TASK, "space_id", 7));
    assert_int_equal(rows.count, 1);
    assert_ptr_equal(rows.list[0].table->resource, &task_resource);
    assert_int_equal(value_of(&rows, 0, SLICE("revision")).number, 7);
    assert_true(value_of(&rows, 0, SLICE("description")).null);
    assert_true(slice_eq(value_of(&rows, 0, SLICE("title")).bytes, SLICE("t")));
    assert_false(read_line(&reader, &rows, TASK, "user_id", 7));
    assert_non_null(strstr(why, "no such member here: user_id"));
    assert_false(read_line(&reader, &rows, TASK, "space_id", 0));

    /* What was before is kept as the journal writes it, whatever the line's white space. */
    assert_true(read_line(&reader, &rows,
                          "{\"type\":\"change\",\"space_id\":" SPACE ",\"revision\":3,\"at\":" TIME
                          ",\"kind\":\"task\",\"verb\":\"update\",\"id\":" ID ",\"actor\":null,"
                          "\"before\":{ \"status\": \"completed\", \"title\" : \"\\u00e9\" }}"));
    assert_ptr_equal(rows.list[0].table, &tables[TABLE_JOURNAL]);
    assert_true(slice_eq(value_of(&rows, 0, SLICE("before")).bytes,
                         SLICE("{\"title\":\"\u00e9\",\"status\":\"completed\"}")));
    assert_true(value_of(&rows, 0, SLICE("actor")).null);
    assert_int_equal(value_of(&rows, 0, SLICE("verb")).number, STORE_UPDATE);
    dump_reader_finish(&reader);
}

/* Tasks of format 2 had few members; what they have now is what a task has by default. */
static void test_lines_of_format_2(void **state)
{
    struct dump_reader reader;
    struct dump_rows rows;
    (void)state;
    read_header(&reader, header_of(2));
    assert_true(read_line(&reader, &rows, TASK_WITH(""), "space_id", 7));
    assert_int_equal(rows.count, 1);
    assert_true(slice_eq(value_of(&rows, 0, SLICE("position")).bytes, SLICE("b"))); /* of 7 */
    assert_true(value_of(&rows, 0, SLICE("due")).null);
    assert_false(read_line(&reader, &rows, TASK, "space_id", 7));
    assert_non_null(strstr(why, "no such member here: priority"));
    assert_true(read_line(&reader, &rows,
                          "{\"type\":\"user\",\"user_id\":" ID ",\"email\":\"ada@example.com\","
                          "\"name\":null,\"password_hash\":\"$argon2id$x\",\"disabled_at\":null,"
                          "\"created_at\":" TIME ",\"updated_at\":" TIME "}"));
    assert_true(value_of(&rows, 1, SLICE("time_zone")).null);
    assert_true(read_line(&reader, &rows,
                          "{\"type\":\"space\",\"space_id\":" SPACE ",\"owner_id\":" SPACE
                          ",\"revision\":7,\"forgotten\":0}"));
    dump_reader_finish(&reader);
}

/* An account of format 1 is also its space; a tombstone is a deletion. */
static void test_lines_of_format_1(void **state)
{
    struct dump_reader reader;
    struct dump_rows rows;
    (void)state;
    read_header(&reader, header_of(1));
    assert_int_equal(reader.announced.rows[TABLE_SPACES], 1);
    assert_int_equal(reader.announced.rows[TABLE_JOURNAL], 3);
    assert_true(read_line(&reader, &rows,
                          "{\"type\":\"user\",\"id\":" ID ",\"email\":\"Ada@Example.com\","
                          "\"name\":null,\"password_hash\":\"$argon2id$x\",\"revision\":9,"
                          "\"disabled_at\":null,\"created_at\":" TIME ",\"updated_at\":" TIME "}"));
    assert_int_equal(rows.count, 3);
    assert_true(slice_eq(value_of(&rows, 0, SLICE("email")).bytes, SLICE("ada@example.com")));
    assert_true(slice_eq(value_of(&rows, 1, SLICE("email")).bytes, SLICE("Ada@Example.com")));
    assert_true(value_of(&rows, 1, SLICE("deleted_at")).null);
    assert_int_equal(value_of(&rows, 2, SLICE("revision")).number, 9);
    assert_int_equal(value_of(&rows, 2, SLICE("forgotten")).number, 9);
    assert_true(read_line(&reader, &rows, TASK_WITH(""), "user_id", 7));
    assert_true(slice_eq(value_of(&rows, 0, SLICE("position")).bytes, SLICE("b"))); /* of 7 */
    assert_true(value_of(&rows, 0, SLICE("labels")).null);
    assert_false(read_line(&reader, &rows, TASK_WITH(""), "space_id", 7));
    assert_false(read_line(&reader, &rows, TASK, "user_id", 7));
    assert_true(read_line(&reader, &rows,
                          "{\"type\":\"tombstone\",\"user_id\":" SPACE ",\"id\":" ID
                          ",\"revision\":3,\"deleted_at\":" TIME "}"));
    assert_ptr_equal(rows.list[0].table, &tables[TABLE_JOURNAL]);
    assert_int_equal(value_of(&rows, 0, SLICE("verb")).number, STORE_DELETE);
    assert_int_equal(value_of(&rows, 0, SLICE("kind")).number, 1);
    assert_true(value_of(&rows, 0, SLICE("before")).null);
    dump_reader_finish(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_format_3),        cmocka_unit_test(test_lines_of_format_2),
        cmocka_unit_test(test_lines_of_format_1),        cmocka_unit_test(test_digests_differ),
        cmocka_unit_test(test_every_table_has_an_owner),
    };
    tables_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
