// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decision_fixture.h"

static struct item_decision decision; /* the last one */

/* The same with a status. */
static struct store_item_write write_status(enum store_verb verb, const char *title,
                                            enum task_status status)
{
    const struct store_item_write write = task_write(verb, title);
    decision_values(&write)->status = status;
    return write;
}

/* What is asked for is not there. */
static struct item_decision decide_alone(struct store_item_write *op, struct item_before *before,
                                         const struct usage_limits *limits)
{
    struct item_decision made = item_decide(op, before, limits);
    while (made.step == ITEM_ASK) {
        struct item_answer *answer = arena_new(decision_arena, struct item_answer);
        assert_non_null(answer);
        answer->ask = made.ask;
        answer->next = before->answers;
        before->answers = answer;
        made = item_decide(op, before, limits);
    }
    return made;
}

static enum item_step decide(struct store_item_write *op, bool exists)
{
    struct item_before before = task_before(exists);
    op->item = &tea; /* must not show */
    op->revision = 1;
    decision = decide_alone(op, &before, &no_limits);
    return decision.step;
}

static void assert_before(const char *json)
{
    assert_true(slice_eq(decision.change.before, slice_of(json)));
}

static void assert_is_new(const struct store_item_write *op)
{
    assert_int_equal(op->outcome, STORE_CREATED);
    assert_memory_equal(&task_after(op)->id, &id, sizeof id);
    assert_true(slice_eq(task_after(op)->title, SLICE("Milk")));
    assert_int_equal(task_after(op)->created_at, NOW);
    assert_int_equal(task_after(op)->updated_at, NOW);
    assert_int_equal(task_after(op)->completed_at, 0);
    assert_int_equal(op->revision, SPACE_REVISION + 1);
}

static void creates(void **state)
{
    (void)state;
    struct store_item_write create = task_write(STORE_CREATE, "Milk");
    assert_int_equal(decide(&create, false), ITEM_INSERT);
    assert_is_new(&create);
    struct store_item_write replace = task_write(STORE_REPLACE, "Milk");
    replace.precondition.none_match = (struct store_versions){.present = true, .any = true};
    assert_int_equal(decide(&replace, false), ITEM_INSERT);
    assert_is_new(&replace);
    assert_int_equal(decision.change.verb, STORE_CREATE);
    assert_null(decision.change.before.ptr);
    struct store_item_write done = write_status(STORE_CREATE, "Milk", TASK_COMPLETED);
    assert_int_equal(decide(&done, false), ITEM_INSERT);
    assert_int_equal(task_after(&done)->completed_at, NOW);
    struct store_item_write plain = task_write(STORE_CREATE, "");
    plain.set = 0; /* a new task has its time though nothing differs */
    assert_int_equal(decide(&plain, false), ITEM_INSERT);
    assert_int_equal(task_after(&plain)->updated_at, NOW);
}

static void updates(void **state)
{
    static const enum store_verb verbs[] = {STORE_REPLACE, STORE_UPDATE};
    (void)state;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        struct store_item_write op = task_write(verbs[i], "Milk");
        assert_int_equal(decide(&op, true), ITEM_UPDATE);
        assert_int_equal(op.outcome, STORE_UPDATED);
        assert_true(slice_eq(task_after(&op)->title, SLICE("Milk")));
        assert_int_equal(task_after(&op)->created_at, 1000);
        assert_int_equal(task_after(&op)->updated_at, NOW);
        assert_int_equal(task_after(&op)->revision, SPACE_REVISION + 1);
        assert_int_equal(op.revision, SPACE_REVISION + 1);
        assert_int_equal(decision.change.verb, verbs[i]);
        assert_before("{\"title\":\"Tea\"}");

        struct store_item_write same = task_write(verbs[i], "Tea");
        assert_int_equal(decide(&same, true), ITEM_NOTHING);
        assert_int_equal(same.outcome, STORE_UPDATED);
        assert_int_equal(task_after(&same)->updated_at, 1500);
        assert_int_equal(same.revision, TASK_REVISION);
    }
}

static void deletes(void **state)
{
    (void)state;
    struct store_item_write op = task_write(STORE_DELETE, "");
    assert_int_equal(decide(&op, true), ITEM_REMOVE);
    assert_int_equal(op.outcome, STORE_DELETED);
    assert_int_equal(op.revision, SPACE_REVISION + 1);
    assert_null(op.item);
    assert_before("{\"id\":\"01020300-0000-0000-0000-000000000000\",\"title\":\"Tea\","
                  "\"description\":null,\"status\":\"pending\",\"priority\":\"none\","
                  "\"list_id\":null,\"parent_id\":null,\"position\":\"V\",\"labels\":[],"
                  "\"start\":null,\"due\":null,\"time_zone\":null,\"recurrence\":null,"
                  "\"recurrence_anchor\":\"due\",\"blocked_by\":[],\"metadata\":{},"
                  "\"completed_at\":null,\"series_id\":null,\"next_id\":null,"
                  "\"created_at\":\"1970-01-01T00:00:01.000Z\","
                  "\"updated_at\":\"1970-01-01T00:00:01.500Z\",\"revision\":7}");
}

/* What is absent is not found, whatever the request asked of it. */
static void not_found(void **state)
{
    static const enum store_verb verbs[] = {STORE_UPDATE, STORE_DELETE};
    (void)state;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        for (unsigned asked = 0; asked < 3; asked++) {
            struct store_item_write op = task_write(verbs[i], "Milk");
            op.precondition.match.present = op.precondition.match.any = asked == 1;
            op.precondition.none_match.present = op.precondition.none_match.any = asked == 2;
            assert_int_equal(decide(&op, false), ITEM_NOTHING);
            assert_int_equal(op.outcome, STORE_NOT_FOUND);
            assert_int_equal(op.revision, 0);
            assert_null(op.item);
        }
    }
}

#define NONE                                                                                       \
    {                                                                                              \
        0                                                                                          \
    }
#define ANY                                                                                        \
    {                                                                                              \
        .present = true, .any = true                                                               \
    }
#define ONE(version)                                                                               \
    {                                                                                              \
        .present = true, .count = 1, .list = { version }                                           \
    }

/* What a create is asked of is the list, whose revision is the user's. */
static void preconditions_of_a_create(void **state)
{
    const struct {
        struct store_versions match, none_match;
        bool fits;
    } cases[] = {
        {ONE(SPACE_REVISION), NONE, true},  {ANY, NONE, true},  {ONE(TASK_REVISION), NONE, false},
        {NONE, ONE(SPACE_REVISION), false}, {NONE, ANY, false}, {NONE, ONE(1), true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_item_write op = task_write(STORE_CREATE, "Milk");
        op.precondition.match = cases[i].match;
        op.precondition.none_match = cases[i].none_match;
        assert_int_equal(decide(&op, false), cases[i].fits ? ITEM_INSERT : ITEM_NOTHING);
        assert_int_equal(op.outcome, cases[i].fits ? STORE_CREATED : STORE_PRECONDITION_FAILED);
        assert_int_equal(op.revision, cases[i].fits ? SPACE_REVISION + 1 : SPACE_REVISION);
    }
}

static void preconditions(void **state)
{
    static const enum store_verb verbs[] = {STORE_REPLACE, STORE_UPDATE, STORE_DELETE};
    const struct {
        struct store_versions match, none_match;
        enum store_verdict verdict;
    } cases[] = {
        {NONE, NONE, STORE_HOLDS},
        {ANY, NONE, STORE_HOLDS},
        {ONE(TASK_REVISION), NONE, STORE_HOLDS},
        {{.present = true, .count = 2, .list = {1, TASK_REVISION}}, NONE, STORE_HOLDS},
        {{.present = true, .count = 1, .list = {1, TASK_REVISION}}, NONE, STORE_MATCH_FAILED},
        {ONE(SPACE_REVISION), NONE, STORE_MATCH_FAILED},
        {{.present = true}, NONE, STORE_MATCH_FAILED},
        {NONE, ANY, STORE_NONE_MATCH_FAILED},
        {NONE, ONE(TASK_REVISION), STORE_NONE_MATCH_FAILED},
        {NONE, ONE(SPACE_REVISION), STORE_HOLDS},
        {NONE, {.present = true}, STORE_HOLDS},
        {ANY, ANY, STORE_NONE_MATCH_FAILED},
        {ONE(1), ANY, STORE_MATCH_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(verbs); i++) {
        struct store_item_write op = task_write(verbs[i % COUNT(verbs)], "Milk");
        const enum store_verdict verdict = cases[i / COUNT(verbs)].verdict;
        op.precondition.match = cases[i / COUNT(verbs)].match;
        op.precondition.none_match = cases[i / COUNT(verbs)].none_match;
        const enum item_step step = decide(&op, true);
        assert_int_equal(op.verdict, verdict);
        if (verdict == STORE_HOLDS) {
            assert_int_not_equal(step, ITEM_NOTHING);
            assert_int_not_equal(op.outcome, STORE_PRECONDITION_FAILED);
            continue;
        }
        assert_int_equal(step, ITEM_NOTHING);
        assert_int_equal(op.outcome, STORE_PRECONDITION_FAILED);
        assert_int_equal(op.revision, TASK_REVISION);
        assert_null(op.item);
    }
}

static void a_replacement_that_must_match_creates_nothing(void **state)
{
    (void)state;
    struct store_item_write op = task_write(STORE_REPLACE, "Milk");
    op.precondition.match = (struct store_versions){.present = true, .any = true};
    assert_int_equal(decide(&op, false), ITEM_NOTHING);
    assert_int_equal(op.outcome, STORE_PRECONDITION_FAILED);
    assert_int_equal(op.revision, 0);
}

struct noted {
    ITEM_MEMBERS;
    struct slice notes;
};

static const struct field noted_fields[] = {
    {.name = FIELD_NAME("revision"),
     .type = FIELD_NUMBER,
     .flags = FIELD_READ_ONLY | FIELD_STAMP,
     .at = offsetof(struct noted, revision)},
    {.name = FIELD_NAME("notes"),
     .type = FIELD_MAP,
     .most = 9,
     .most_name = 9,
     .most_items = 2,
     .at = offsetof(struct noted, notes),
     .bit = 2},
};

static const struct resource noted_resource = {.name = FIELD_NAME("noted"),
                                               .collection = FIELD_NAME("noteds"),
                                               .fields = noted_fields,
                                               .count = COUNT(noted_fields),
                                               .size = sizeof(struct noted),
                                               .text_most = FIELD_MAP_MOST(2, 9, 9)};

static void maps_are_merged(void **state)
{
    static const struct noted old = {.revision = TASK_REVISION, .notes = SLICE("{\"b\":\"1\"}")};
    static const struct {
        enum store_verb verb;
        const char *notes;
        enum item_step step;
        const char *becomes;
    } cases[] = {
        {STORE_UPDATE, "{\"a\":\"2\"}", ITEM_UPDATE, "{\"a\":\"2\",\"b\":\"1\"}"},
        {STORE_UPDATE, "{\"b\":null}", ITEM_UPDATE, "{}"},
        {STORE_UPDATE, "null", ITEM_UPDATE, "{}"},
        {STORE_UPDATE, "{\"b\":\"1\",\"c\":null}", ITEM_NOTHING, "{\"b\":\"1\"}"},
        {STORE_UPDATE, "{\"a\":\"2\",\"c\":\"3\"}", ITEM_NOTHING, NULL},
        {STORE_REPLACE, "{\"a\":\"2\",\"c\":\"3\"}", ITEM_UPDATE, "{\"a\":\"2\",\"c\":\"3\"}"},
        {STORE_REPLACE, "{}", ITEM_UPDATE, "{}"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct noted change = {.notes = slice_of(cases[i].notes)};
        struct store_item_write op = task_write(cases[i].verb, "Milk");
        op.resource = &noted_resource;
        op.values = &change;
        op.set = 2;
        const struct item_before before = {.space.revision = SPACE_REVISION, .item = &old};
        decision = item_decide(&op, &before, &no_limits);
        assert_int_equal(decision.step, cases[i].step);
        if (!cases[i].becomes) {
            assert_int_equal(op.outcome, STORE_INVALID);
            assert_string_equal(op.errors->list[0].code, "too_many");
            assert_null(op.item);
            continue;
        }
        assert_null(op.errors);
        assert_true(slice_eq(((const struct noted *)op.item)->notes, slice_of(cases[i].becomes)));
        if (cases[i].step == ITEM_UPDATE)
            assert_before("{\"notes\":{\"b\":\"1\"}}");
    }
    static const struct noted damaged = {.notes = SLICE("{")};
    const struct noted change = {.notes = SLICE("{}")};
    struct store_item_write op = task_write(STORE_UPDATE, "Milk");
    op.resource = &noted_resource;
    op.values = &change;
    op.set = 2;
    decision = item_decide(&op, &(struct item_before){.item = &damaged}, &no_limits);
    assert_int_equal(decision.step, ITEM_REFUSE);
    assert_int_equal(op.op.result, ERROR_INTERNAL_ERROR);
}

static void kept_answers(void **state)
{
    const struct {
        int64_t age;
        uint8_t fill; /* of the kept fingerprint; the request's is of 1 */
        size_t size;
        bool decides;
        enum store_outcome outcome;
    } cases[] = {
        {0, 1, 32, true, STORE_DELETED},
        {RETENTION_KEY_MS - 1, 1, 32, true, STORE_DELETED},
        {RETENTION_KEY_MS, 1, 32, false, STORE_KEY_IN_USE},
        {0, 2, 32, true, STORE_KEY_REUSED},
        {0, 1, 31, true, STORE_KEY_REUSED},
        {RETENTION_KEY_MS - 1, 2, 32, true, STORE_KEY_REUSED},
        {RETENTION_KEY_MS, 2, 32, false, STORE_KEY_IN_USE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char bytes[32];
        memset(bytes, cases[i].fill, sizeof bytes);
        const struct item_kept kept = {
            .fingerprint = {bytes, cases[i].size},
            .used_at = NOW - cases[i].age,
            .outcome = STORE_DELETED,
            .id = other,
            .revision = TASK_REVISION,
            .body = SLICE("{}"),
        };
        struct store_item_write op = task_write(STORE_DELETE, "");
        op.idempotency.key = SLICE("k");
        op.outcome = STORE_KEY_IN_USE; /* no case decides this */
        memset(op.idempotency.fingerprint, 1, sizeof op.idempotency.fingerprint);
        assert_int_equal(item_decide_kept(&op, &kept), cases[i].decides);
        assert_int_equal(op.outcome, cases[i].outcome);
        const bool replayed = cases[i].outcome == STORE_DELETED;
        assert_int_equal(op.replayed, replayed);
        assert_int_equal(op.revision, replayed ? TASK_REVISION : 0);
        assert_ptr_equal(op.body.ptr, replayed ? kept.body.ptr : NULL);
        assert_true(!replayed || uuid_eq(op.item_id, other));
    }
}

#define NEW_BYTES (TASK_BYTES + SPACE_CHANGE_BYTES)

static void usage_follows(void **state)
{
    (void)state;
    struct store_item_write create = write_status(STORE_CREATE, "Tea", TASK_COMPLETED);
    (void)decide(&create, false);
    assert_int_equal(decision.usage.counts[TASK_COMPLETED], 1);
    assert_int_equal(decision.usage.bytes, NEW_BYTES);

    struct store_item_write patch = write_status(STORE_UPDATE, "Coffee", TASK_IN_PROGRESS);
    (void)decide(&patch, true);
    assert_before("{\"title\":\"Tea\",\"status\":\"pending\"}");
    assert_int_equal(decision.usage.counts[TASK_PENDING], -1);
    assert_int_equal(decision.usage.counts[TASK_IN_PROGRESS], 1);
    assert_int_equal(decision.usage.bytes,
                     3 + SPACE_CHANGE_BYTES + (int64_t)decision.change.before.len);

    struct store_item_write same = task_write(STORE_UPDATE, "Tea");
    (void)decide(&same, true);
    assert_int_equal(decision.usage.bytes, 0);
    assert_false(decision.keep);
    assert_null(same.body.ptr);
    same.idempotency.key = SLICE("ab");
    (void)decide(&same, true);
    assert_true(decision.keep);
    assert_true(slice_starts(same.body, SLICE("{\"id\":\"01020300-")));
    assert_int_equal(usage_total(&decision.usage, &task_resource, 0), 0);
    assert_int_equal(decision.usage.bytes, SPACE_KEY_BYTES + 2 + (int64_t)same.body.len);

    struct item_before before = task_before(true);
    before.kept_bytes = 100;
    decision = item_decide(&same, &before, &no_limits);
    assert_int_equal(decision.usage.bytes, SPACE_KEY_BYTES + 2 + (int64_t)same.body.len - 100);

    same.precondition.match = (struct store_versions){.present = true};
    (void)decide(&same, true); /* refused: nothing is kept */
    assert_int_equal(decision.usage.bytes, 0);
    assert_false(decision.keep);

    struct store_item_write delete = task_write(STORE_DELETE, "");
    (void)decide(&delete, true);
    assert_int_equal(decision.usage.counts[TASK_PENDING], -1);
    assert_int_equal(decision.usage.bytes,
                     SPACE_CHANGE_BYTES + (int64_t)decision.change.before.len - TASK_BYTES);
    delete.idempotency.key = SLICE("ab");
    (void)decide(&delete, true);
    assert_true(decision.keep);
    assert_null(delete.body.ptr);
}

static void what_grows_beyond_the_limits_is_refused(void **state)
{
    const struct {
        enum store_verb verb;
        const char *title;
        int64_t items, bytes; /* that are held; at most 5 and 1000 may be */
        bool exists, good;
    } cases[] = {
        {STORE_CREATE, "Tea", 4, 1000 - NEW_BYTES, false, true},
        {STORE_CREATE, "Tea", 4, 1001 - NEW_BYTES, false, false},
        {STORE_CREATE, "Tea", 5, 0, false, false},
        {STORE_REPLACE, "Tea", 5, 0, false, false},
        {STORE_REPLACE, "Tea", 9, 5000, true, true}, /* the same: nothing is written */
        {STORE_UPDATE, "Te", 9, 1000, true, false},  /* the journal grows */
        {STORE_UPDATE, "Te", 9, 800, true, true},
        {STORE_DELETE, "", 9, 5000, true, true},
    };
    static const struct usage_limits limits = {5, 1000};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_item_write op = task_write(cases[i].verb, cases[i].title);
        struct item_before before = task_before(cases[i].exists);
        before.space.usage.counts[TASK_COMPLETED] = cases[i].items;
        before.space.usage.bytes = cases[i].bytes;
        const enum item_step step = decide_alone(&op, &before, &limits).step;
        if ((step != ITEM_REFUSE) != cases[i].good)
            fail_msg("case %zu", i);
        assert_int_equal(op.op.result, cases[i].good ? ERROR_NONE : ERROR_QUOTA_EXCEEDED);
    }
}

/* Without memory nothing is written, and the caller hears of it. */
static void memory_runs_out(void **state)
{
    static const struct {
        enum store_verb verb;
        bool exists;
    } cases[] = {{STORE_CREATE, false}, {STORE_UPDATE, true}, {STORE_DELETE, true}};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct arena *small = arena_create(16);
        struct store_item_write op = task_write(cases[i].verb, "Milk");
        op.op.arena = small;
        assert_int_equal(decide(&op, cases[i].exists), ITEM_REFUSE);
        assert_int_equal(op.op.result, ERROR_OVERLOADED);
        arena_destroy(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates),
        cmocka_unit_test(updates),
        cmocka_unit_test(deletes),
        cmocka_unit_test(not_found),
        cmocka_unit_test(preconditions),
        cmocka_unit_test(preconditions_of_a_create),
        cmocka_unit_test(a_replacement_that_must_match_creates_nothing),
        cmocka_unit_test(maps_are_merged),
        cmocka_unit_test(kept_answers),
        cmocka_unit_test(usage_follows),
        cmocka_unit_test(what_grows_beyond_the_limits_is_refused),
        cmocka_unit_test(memory_runs_out),
    };
    return cmocka_run_group_tests_name("item_decision", tests, decision_set_up, decision_tear_down);
}
