// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "model/position.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* Places among siblings, against a model that is an array. */

#define SIBLINGS       12
#define MOVES          100000
#define MOVES_FEW      4000 /* where each is a transaction on a server */
#define MOVES_INTO_GAP 3000 /* at least: about 1,000 of them fill a key */
#define BATCH          200  /* that are on their way at once */
#define POSITION_SHORT 64   /* bytes of a key that one-sided moves leave, whatever their number */

/* The items of the test, and their order: numbers of items. */
struct model {
    struct loop *loop;
    struct uuid space;
    struct uuid ids[SIBLINGS];
    unsigned order[SIBLINGS];
    int64_t changes; /* moves that were to another place */
    int64_t now;
    struct write writes[BATCH];
    unsigned count; /* that are on their way */
};

static unsigned place_of(const struct model *model, unsigned item)
{
    unsigned place = 0;
    while (model->order[place] != item)
        place++;
    return place;
}

/* The item goes to a place; those between make room. */
static void model_move(struct model *model, unsigned item, unsigned to)
{
    const unsigned from = place_of(model, item);
    model->changes += from != to;
    for (unsigned i = from; i < to; i++)
        model->order[i] = model->order[i + 1];
    for (unsigned i = from; i > to; i--)
        model->order[i] = model->order[i - 1];
    model->order[to] = item;
}

/* Where that is, once the item has been taken out of its place. */
static unsigned goal_of(const struct model *model, unsigned item, enum store_place_kind kind,
                        unsigned neighbour)
{
    const unsigned from = place_of(model, item);
    const unsigned beside = place_of(model, neighbour);
    switch (kind) {
    case STORE_PLACE_FIRST: return 0;
    case STORE_PLACE_LAST: return SIBLINGS - 1;
    case STORE_PLACE_AFTER: return beside + (from < beside ? 0 : 1);
    case STORE_PLACE_BEFORE: return beside - (from < beside ? 1 : 0);
    }
    return 0;
}

static struct slice position_of(const void *item)
{
    const struct field *field = resource_field(fixture_resource, SLICE("position"));
    return field_get(field, item).bytes;
}

static int compare(struct slice a, struct slice b)
{
    const int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* What is on its way is made, and the order is that of the model. Returns the longest key. */
static size_t settle(struct model *model)
{
    struct slice last = {0};
    size_t longest = 0;
    loop_finish(model->loop);
    for (unsigned i = 0; i < model->count; i++) {
        assert_int_equal(model->writes[i].op.op.result, ERROR_NONE);
        assert_int_equal(model->writes[i].op.outcome, STORE_UPDATED);
    }
    model->count = 0;
    for (unsigned i = 0; i < SIBLINGS; i++) {
        const void *item = NULL;
        const struct uuid id = model->ids[model->order[i]];
        assert_int_equal(get_item(model->loop, model->space, id, &item), ERROR_NONE);
        const struct slice position = position_of(item);
        assert_true(position_is_valid(position));
        assert_true(!last.ptr || compare(last, position) < 0);
        longest = position.len > longest ? position.len : longest;
        last = position;
    }
    return longest;
}

static void move(struct model *model, unsigned item, enum store_place_kind kind, unsigned neighbour)
{
    struct write *write = &model->writes[model->count++];
    *write = write_of(STORE_MOVE, model->space, model->ids[item], model->now++);
    write->op.set = 0;
    write->op.place = (struct store_place){kind, model->ids[neighbour]};
    write_begin(model->loop, write);
    model_move(model, item, goal_of(model, item, kind, neighbour));
}

static void set_up_model(void **state, struct model *model, struct loop *loop)
{
    memset(model, 0, sizeof *model);
    model->loop = loop;
    model->space = contract_open_with_user(state, loop);
    model->now = TEST_NOW;
    for (unsigned i = 0; i < SIBLINGS; i++) {
        model->ids[i] = make_item(loop, model->space, i, model->now++).id;
        model->order[i] = i;
    }
    (void)settle(model);
}

static int64_t moves_of(void **state)
{
    const struct contract_state *contract = *state;
    return contract->contract->engine->shared ? MOVES_FEW : MOVES;
}

static void assert_counted(void **state, const struct model *model, bool all)
{
    const struct contract_state *contract = *state;
    const int64_t revision = contract->contract->number("SELECT revision FROM spaces");
    assert_int_equal(contract->contract->number(contract->contract->drift), 0);
    assert_int_equal(contract->contract->number("SELECT count(*) FROM journal"), revision);
    if (all)
        assert_int_equal(revision, SIBLINGS + model->changes);
    else
        assert_true(revision > SIBLINGS + model->changes);
}

static struct model model; /* large for a stack */

/* Each changes the one that moves and no other, however many there were. */
static void test_one_sided_moves(void **state)
{
    static const enum store_place_kind kinds[] = {STORE_PLACE_FIRST, STORE_PLACE_LAST,
                                                  STORE_PLACE_AFTER, STORE_PLACE_BEFORE};
    struct loop loop;
    set_up_model(state, &model, &loop);
    const int64_t most = moves_of(state) / 5;
    for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (int64_t i = 0; i < most; i++) {
            move(&model, 1 + (unsigned)(i * 5 % (SIBLINGS - 1)), kinds[k], 0);
            if (model.count == BATCH || i + 1 == most) {
                assert_in_range(settle(&model), 1, POSITION_SHORT);
                arena_reset(loop.arena);
            }
        }
    }
    assert_counted(state, &model, true);
    loop_close(&loop);
}

/* Always between the last two, on either side by chance, until all get new keys: again and again.
 */
static void test_moves_into_the_smaller_gap(void **state)
{
    struct loop loop;
    uint32_t seed = 7;
    unsigned low = 3;
    unsigned high = 4;
    unsigned spare = 5;
    size_t longest = 0;
    set_up_model(state, &model, &loop);
    const int64_t share = moves_of(state) / 5;
    const int64_t most = share > MOVES_INTO_GAP ? share : MOVES_INTO_GAP;
    for (int64_t i = 0; i < most; i++) {
        move(&model, spare, STORE_PLACE_AFTER, low);
        const unsigned moved = spare;
        seed = seed * 1664525U + 1013904223U;
        spare = seed >> 31 ? low : high;
        low = seed >> 31 ? moved : low;
        high = seed >> 31 ? high : moved;
        if (model.count == BATCH || i + 1 == most) {
            const size_t length = settle(&model);
            longest = length > longest ? length : longest;
            arena_reset(loop.arena);
        }
    }
    assert_in_range(longest, POSITION_SHORT, POSITION_MOST);
    assert_counted(state, &model, false);
    loop_close(&loop);
}

static void test_what_is_no_sibling(void **state)
{
    struct loop loop;
    set_up_model(state, &model, &loop);
    struct write write = write_of(STORE_MOVE, model.space, model.ids[0], TEST_NOW);
    write.op.set = 0;
    write.op.place = (struct store_place){STORE_PLACE_AFTER, uuid_make_v7()};
    assert_int_equal(write_run(&loop, &write), ERROR_NOT_SIBLING);
    write.op.place.neighbour = model.ids[0];
    assert_int_equal(write_run(&loop, &write), ERROR_NOT_SIBLING);
    write = write_of(STORE_MOVE, model.space, uuid_make_v7(), TEST_NOW);
    write.op.set = 0;
    assert_int_equal(write_outcome(&loop, &write), STORE_NOT_FOUND);
    (void)settle(&model);
    assert_counted(state, &model, true);
    loop_close(&loop);
}

int store_contract_moves(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_one_sided_moves),
        CONTRACT_TEST(test_moves_into_the_smaller_gap),
        CONTRACT_TEST(test_what_is_no_sibling),
    };
    /* A resource of the synthetic build has no order of its own. */
    if (!resource_field(fixture_resource, SLICE("position")))
        return 0;
    return cmocka_run_group_tests_name("store: moves", tests, NULL, NULL);
}
