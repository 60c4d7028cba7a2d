// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cursor.h"
#include "model/task.h"

#include <sodium.h>

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

#define TEST_CLOCK 1795359845000

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

static struct store_item_list list_of(const char *sort, bool descending, uint64_t statuses)
{
    const struct field *status = resource_field(&task_resource, SLICE("status"));
    struct store_item_list list = {
        .resource = &task_resource,
        .orders = {{resource_field(&task_resource, slice_of(sort)), LIST_BY_VALUE, descending}},
        .order_count = 1,
        .terms = {{.field = status, .choices = statuses}},
        .term_count = statuses ? 1 : 0,
    };
    return list;
}

static struct buffer make(const struct fixture *fixture, const struct store_item_list *list,
                          const struct store_position *position)
{
    struct buffer out;
    buffer_init(&out, 8192);
    cursor_make(fixture->keys, user, list, TEST_CLOCK, position, &out);
    assert_false(out.failed);
    return out;
}

/* What stands in `text`, read for the same list. */
static enum cursor_verdict read_back(const struct fixture *fixture, struct slice text,
                                     struct store_item_list *list)
{
    return cursor_read(fixture->keys, user, text, fixture->arena, list);
}

static bool is_read(const struct fixture *fixture, struct slice text)
{
    struct store_item_list list = list_of("created_at", false, 0);
    return read_back(fixture, text, &list) == CURSOR_GOOD;
}

static void round_trip(void **state)
{
    struct fixture *fixture = *state;
    char longest[4 * TASK_TITLE_MOST];
    memset(longest, 'x', sizeof longest);
    const struct {
        const char *sort;
        bool descending;
        uint64_t statuses;
        struct store_position position;
    } cases[] = {
        {"created_at", true, 0, {.keys = {{.number = 1795359845123}}}},
        {"updated_at", false, 5, {.keys = {{.number = 0}}}},
        {"status", false, 3, {.keys = {{.number = 2}}, .id = {{9, 8}}}},
        {"created_at", false, 0, {.keys = {{.number = INT64_MIN}}}},
        {"title", false, 0, {.keys = {{.bytes = SLICE("Buy milk")}}}},
        {"title", true, 1, {.keys = {{.bytes = {longest, sizeof longest}}}}},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_item_list list =
            list_of(cases[i].sort, cases[i].descending, cases[i].statuses);
        struct buffer text = make(fixture, &list, &cases[i].position);
        assert_int_equal(read_back(fixture, buffer_slice(&text), &list), CURSOR_GOOD);
        assert_true(list.after);
        assert_int_equal(list.position.keys[0].number, cases[i].position.keys[0].number);
        assert_true(uuid_eq(list.position.id, cases[i].position.id));
        assert_true(slice_eq(list.position.keys[0].bytes, cases[i].position.keys[0].bytes));
        assert_int_equal(
            cursor_read(fixture->keys, other, buffer_slice(&text), fixture->arena, &list),
            CURSOR_BAD);
        buffer_finish(&text);
    }
}

/* A cursor of another order or filter is told apart from one that is none. */
static void of_another_list(void **state)
{
    struct fixture *fixture = *state;
    const struct store_position position = {.keys = {{.number = 42}}};
    const struct store_item_list made = list_of("created_at", false, 5);
    struct buffer text = make(fixture, &made, &position);
    struct resource another = task_resource;
    another.kind++;
    struct store_item_list cases[] = {
        list_of("updated_at", false, 5), list_of("created_at", true, 5),
        list_of("created_at", false, 4), list_of("created_at", false, 0),
        list_of("created_at", false, 5),
    };
    cases[4].resource = &another;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(read_back(fixture, buffer_slice(&text), &cases[i]), CURSOR_OTHERS);
    buffer_finish(&text);
}

/* Every changed character, every cut and every addition is found out. */
static void tampering(void **state)
{
    struct fixture *fixture = *state;
    const struct store_item_list list = list_of("created_at", false, 0);
    const struct store_position position = {.keys = {{.number = 42}}};
    struct buffer text = make(fixture, &list, &position);
    for (size_t i = 0; i < text.len; i++) {
        char kept = text.data[i];
        text.data[i] = kept == 'A' ? 'B' : 'A';
        assert_false(is_read(fixture, buffer_slice(&text)));
        text.data[i] = kept;
        struct slice cut = {text.data, i};
        assert_false(is_read(fixture, cut));
    }
    buffer_add_char(&text, 'A');
    assert_false(is_read(fixture, buffer_slice(&text)));
    buffer_finish(&text);
}

/* A decoder that takes a byte above 127 for `_` lets two texts mean one cursor. */
static void no_second_text_for_a_cursor(void **state)
{
    struct fixture *fixture = *state;
    unsigned underscores = 0;
    for (int64_t number = 0; number < 64; number++) {
        const struct store_item_list list = list_of("created_at", false, 0);
        const struct store_position position = {.keys = {{.number = number}}};
        struct buffer text = make(fixture, &list, &position);
        for (size_t i = 0; i < text.len; i++) {
            if (text.data[i] == '_') {
                underscores++;
                text.data[i] = (char)0xe9;
                assert_false(is_read(fixture, buffer_slice(&text)));
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
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_false(is_read(fixture, slice_of(cases[i])));
    }
}

static void an_old_key_still_reads(void **state)
{
    struct fixture *fixture = *state;
    struct store_item_list list = list_of("title", false, 0);
    const struct store_position position = {.keys = {{.bytes = SLICE("t")}}};
    struct buffer text = make(fixture, &list, &position);
    struct keys *rotated = keys_create(SLICE("another secret of 32 bytes, or so"),
                                       SLICE("0123456789abcdefghijklmnopqrstuv"));
    struct keys *foreign =
        keys_create(SLICE("another secret of 32 bytes, or so"), (struct slice){0});
    assert_int_equal(cursor_read(rotated, user, buffer_slice(&text), fixture->arena, &list),
                     CURSOR_GOOD);
    assert_int_equal(cursor_read(foreign, user, buffer_slice(&text), fixture->arena, &list),
                     CURSOR_BAD);
    keys_destroy(&rotated);
    keys_destroy(&foreign);
    buffer_finish(&text);
}

/* The head of a cursor of `list`, taken from a whole one, and a key after it. */
static void packed_forms(void **state)
{
    struct fixture *fixture = *state;
    struct store_item_list list = list_of("created_at", false, 0);
    struct buffer text = make(fixture, &list, &(struct store_position){0});
    uint8_t whole[256];
    size_t len = 0;
    struct store_position position;
    assert_int_equal(sodium_base642bin(whole, sizeof whole, text.data, text.len, NULL, &len, NULL,
                                       sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                     0);
    buffer_finish(&text);
    char *bytes = (char *)whole;
    assert_int_equal(
        cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN + 8}, &list, fixture->arena, &position),
        CURSOR_GOOD);
    assert_int_equal(
        cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN + 7}, &list, fixture->arena, &position),
        CURSOR_BAD);
    assert_int_equal(
        cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN + 9}, &list, fixture->arena, &position),
        CURSOR_BAD);
    assert_int_equal(
        cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN}, &list, fixture->arena, &position),
        CURSOR_BAD);
    assert_int_equal(
        cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN - 1}, &list, fixture->arena, &position),
        CURSOR_BAD);
    static const struct {
        size_t at;
        char value;
        enum cursor_verdict verdict;
    } wrong[] = {
        {0, 2, CURSOR_BAD}, {0, 4, CURSOR_BAD}, {1, 9, CURSOR_OTHERS}, {2, 1, CURSOR_BAD},
        {2, 2, CURSOR_BAD}, {2, 8, CURSOR_BAD}, {3, 1, CURSOR_BAD},    {4, 0, CURSOR_OTHERS},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const char kept = bytes[wrong[i].at];
        bytes[wrong[i].at] = wrong[i].at == 4 ? (char)(kept + 1) : wrong[i].value;
        assert_int_equal(cursor_unpack((struct slice){bytes, CURSOR_HEAD_LEN + 8}, &list,
                                       fixture->arena, &position),
                         wrong[i].verdict);
        bytes[wrong[i].at] = kept;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_second_text_for_a_cursor),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(of_another_list),
        cmocka_unit_test(tampering),
        cmocka_unit_test(garbage),
        cmocka_unit_test(an_old_key_still_reads),
        cmocka_unit_test(packed_forms),
    };
    return cmocka_run_group_tests_name("cursor", tests, set_up, tear_down);
}
