// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* What store/history_operations.h promises, against a list of what the thing was. */

#define CHANGES 60

/* What a thing was after each of its changes; `items[0]` is before the first. */
struct past {
    struct uuid space;
    struct uuid id;
    unsigned count; /* of changes */
    enum store_verb verbs[CHANGES + 1];
    struct fixture_item items[CHANGES + 1];
};

static struct past past; /* large for a stack */
static struct arena *kept;

static void remember(struct loop *loop, enum store_verb verb)
{
    const void *item = NULL;
    assert_true(past.count < CHANGES);
    assert_int_equal(get_item(loop, past.space, past.id, &item), ERROR_NONE);
    struct fixture_item *copy = &past.items[++past.count];
    past.verbs[past.count] = verb;
    memcpy(copy, item, fixture_resource->size);
    for (size_t i = 0; i < fixture_resource->count; i++) {
        struct slice *text = (struct slice *)(copy->bytes + fixture_resource->fields[i].at);
        if (field_is_text(fixture_resource->fields[i].type) && text->ptr)
            *text = arena_copy(kept, *text);
    }
}

static unsigned stamps(void)
{
    unsigned mask = 0;
    for (size_t i = 0; i < fixture_resource->count; i++)
        mask |= fixture_resource->fields[i].flags & FIELD_STAMP ? 1U << i : 0;
    return mask;
}

/* The change is the one that the past has: what differs, from what, to what. */
static void assert_change(const struct store_past_change *change, unsigned number)
{
    const void *before = &past.items[number - 1];
    const void *after = &past.items[number];
    assert_int_equal(change->revision, ((const struct item *)after)->revision);
    assert_int_equal(change->verb, past.verbs[number]);
    assert_false(change->is_undo);
    if (number == 1) {
        assert_null(change->from);
        assert_int_equal(change->members & stamps(), 0);
    } else {
        const unsigned differ = resource_differ(fixture_resource, before, after) & ~stamps();
        assert_int_equal(change->members, differ);
        assert_true(differ != 0);
        assert_int_equal(resource_differ(fixture_resource, change->from, before) & differ, 0);
    }
    assert_int_equal(resource_differ(fixture_resource, change->to, after) & change->members, 0);
}

/* Reads all of it in pages of that size. */
static void assert_past(struct loop *loop, unsigned limit)
{
    unsigned left = past.count;
    int64_t before = 0;
    bool more = true;
    while (more) {
        struct store_history op = {.resource = fixture_resource,
                                   .space = past.space,
                                   .id = past.id,
                                   .before = before,
                                   .limit = limit};
        assert_int_equal(LOOP_CALL(loop, history, &op), ERROR_NONE);
        assert_true(op.found);
        assert_int_equal(op.count, left < limit ? left : limit);
        for (unsigned i = 0; i < op.count; i++)
            assert_change(&op.items[i], left--);
        more = op.more;
        assert_int_equal(more, left > 0);
        before = op.count > 0 ? op.items[op.count - 1].revision : 0;
        arena_reset(loop->arena);
    }
    assert_int_equal(left, 0);
}

/* Any member changes to any value, and between them other things change. */
static void make_past(struct loop *loop)
{
    const unsigned members = fixture_settable();
    struct item made = make_item(loop, past.space, 0, TEST_NOW);
    past.id = made.id;
    remember(loop, STORE_CREATE);
    for (unsigned i = 1; i < CHANGES; i++) {
        struct write write = write_of(STORE_UPDATE, past.space, past.id, TEST_NOW + i);
        sample_item(&write.values, i * 7 + i / 5);
        write.op.set = i % 9 == 0 ? members : members & (0x5a5a5a5aU >> i % 7);
        if (i % 9 == 0)
            write.op.verb = STORE_REPLACE;
        if (i % 4 == 1)
            (void)make_item(loop, past.space, i, TEST_NOW);
        assert_int_equal(write_outcome(loop, &write), STORE_UPDATED);
        if (write.op.revision > ((struct item *)(void *)&past.items[past.count])->revision)
            remember(loop, write.op.verb);
        arena_reset(loop->arena);
    }
    assert_true(past.count > CHANGES / 2);
}

static void test_what_was_done(void **state)
{
    struct loop loop;
    memset(&past, 0, sizeof past);
    kept = arena_create((size_t)64 * 1024 * 1024);
    assert_non_null(kept);
    past.space = contract_open_with_user(state, &loop);
    make_past(&loop);
    for (unsigned limit = 1; limit <= STORE_HISTORY_MOST; limit += limit < 8 ? 3 : 31)
        assert_past(&loop, limit);
    loop_close(&loop);
    arena_destroy(&kept);
}

/* Nobody else's; nor what never was. */
static void test_what_is_not_there(void **state)
{
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid bob = make_user(&loop, "bob");
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);
    const struct {
        struct uuid space;
        struct uuid id;
        bool found;
    } cases[] = {{ann, made.id, true},
                 {bob, made.id, false},
                 {ann, uuid_make_v7(), false},
                 {uuid_make_v7(), made.id, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct store_history op = {
            .resource = fixture_resource, .space = cases[i].space, .id = cases[i].id, .limit = 1};
        assert_int_equal(LOOP_CALL(&loop, history, &op), ERROR_NONE);
        assert_int_equal(op.found, cases[i].found);
        assert_int_equal(op.count, cases[i].found);
        assert_false(op.more);
    }
    loop_close(&loop);
}

static void assert_maker(struct loop *loop, struct uuid space, struct uuid id, struct uuid maker,
                         const char *name)
{
    struct store_history op = {.resource = fixture_resource, .space = space, .id = id, .limit = 1};
    assert_int_equal(LOOP_CALL(loop, history, &op), ERROR_NONE);
    assert_int_equal(op.count, 1);
    assert_true(uuid_eq(op.items[0].by.id, maker));
    assert_false(op.items[0].by.is_token);
    assert_true(slice_eq(op.items[0].by.name, slice_of(name)));
    arena_reset(loop->arena);
}

/* A session still tells who made a change when it has ended; with the account that is forgotten. */
static void test_who_did_it(void **state)
{
    struct contract_state *contract = *state;
    struct loop loop;
    const struct uuid ann = contract_open_with_user(state, &loop);
    struct store_session_create login = session_of(ann, "192.0.2.1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write.op.actor = login.session.id;
    const struct uuid id = write.op.id;
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    arena_reset(loop.arena);
    assert_maker(&loop, ann, id, login.session.id, "curl");
    struct store_session_end end = {.user = ann, .id = login.session.id};
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NONE);
    assert_maker(&loop, ann, id, login.session.id, "curl");
    assert_int_equal(contract->contract->number("SELECT count(*) FROM actors"), 1);
    struct store_user_delete erase = {.id = ann, .verified_hash = TEST_HASH};
    assert_int_equal(LOOP_CALL(&loop, user_delete, &erase), ERROR_NONE);
    assert_int_equal(contract->contract->number("SELECT count(*) FROM actors"), 0);
    loop_close(&loop);
}

int store_contract_history(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_what_was_done),
        CONTRACT_TEST(test_what_is_not_there),
        CONTRACT_TEST(test_who_did_it),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
