// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/task_list.h"
#include "store/decision.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_create(1 << 20);
    return arena ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

/* ---- its members ---- */

/* The code of the one thing that is wrong; NULL: nothing. */
static const char *read(const char *body, struct task_list *list)
{
    struct json_reader reader;
    char why[JSON_READER_WHY];
    resource_clear(&list_resource, list);
    struct field_reading *reading = arena_new(arena, struct field_reading);
    assert_non_null(reading);
    reading->fields = list_resource.fields;
    reading->count = list_resource.count;
    reading->arena = arena;
    reading->input = list;
    assert_int_equal(json_reader_init(&reader, slice_of(body), JSON_TOKENS, why), JSON_READ_OK);
    assert_true(field_read(reading, &reader));
    json_reader_finish(&reader);
    assert_in_range(reading->errors.count, 0, 1);
    return reading->errors.count > 0 ? reading->errors.list[0].code : NULL;
}

static void colours_become_lower_case(void **state)
{
    static const struct {
        const char *body;
        const char *color; /* NULL: null */
    } cases[] = {
        {"{\"name\":\"a\",\"color\":\"#3584E4\"}", "#3584e4"},
        {"{\"name\":\"a\",\"color\":\"#AbCdEf\"}", "#abcdef"},
        {"{\"name\":\"a\",\"color\":\"#000000\"}", "#000000"},
        {"{\"name\":\"a\",\"color\":null}", NULL},
        {"{\"name\":\"a\"}", NULL},
    };
    struct task_list list;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_null(read(cases[i].body, &list));
        if (cases[i].color)
            assert_true(slice_eq(list.color, slice_of(cases[i].color)));
        else
            assert_null(list.color.ptr);
        assert_int_equal(list.archived, 0);
        assert_true(slice_eq(list.metadata, SLICE("{}")));
    }
}

static void what_is_no_colour_is_refused(void **state)
{
    static const struct {
        const char *color;
        const char *code;
    } cases[] = {
        {"", "too_short"},          {"#", "color"},           {"#3584e", "color"},
        {"3584e4a", "color"},       {"#3584eg", "color"},     {"#3584 4", "color"},
        {"#3584\xc3\xa9", "color"}, {"#3584e4f", "too_long"}, {"red", "color"},
    };
    struct task_list list;
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"name\":\"a\",\"color\":\"%s\"}", cases[i].color);
        const char *code = read(body, &list);
        assert_non_null(code);
        assert_string_equal(code, cases[i].code);
    }
}

/* ---- what is decided about it ---- */

static struct item_decision decide(enum store_verb verb, const struct task_list *old, int64_t lists,
                                   const struct item_answer *answers, struct store_item_write *op)
{
    static const struct usage_limits limits = {0, INT64_MAX}; /* of tasks: none */
    struct task_list values;
    resource_clear(&list_resource, &values);
    values.name = SLICE("Household");
    *op = (struct store_item_write){
        .op.arena = arena,
        .resource = &list_resource,
        .verb = verb,
        .id = {{1}},
        .now = 2000,
        .steady = 2000,
        .values = verb == STORE_DELETE ? NULL : &values,
        .set = verb == STORE_DELETE ? 0 : resource_settable(&list_resource),
    };
    struct item_before before = {.space.revision = 7, .item = old, .answers = answers};
    before.space.usage.counts[RESOURCE_COUNT_LISTS] = lists;
    before.space.usage.counts[RESOURCE_COUNT_TASKS] = 5000;
    return item_decide(op, &before, &limits);
}

static void make_old(struct task_list *old)
{
    resource_clear(&list_resource, old);
    old->id = (struct uuid){{1}};
    old->name = SLICE("Work");
    old->position = SLICE("W");
    old->created_at = old->updated_at = 1000;
    old->revision = 3;
}

/* However many tasks there are; one that is there may be replaced. */
static void a_space_has_so_many(void **state)
{
    struct store_item_write op;
    struct task_list old;
    (void)state;
    make_old(&old);
    const struct item_decision made = decide(STORE_CREATE, NULL, LISTS_MOST - 1, NULL, &op);
    assert_int_equal(made.step, ITEM_INSERT);
    assert_int_equal(made.usage.counts[RESOURCE_COUNT_LISTS], 1);
    assert_int_equal(made.usage.counts[RESOURCE_COUNT_TASKS], 0);
    for (unsigned i = 0; i < 2; i++) {
        const enum store_verb verb = i == 0 ? STORE_CREATE : STORE_REPLACE;
        assert_int_equal(decide(verb, NULL, LISTS_MOST, NULL, &op).step, ITEM_REFUSE);
        assert_int_equal(op.op.result, ERROR_TOO_MANY);
    }
    assert_int_equal(decide(STORE_REPLACE, &old, LISTS_MOST, NULL, &op).step, ITEM_UPDATE);
}

/* What is in it has to be known first; of one that has tasks nothing goes unless the caller says
 * what becomes of them. */
static void one_with_tasks_is_not_deleted(void **state)
{
    static const struct item_row task = {.number = 1};
    struct store_item_write op;
    struct task_list old;
    (void)state;
    make_old(&old);
    const struct item_decision asks = decide(STORE_DELETE, &old, 1, NULL, &op);
    assert_int_equal(asks.step, ITEM_ASK);
    assert_int_equal(asks.ask.question, ITEM_ASK_LIST_COUNT);
    struct item_answer answer = {.ask = asks.ask, .rows = &task, .count = 1};
    assert_int_equal(decide(STORE_DELETE, &old, 1, &answer, &op).step, ITEM_NOTHING);
    assert_int_equal(op.outcome, STORE_NOT_EMPTY);
    assert_int_equal(op.task_count, 1);
    answer = (struct item_answer){.ask = asks.ask};
    const struct item_decision made = decide(STORE_DELETE, &old, LISTS_MOST, &answer, &op);
    assert_int_equal(made.step, ITEM_REMOVE);
    assert_int_equal(made.usage.counts[RESOURCE_COUNT_LISTS], -1);
    assert_int_equal(decide(STORE_DELETE, NULL, 1, NULL, &op).step, ITEM_NOTHING);
    assert_int_equal(op.outcome, STORE_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(colours_become_lower_case),
        cmocka_unit_test(what_is_no_colour_is_refused),
        cmocka_unit_test(a_space_has_so_many),
        cmocka_unit_test(one_with_tasks_is_not_deleted),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
