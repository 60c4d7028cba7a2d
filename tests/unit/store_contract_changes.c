// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* What store/change_operations.h promises. */

#define GIVEN_MOST 600

struct given {
    struct uuid id;
    int64_t revision;
    int64_t at;
    bool deleted;
};

struct feed {
    struct store_changes op;
    struct given list[GIVEN_MOST];
    unsigned count;
    unsigned room; /* changes that the page has room for; 0: any number */
    unsigned begun;
    bool refuse;
};

static bool on_begin(struct store_changes *op)
{
    struct feed *feed = (struct feed *)op;
    feed->begun++;
    feed->count = 0;
    return !feed->refuse;
}

static bool on_each(struct store_changes *op, const struct store_change *change)
{
    struct feed *feed = (struct feed *)op;
    const struct item *item = change->item;
    assert_true(feed->begun > 0 && feed->count < op->limit && feed->count < GIVEN_MOST);
    assert_ptr_equal(change->resource, fixture_resource);
    if (feed->room > 0 && feed->count == feed->room)
        return false;
    if (item) {
        assert_true(uuid_eq(item->id, change->id));
        assert_int_equal(item->revision, change->revision);
        assert_int_equal(item->updated_at, change->at);
    }
    feed->list[feed->count++] =
        (struct given){change->id, change->revision, change->at, item == NULL};
    return true;
}

static struct feed feed_of(struct uuid space, unsigned limit)
{
    return (struct feed){
        .op = {.space = space, .limit = limit, .begin = on_begin, .each = on_each}};
}

/* Reads the page after the last one. */
static void read_page(struct loop *loop, struct feed *feed)
{
    feed->begun = 0;
    feed->count = 0;
    assert_int_equal(LOOP_CALL(loop, changes, &feed->op), ERROR_NONE);
    arena_reset(loop->arena);
    if (feed->op.gone)
        return;
    assert_true(feed->begun > 0);
    assert_true(feed->op.next.from == STORE_CHANGES_AFTER || feed->op.more);
    assert_int_equal(feed->op.more, feed->op.next.from == STORE_CHANGES_WALKING ||
                                        feed->op.next.revision < feed->op.revision);
}

static void read_next(struct loop *loop, struct feed *feed)
{
    feed->op.after = feed->op.next;
    read_page(loop, feed);
}

/* What a client holds that applied the changes. */
struct held {
    struct given list[GIVEN_MOST];
    unsigned count;
};

static void apply(struct held *held, const struct given *given)
{
    unsigned place = 0;
    while (place < held->count && !uuid_eq(held->list[place].id, given->id))
        place++;
    if (given->deleted && place < held->count)
        held->list[place] = held->list[--held->count];
    else if (!given->deleted)
        held->list[place] = *given;
    held->count += !given->deleted && place == held->count;
}

/* Applies pages from feed->op.after on until there is no more. Returns how many changes came. */
static unsigned follow(struct loop *loop, struct feed *feed, struct held *held)
{
    unsigned came = 0;
    for (bool more = true; more; feed->op.after = feed->op.next) {
        read_page(loop, feed);
        assert_false(feed->op.gone);
        for (unsigned i = 0; i < feed->count; i++)
            apply(held, &feed->list[i]);
        came += feed->count;
        more = feed->op.more;
    }
    return came;
}

struct rows {
    struct store_item_list op;
    const struct held *held;
    unsigned count;
};

static bool is_held(struct store_item_list *op, const void *row)
{
    struct rows *rows = (struct rows *)op;
    const struct item *item = row;
    unsigned place = 0;
    while (place < rows->held->count && !uuid_eq(rows->held->list[place].id, item->id))
        place++;
    assert_true(place < rows->held->count);
    assert_int_equal(rows->held->list[place].revision, item->revision);
    rows->count++;
    return true;
}

/* Is it exactly what a list answers? The spaces of these tests have one page of items. */
static void assert_held(struct loop *loop, struct uuid space, const struct held *held)
{
    const struct field *sort = resource_field(fixture_resource, SLICE("created_at"));
    struct rows rows = {.op = {.resource = fixture_resource,
                               .space = space,
                               .orders = {{.field = sort}},
                               .order_count = 1,
                               .limit = STORE_LIMIT_MOST,
                               .each = is_held},
                        .held = held};
    assert_int_equal(LOOP_CALL(loop, item_list, &rows.op), ERROR_NONE);
    assert_false(rows.op.more);
    assert_int_equal(rows.count, held->count);
    arena_reset(loop->arena);
}

static void change_item(struct loop *loop, struct uuid space, struct uuid id, unsigned number)
{
    struct write write = patch_of(space, id, first_member(), number, TEST_NOW + number);
    assert_int_equal(write_outcome(loop, &write), STORE_UPDATED);
}

static void delete_item(struct loop *loop, struct uuid space, struct uuid id)
{
    struct write write = write_of(STORE_DELETE, space, id, TEST_NOW + 77);
    assert_int_equal(write_outcome(loop, &write), STORE_DELETED);
}

/* Ids of both kinds: those that tell when the item was made, and others. */
#define ITEMS 12
static void make_items(struct loop *loop, struct uuid space, struct uuid ids[ITEMS])
{
    for (unsigned i = 0; i < ITEMS; i++) {
        struct write write = write_of(STORE_CREATE, space, uuid_make_v7(), TEST_NOW + i / 3);
        if (i % 2)
            write.op.now = uuid_time_ms(write.op.id);
        sample_item(&write.values, i);
        assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
        ids[i] = write.op.id;
        arena_reset(loop->arena);
    }
}

static void test_walk_in_pages(void **state)
{
    struct loop loop;
    struct uuid ids[ITEMS];
    static struct held held;
    static struct feed feed;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    feed = feed_of(ann, 5);
    held.count = 0;
    assert_int_equal(follow(&loop, &feed, &held), 0); /* nothing there is */
    assert_int_equal(feed.op.next.revision, 0);
    (void)make_item(&loop, bob, 0, TEST_NOW);
    make_items(&loop, ann, ids);
    assert_int_equal(follow(&loop, &feed, &held), ITEMS);
    assert_held(&loop, ann, &held);
    delete_item(&loop, ann, ids[3]);
    for (unsigned limit = 1; limit <= STORE_CHANGES_MOST; limit += limit < ITEMS + 2 ? 1 : 243) {
        feed = feed_of(ann, limit);
        held.count = 0;
        assert_int_equal(follow(&loop, &feed, &held),
                         ITEMS - 1); /* what is deleted does not come */
        assert_held(&loop, ann, &held);
        assert_int_equal(feed.op.next.from, STORE_CHANGES_AFTER);
        assert_int_equal(feed.op.next.revision, ITEMS + 1);
        read_next(&loop, &feed);
        assert_int_equal(feed.count, 0);
        assert_false(feed.op.more);
        assert_int_equal(feed.op.next.revision, ITEMS + 1);
        assert_int_equal(feed.op.revision, ITEMS + 1);
    }
    loop_close(&loop);
}

/* Each change comes where the last of its item stands, in their order. */
static void test_follow(void **state)
{
    struct loop loop;
    struct uuid ids[ITEMS];
    static struct feed feed;
    struct uuid ann = contract_open_with_user(state, &loop);
    feed = feed_of(ann, 100);
    feed.op.after = (struct store_changes_place){.from = STORE_CHANGES_FROM_NOW};
    read_page(&loop, &feed);
    assert_int_equal(feed.op.next.from, STORE_CHANGES_AFTER);
    const struct store_changes_place begin = feed.op.next;
    make_items(&loop, ann, ids);        /* 1 to 12 */
    change_item(&loop, ann, ids[0], 1); /* 13 */
    delete_item(&loop, ann, ids[1]);    /* 14 */
    change_item(&loop, ann, ids[2], 1); /* 15 */
    change_item(&loop, ann, ids[2], 2); /* 16 */
    delete_item(&loop, ann, ids[4]);    /* 17 */
    struct write again = write_of(STORE_REPLACE, ann, ids[4], TEST_NOW + 5);
    assert_int_equal(write_outcome(&loop, &again), STORE_CREATED); /* 18 */
    struct write brief = write_of(STORE_REPLACE, ann, ids[1], TEST_NOW + 6);
    assert_int_equal(write_outcome(&loop, &brief), STORE_CREATED); /* 19 */
    delete_item(&loop, ann, ids[1]);                               /* 20 */
    static const int64_t expected[] = {4, 6, 7, 8, 9, 10, 11, 12, 13, 16, 18, 20};
    for (unsigned limit = 1; limit <= ITEMS; limit++) {
        unsigned seen = 0;
        feed = feed_of(ann, limit);
        feed.op.next = begin;
        do {
            read_next(&loop, &feed);
            assert_in_range(feed.count, 1, limit);
            for (unsigned i = 0; i < feed.count; i++, seen++) {
                assert_true(seen < 12);
                assert_int_equal(feed.list[i].revision, expected[seen]);
                assert_int_equal(feed.list[i].deleted, expected[seen] == 20);
            }
        } while (feed.op.more);
        assert_int_equal(seen, 12);
        assert_int_equal(feed.op.next.revision, 20);
    }
    assert_true(uuid_eq(feed.list[feed.count - 1].id, ids[1]));
    assert_int_equal(feed.list[feed.count - 1].at, TEST_NOW + 77);
    loop_close(&loop);
}

/* What changes while somebody walks comes after the walk, if not in it. */
static void test_changes_during_the_walk(void **state)
{
    struct loop loop;
    struct uuid ids[ITEMS];
    static struct held held;
    static struct feed feed;
    struct uuid ann = contract_open_with_user(state, &loop);
    make_items(&loop, ann, ids);
    for (unsigned limit = 1; limit < 5; limit++) {
        unsigned step = 0;
        feed = feed_of(ann, limit);
        held.count = 0;
        for (bool more = true; more; feed.op.after = feed.op.next) {
            read_page(&loop, &feed);
            for (unsigned i = 0; i < feed.count; i++)
                apply(&held, &feed.list[i]);
            more = feed.op.more;
            if (++step > 4)
                continue;
            change_item(&loop, ann, ids[step % ITEMS], step + limit);
            delete_item(&loop, ann, make_item(&loop, ann, step, TEST_NOW - step).id);
            delete_item(&loop, ann, ids[ITEMS - step]);
            struct write write = write_of(STORE_REPLACE, ann, ids[ITEMS - step], TEST_NOW + step);
            assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
            (void)make_item(&loop, ann, step, TEST_NOW - step);
            arena_reset(loop.arena);
            more = true;
        }
        assert_held(&loop, ann, &held);
    }
    loop_close(&loop);
}

static void test_room_and_refusal(void **state)
{
    struct loop loop;
    struct uuid ids[ITEMS];
    static struct held held;
    static struct feed feed;
    struct uuid ann = contract_open_with_user(state, &loop);
    make_items(&loop, ann, ids);
    for (unsigned room = 1; room < 4; room++) {
        feed = feed_of(ann, 100);
        feed.room = room;
        held.count = 0;
        assert_int_equal(follow(&loop, &feed, &held), ITEMS);
        assert_held(&loop, ann, &held);
        feed.op.after = (struct store_changes_place){.from = STORE_CHANGES_AFTER};
        assert_int_equal(follow(&loop, &feed, &held), ITEMS);
        assert_held(&loop, ann, &held);
    }
    for (unsigned doubtful = 0; doubtful < 2; doubtful++) {
        feed = feed_of(ann, 100);
        feed.op.doubtful = doubtful > 0;
        feed.op.next = (struct store_changes_place){.from = STORE_CHANGES_AFTER, .revision = 3};
        read_next(&loop, &feed);
        assert_int_equal(feed.count, ITEMS - 3);
        feed.refuse = true;
        feed.begun = 0;
        feed.op.after.revision = 3;
        assert_int_equal(LOOP_CALL(&loop, changes, &feed.op), ERROR_NONE);
        assert_int_equal(feed.begun, 1);
        assert_int_equal(feed.count, 0);
        assert_int_equal(feed.op.revision, ITEMS);
        feed.op.after.from = STORE_CHANGES_FROM_START;
        feed.refuse = false;
        read_page(&loop, &feed);
        assert_int_equal(feed.count, ITEMS);
    }
    loop_close(&loop);
}

/* A page looks at so many rows of the journal and no more, whatever comes of them. */
static void test_many_changes_of_one_item(void **state)
{
    struct loop loop;
    static struct feed feed;
    static struct write writes[CONTRACT_QUEUE_MOST / 2];
    const unsigned each = CONTRACT_QUEUE_MOST / 2;
    int64_t made = 1; /* the last revision */
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct item item = make_item(&loop, ann, 0, TEST_NOW);
    /* On a machine with other work some of so many may come too late, and are not made. */
    for (unsigned round = 0; made <= 2 * STORE_CHANGES_SCAN_MOST; round++) {
        assert_in_range(round, 0, 100);
        for (unsigned i = 0; i < each; i++) {
            writes[i] = patch_of(ann, item.id, first_member(), i + 1, TEST_NOW + made);
            write_begin(&loop, &writes[i]);
        }
        loop_finish(&loop);
        for (unsigned i = 0; i < each; i++) {
            if (writes[i].op.op.result == ERROR_NONE && writes[i].op.revision > made)
                made = writes[i].op.revision;
        }
        arena_reset(loop.arena);
    }
    feed = feed_of(ann, STORE_CHANGES_MOST);
    feed.op.next = (struct store_changes_place){.from = STORE_CHANGES_AFTER};
    for (unsigned page = 1; page <= 2; page++) {
        read_next(&loop, &feed);
        assert_int_equal(feed.count, 0);
        assert_int_equal(feed.op.next.revision, page * STORE_CHANGES_SCAN_MOST);
        assert_true(feed.op.more);
    }
    read_next(&loop, &feed);
    assert_int_equal(feed.count, 1);
    assert_int_equal(feed.list[0].revision, made);
    assert_false(feed.op.more);
    loop_close(&loop);
}

static void test_large_texts(void **state)
{
    struct loop loop;
    static char text[65536];
    static struct held held;
    static struct feed feed;
    const struct field *field = long_text();
    struct uuid ann = contract_open_with_user(state, &loop);
    const size_t len = field->most < sizeof text ? field->most : sizeof text;
    const unsigned count = (unsigned)(3 * STORE_PAGE_BYTES / len);
    if (count > STORE_LIMIT_MOST) { /* this resource's texts are too short for that */
        loop_close(&loop);
        return;
    }
    memset(text, 'x', len);
    for (unsigned i = 0; i < count; i++) {
        struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
        assert_true(field_set(field, &write.values, &(struct field_value){.bytes = {text, len}}));
        assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
        arena_reset(loop.arena);
    }
    for (unsigned journal = 0; journal < 2; journal++) {
        feed = feed_of(ann, STORE_CHANGES_MOST);
        if (journal)
            feed.op.after.from = STORE_CHANGES_AFTER;
        held.count = 0;
        read_page(&loop, &feed);
        assert_in_range(feed.count * len, STORE_PAGE_BYTES / 2, STORE_PAGE_BYTES + len);
        assert_true(feed.op.more);
        assert_int_equal(follow(&loop, &feed, &held), count);
        assert_int_equal(held.count, count);
    }
    loop_close(&loop);
}

static bool is_gone(struct loop *loop, struct feed *feed, enum store_changes_from from,
                    int64_t revision)
{
    feed->op.after = (struct store_changes_place){
        .from = from, .revision = revision, .resource = fixture_resource};
    read_page(loop, feed);
    assert_true(!feed->op.gone || feed->begun == 0);
    return feed->op.gone;
}

static void test_gone(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ids[ITEMS];
    static struct feed feed;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    make_items(&loop, ann, ids);
    feed = feed_of(ann, 100);
    for (unsigned walking = 0; walking < 2; walking++) {
        const enum store_changes_from from = walking ? STORE_CHANGES_WALKING : STORE_CHANGES_AFTER;
        assert_false(is_gone(&loop, &feed, from, 0));
        assert_false(is_gone(&loop, &feed, from, ITEMS));
        assert_true(is_gone(&loop, &feed, from, ITEMS + 1));
        assert_int_equal(feed.count, 0);
    }
    (void)state->contract->number("UPDATE spaces SET forgotten = 4 RETURNING 1");
    for (unsigned doubtful = 0; doubtful < 2; doubtful++) {
        feed.op.doubtful = doubtful > 0;
        assert_true(is_gone(&loop, &feed, STORE_CHANGES_AFTER, 3));
        assert_true(is_gone(&loop, &feed, STORE_CHANGES_WALKING, 3));
        assert_false(is_gone(&loop, &feed, STORE_CHANGES_AFTER, 4));
        assert_false(is_gone(&loop, &feed, STORE_CHANGES_WALKING, 4));
        assert_false(is_gone(&loop, &feed, STORE_CHANGES_FROM_START, 0));
        assert_int_equal(feed.count, ITEMS);
        assert_false(is_gone(&loop, &feed, STORE_CHANGES_FROM_NOW, 0));
        assert_int_equal(feed.op.next.revision, ITEMS);
    }
    feed = feed_of(uuid_make_v7(), 100); /* a space that is not there */
    assert_false(is_gone(&loop, &feed, STORE_CHANGES_FROM_START, 0));
    assert_int_equal(feed.op.revision, 0);
    assert_false(feed.op.more);
    assert_true(is_gone(&loop, &feed, STORE_CHANGES_AFTER, 1));
    loop_close(&loop);
}

int store_contract_changes(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_walk_in_pages),
        CONTRACT_TEST(test_follow),
        CONTRACT_TEST(test_changes_during_the_walk),
        CONTRACT_TEST(test_room_and_refusal),
        CONTRACT_TEST(test_many_changes_of_one_item),
        CONTRACT_TEST(test_large_texts),
        CONTRACT_TEST(test_gone),
    };
    return cmocka_run_group_tests_name("store contract: changes", tests, NULL, NULL);
}
