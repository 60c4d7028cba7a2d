// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/cursor.h"
#include "api/feed.h"
#include "model/task.h"

#include <sodium.h>

static const struct uuid user = {{1, 2, 3}};
static const struct uuid other = {{1, 2, 4}};
static const struct uuid epoch = {{9, 9}};

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

static struct store_changes_place places(unsigned number)
{
    const struct store_changes_place list[] = {
        {.from = STORE_CHANGES_AFTER},
        {.from = STORE_CHANGES_AFTER, .revision = INT64_MAX},
        {.from = STORE_CHANGES_WALKING,
         .revision = 42,
         .resource = &task_resource,
         .created_at = INT64_MIN,
         .id = {{0xff, 1}}},
        {.from = STORE_CHANGES_WALKING,
         .revision = INT64_MAX,
         .resource = &task_resource,
         .created_at = INT64_MAX,
         .id = {{0}}},
    };
    return list[number];
}
#define PLACES 4

static struct buffer make(const struct fixture *fixture, const struct store_changes_place *place)
{
    struct buffer out;
    buffer_init(&out, FEED_CURSOR_MOST);
    feed_cursor_make(fixture->keys, epoch, user, place, &out);
    assert_false(out.failed);
    return out;
}

static void round_trip(void **state)
{
    const struct fixture *fixture = *state;
    for (unsigned i = 0; i < PLACES; i++) {
        const struct store_changes_place place = places(i);
        struct store_changes_place back;
        struct buffer text = make(fixture, &place);
        struct buffer again = make(fixture, &place);
        assert_true(slice_eq(buffer_slice(&text), buffer_slice(&again)));
        assert_int_equal(feed_cursor_read(fixture->keys, epoch, user, buffer_slice(&text), &back),
                         FEED_CURSOR_GOOD);
        assert_int_equal(back.from, place.from);
        assert_int_equal(back.revision, place.revision);
        assert_ptr_equal(back.resource, place.resource);
        assert_int_equal(back.created_at, place.created_at);
        assert_true(uuid_eq(back.id, place.id));
        buffer_finish(&text);
        buffer_finish(&again);
    }
}

static void bound_to_user_and_epoch(void **state)
{
    const struct fixture *fixture = *state;
    for (unsigned i = 0; i < PLACES; i++) {
        const struct store_changes_place place = places(i);
        struct store_changes_place back;
        struct buffer text = make(fixture, &place);
        const struct slice slice = buffer_slice(&text);
        assert_int_equal(feed_cursor_read(fixture->keys, epoch, other, slice, &back),
                         FEED_CURSOR_BAD);
        assert_int_equal(feed_cursor_read(fixture->keys, other, user, slice, &back),
                         FEED_CURSOR_GONE);
        buffer_finish(&text);
    }
}

/* No character of it can be another one, and none can be missing or too many. */
static void tampered(void **state)
{
    const struct fixture *fixture = *state;
    const struct store_changes_place place = places(2);
    struct store_changes_place back;
    struct buffer text = make(fixture, &place);
    for (size_t i = 0; i < text.len; i++) {
        const char was = text.data[i];
        text.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(feed_cursor_read(fixture->keys, epoch, user, buffer_slice(&text), &back),
                         FEED_CURSOR_BAD);
        text.data[i] = was;
        assert_int_equal(
            feed_cursor_read(fixture->keys, epoch, user, (struct slice){text.data, i}, &back),
            FEED_CURSOR_BAD);
    }
    buffer_add_char(&text, 'A');
    assert_int_equal(feed_cursor_read(fixture->keys, epoch, user, buffer_slice(&text), &back),
                     FEED_CURSOR_BAD);
    buffer_finish(&text);
}

/* A place of another form, kind or version. */
static void malformed(void **state)
{
    const struct store_changes_place place = places(2);
    uint8_t packed[FEED_PACKED_MOST];
    struct store_changes_place back;
    (void)state;
    const size_t len = feed_cursor_pack(epoch, &place, packed);
    const struct slice whole = {(const char *)packed, len};
    static const struct {
        size_t at;
        uint8_t value;
    } wrong[] = {{0, 3}, {1, 0}, {1, 2}, {1, 3}, {18, 0x80}, {26, 0}, {26, 255}};
    assert_int_equal(feed_cursor_unpack(whole, epoch, &back), FEED_CURSOR_GOOD);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const uint8_t was = packed[wrong[i].at];
        packed[wrong[i].at] = wrong[i].value;
        assert_int_equal(feed_cursor_unpack(whole, epoch, &back), FEED_CURSOR_BAD);
        packed[wrong[i].at] = was;
    }
    for (size_t i = 0; i < len; i++)
        assert_int_equal(feed_cursor_unpack((struct slice){whole.ptr, i}, epoch, &back),
                         FEED_CURSOR_BAD);
}

/* Neither is taken for the other. */
static void cursors_of_lists(void **state)
{
    const struct fixture *fixture = *state;
    struct store_item_list list = {
        .resource = &task_resource,
        .orders = {{.field = resource_field(&task_resource, SLICE("created_at"))}},
        .order_count = 1};
    const struct store_position position = {.keys = {{.number = 1}}};
    const struct store_changes_place place = places(0);
    struct store_changes_place back;
    struct slice after;
    struct buffer of_list;
    struct buffer of_feed = make(fixture, &place);
    buffer_init(&of_list, 8192);
    cursor_make(fixture->keys, user, &list, 0, &position, &of_list);
    assert_int_equal(feed_cursor_read(fixture->keys, epoch, user, buffer_slice(&of_list), &back),
                     FEED_CURSOR_BAD);
    assert_int_equal(
        cursor_read(fixture->keys, user, buffer_slice(&of_feed), fixture->arena, &list),
        CURSOR_BAD);
    assert_false(
        cursor_read_label(fixture->keys, user, buffer_slice(&of_feed), fixture->arena, &after));
    buffer_finish(&of_list);
    buffer_finish(&of_feed);
}

static void gone(void **state)
{
    static const struct {
        int64_t seconds;
        const char *words;
    } kept[] = {{2592000, "(30 days)"},
                {86400, "(1 day)"},
                {5400, "(90 minutes)"},
                {3600, "(1 hour)"},
                {61, "(61 seconds)"}};
    (void)state;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        struct buffer text;
        buffer_init(&text, 512);
        feed_add_gone(&text, kept[i].seconds);
        buffer_add_char(&text, '\0');
        assert_false(text.failed);
        assert_non_null(strstr(text.data, kept[i].words));
        buffer_finish(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),       cmocka_unit_test(bound_to_user_and_epoch),
        cmocka_unit_test(tampered),         cmocka_unit_test(malformed),
        cmocka_unit_test(cursors_of_lists), cmocka_unit_test(gone),
    };
    return cmocka_run_group_tests_name("api: feed", tests, set_up, tear_down);
}
