// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cursor.h"

#include <sodium.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static const struct uuid user = {{1, 2, 3}};
static const struct uuid other = {{1, 2, 4}};

struct fixture {
    struct keys *keys;
    struct arena *arena;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    assert_true(sodium_init() >= 0);
    fixture.keys = keys_create(SLICE("0123456789abcdefghijklmnopqrstuv"), (struct slice){0});
    fixture.arena = arena_create(1 << 16);
    *state = &fixture;
    return fixture.keys && fixture.arena ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    keys_destroy(&fixture->keys);
    arena_destroy(&fixture->arena);
    return 0;
}

static struct buffer make(const struct fixture *fixture, const struct cursor *cursor)
{
    struct buffer out;
    buffer_init(&out, 8192);
    cursor_make(fixture->keys, user, cursor, &out);
    assert_false(out.failed);
    return out;
}

static void round_trip(void **state)
{
    struct fixture *fixture = *state;
    char longest[4 * TASK_TITLE_MOST];
    memset(longest, 'x', sizeof longest);
    const struct cursor cases[] = {
        {.sort = STORE_SORT_CREATED_AT, .descending = true, .position = {.number = 1795359845123}},
        {.sort = STORE_SORT_UPDATED_AT, .statuses = 5, .position = {.number = 0}},
        {.sort = STORE_SORT_STATUS, .statuses = 7, .position = {.number = 2, .id = {{9, 8}}}},
        {.sort = STORE_SORT_CREATED_AT, .position = {.number = INT64_MIN}},
        {.sort = STORE_SORT_TITLE, .position = {.text = SLICE("Buy milk")}},
        {.sort = STORE_SORT_TITLE, .position = {.text = {longest, sizeof longest}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer text = make(fixture, &cases[i]);
        struct cursor back = {0};
        assert_true(cursor_parse(fixture->keys, user, buffer_slice(&text), fixture->arena, &back));
        assert_int_equal(back.sort, cases[i].sort);
        assert_int_equal(back.descending, cases[i].descending);
        assert_int_equal(back.statuses, cases[i].statuses);
        assert_int_equal(back.position.number, cases[i].position.number);
        assert_true(uuid_eq(back.position.id, cases[i].position.id));
        assert_true(slice_eq(back.position.text, cases[i].position.text));
        assert_false(
            cursor_parse(fixture->keys, other, buffer_slice(&text), fixture->arena, &back));
        buffer_finish(&text);
    }
}

/* Every changed character, every cut and every addition is found out. */
static void tampering(void **state)
{
    struct fixture *fixture = *state;
    const struct cursor cursor = {.sort = STORE_SORT_CREATED_AT, .position = {.number = 42}};
    struct buffer text = make(fixture, &cursor);
    struct cursor back;
    for (size_t i = 0; i < text.len; i++) {
        char kept = text.data[i];
        text.data[i] = kept == 'A' ? 'B' : 'A';
        assert_false(cursor_parse(fixture->keys, user, buffer_slice(&text), fixture->arena, &back));
        text.data[i] = kept;
        struct slice cut = {text.data, i};
        assert_false(cursor_parse(fixture->keys, user, cut, fixture->arena, &back));
    }
    buffer_add_char(&text, 'A');
    assert_false(cursor_parse(fixture->keys, user, buffer_slice(&text), fixture->arena, &back));
    buffer_finish(&text);
}

/* A decoder that takes a byte above 127 for `_` lets two texts mean one cursor. */
static void no_second_text_for_a_cursor(void **state)
{
    struct fixture *fixture = *state;
    unsigned underscores = 0;
    for (int64_t number = 0; number < 64; number++) {
        const struct cursor cursor = {.sort = STORE_SORT_CREATED_AT,
                                      .position = {.number = number}};
        struct buffer text = make(fixture, &cursor);
        struct cursor back;
        for (size_t i = 0; i < text.len; i++) {
            if (text.data[i] == '_') {
                underscores++;
                text.data[i] = (char)0xe9;
                assert_false(
                    cursor_parse(fixture->keys, user, buffer_slice(&text), fixture->arena, &back));
                text.data[i] = '_';
            }
        }
        buffer_finish(&text);
    }
    assert_true(underscores > 0);
}

static void garbage(void **state)
{
    struct fixture *fixture = *state;
    static const char *const cases[] = {
        "",     "A",    "=",     "AAAA",  "AAAA====", "????", "AZ3kU1sample",
        "AQ==", "++++", " AAAA", "AAAA\n"};
    struct cursor back;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(cursor_parse(fixture->keys, user, slice_of(cases[i]), fixture->arena, &back));
    }
}

static void an_old_key_still_reads(void **state)
{
    struct fixture *fixture = *state;
    const struct cursor cursor = {.sort = STORE_SORT_TITLE, .position = {.text = SLICE("t")}};
    struct buffer text = make(fixture, &cursor);
    struct cursor back;
    struct keys *rotated = keys_create(SLICE("another secret of 32 bytes, or so"),
                                       SLICE("0123456789abcdefghijklmnopqrstuv"));
    struct keys *foreign =
        keys_create(SLICE("another secret of 32 bytes, or so"), (struct slice){0});
    assert_true(cursor_parse(rotated, user, buffer_slice(&text), fixture->arena, &back));
    assert_false(cursor_parse(foreign, user, buffer_slice(&text), fixture->arena, &back));
    keys_destroy(&rotated);
    keys_destroy(&foreign);
    buffer_finish(&text);
}

static void packed_forms(void **state)
{
    char bytes[CURSOR_HEAD_LEN + 8] = {1, STORE_SORT_CREATED_AT, 0, 0};
    struct cursor cursor;
    (void)state;
    assert_true(cursor_unpack((struct slice){bytes, sizeof bytes}, &cursor));
    assert_false(cursor_unpack((struct slice){bytes, sizeof bytes - 1}, &cursor));
    assert_false(cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN}, &cursor));
    static const struct {
        size_t at;
        char value;
    } wrong[] = {{0, 0}, {0, 2}, {1, STORE_SORT_COUNT}, {2, 2}, {3, 8}};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        char kept = bytes[wrong[i].at];
        bytes[wrong[i].at] = wrong[i].value;
        assert_false(cursor_unpack((struct slice){bytes, sizeof bytes}, &cursor));
        bytes[wrong[i].at] = kept;
    }
    bytes[1] = STORE_SORT_TITLE;
    assert_false(cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN}, &cursor));
    assert_true(cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN + 1}, &cursor));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_second_text_for_a_cursor),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(tampering),
        cmocka_unit_test(garbage),
        cmocka_unit_test(an_old_key_still_reads),
        cmocka_unit_test(packed_forms),
    };
    return cmocka_run_group_tests_name("cursor", tests, set_up, tear_down);
}
