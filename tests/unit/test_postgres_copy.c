// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "store/postgres/copy.h"
#include "store/transfer/digest.h"

#define COLUMNS(table) ((table)->column_count)

static const struct table *const keys = &tables[TABLE_IDEMPOTENCY_KEYS]; /* has every type */

/* A row of `keys` with something in every column that must not be NULL. */
static void make_row(struct table_value values[TABLE_COLUMNS_MOST])
{
    for (size_t i = 0; i < COLUMNS(keys); i++) {
        const struct table_column *column = &keys->columns[i];
        values[i] = (struct table_value){.null = column->nullable};
        if (table_is_number(column))
            values[i].number = column->type == TABLE_I16 ? 3 : -INT64_C(1795000000123);
        else
            values[i].bytes = column->type == TABLE_UUID
                                  ? SLICE("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\377")
                                  : SLICE("a\0\n\xff");
        if (column->nullable)
            values[i].bytes = (struct slice){0};
    }
}

static void digest_of(const struct table_value *values, char text[static DIGEST_LEN + 1])
{
    struct digest digest;
    digest_init(&digest);
    digest_row(&digest, keys, values);
    digest_finish(&digest, text);
}

static void test_there_and_back(void **state)
{
    struct table_value row[TABLE_COLUMNS_MOST];
    struct table_value found[TABLE_COLUMNS_MOST];
    char before[DIGEST_LEN + 1];
    char after[DIGEST_LEN + 1];
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    make_row(row);
    digest_of(row, before);
    for (int first = 0; first < 2; first++) {
        buffer_clear(&out);
        if (first)
            copy_add_head(&out);
        copy_add_row(&out, keys, row);
        assert_int_equal(copy_read_row(buffer_slice(&out), first, keys, found), SIDE_ROW);
        digest_of(found, after);
        assert_string_equal(before, after);
    }
    buffer_clear(&out);
    copy_add_head(&out);
    copy_add_tail(&out);
    assert_int_equal(copy_read_row(buffer_slice(&out), true, keys, found), SIDE_END);
    buffer_finish(&out);
}

/* In memory of its very size, so that a sanitizer sees what is read behind it. */
static enum side_next read_copy(struct slice message, bool first)
{
    struct table_value found[TABLE_COLUMNS_MOST];
    char *copy = malloc(message.len > 0 ? message.len : 1);
    assert_non_null(copy);
    if (message.len > 0)
        memcpy(copy, message.ptr, message.len);
    const enum side_next next =
        copy_read_row((struct slice){copy, message.len}, first, keys, found);
    free(copy);
    return next;
}

static void test_what_is_no_row(void **state)
{
    struct table_value row[TABLE_COLUMNS_MOST];
    struct buffer out;
    (void)state;
    buffer_init(&out, 4096);
    make_row(row);
    copy_add_head(&out);
    copy_add_row(&out, keys, row);
    for (size_t len = 0; len < out.len; len++)
        assert_int_equal(read_copy((struct slice){out.data, len}, true), SIDE_FAILED);
    assert_int_equal(read_copy((struct slice){out.data, out.len}, false), SIDE_FAILED);
    buffer_add_char(&out, 'x');
    assert_int_equal(read_copy(buffer_slice(&out), true), SIDE_FAILED);
    /* NULL where the table has none. */
    row[table_find(keys, "used_at")].null = true;
    buffer_clear(&out);
    copy_add_row(&out, keys, row);
    assert_int_equal(read_copy(buffer_slice(&out), false), SIDE_FAILED);
    /* A row of another table. */
    buffer_clear(&out);
    copy_add_row(&out, &tables[TABLE_KNOWN_ADDRESSES], row);
    assert_int_equal(read_copy(buffer_slice(&out), false), SIDE_FAILED);
    /* A length that goes beyond everything. */
    buffer_clear(&out);
    copy_add_row(&out, keys, row);
    memcpy(out.data + 2, "\x7f\xff\xff\xff", 4);
    assert_int_equal(read_copy(buffer_slice(&out), false), SIDE_FAILED);
    buffer_finish(&out);
}

/* Each value stands for itself: NULL, nothing and 0 differ, and no border can move. */
static void test_digests_differ(void **state)
{
    struct table_value row[TABLE_COLUMNS_MOST];
    char texts[5][DIGEST_LEN + 1];
    const int title = table_find(keys, "title");
    const int description = table_find(keys, "description");
    (void)state;
    make_row(row);
    digest_of(row, texts[0]);
    row[title] = (struct table_value){.bytes = SLICE("")};
    digest_of(row, texts[1]);
    row[title] = (struct table_value){.bytes = SLICE("ab")};
    row[description] = (struct table_value){.bytes = SLICE("c")};
    digest_of(row, texts[2]);
    row[title] = (struct table_value){.bytes = SLICE("a")};
    row[description] = (struct table_value){.bytes = SLICE("bc")};
    digest_of(row, texts[3]);
    row[table_find(keys, "revision")].number++;
    digest_of(row, texts[4]);
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(texts[i], texts[k]);
    }
}

/* What a row is found by, and counted as belonging to, is in every table. */
static void test_every_table_has_an_owner(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        /* An invitation is for somebody who has no account yet. */
        const bool of_nobody = strcmp(tables[i].name, "invitations") == 0;
        assert_int_equal(table_find(&tables[i], "user_id") >= 0, !of_nobody);
    }
    assert_int_equal(table_find(&tables[0], "nothing"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_what_is_no_row),
        cmocka_unit_test(test_digests_differ),
        cmocka_unit_test(test_every_table_has_an_owner),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
