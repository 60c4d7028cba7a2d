// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/keeping.h"
#include "store/task_decision.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define NOW         (INT64_C(2) * KEEPING_KEY_MS)

#define TASK_REVISION 7
#define USER_REVISION 9

static const struct uuid id = {{1, 2, 3}};

static const struct usage_limits no_limits = {INT64_MAX, INT64_MAX};
static struct usage changed; /* what the last write adds to the usage */

static struct task_before before_of(bool exists)
{
    struct task_before before = {.revision = USER_REVISION, .exists = exists};
    if (exists)
        before.task = (struct task){.id = id,
                                    .title = SLICE("Tea"),
                                    .status = TASK_PENDING,
                                    .created_at = 1000,
                                    .updated_at = 1500,
                                    .revision = TASK_REVISION};
    return before;
}

static struct store_task_write write_of(enum store_task_verb verb, const char *title)
{
    return (struct store_task_write){
        .verb = verb,
        .id = id,
        .now = NOW,
        .steady = NOW,
        .change = {.set = TASK_ALL, .title = slice_of(title), .status = TASK_PENDING},
    };
}

static enum task_decision decide(struct store_task_write *op, bool exists)
{
    const struct task_before before = before_of(exists);
    op->task = (struct task){.title = SLICE("left over"), .revision = 1}; /* must not show */
    return task_decide(op, &before, &no_limits, &changed);
}

static void assert_is_new(const struct store_task_write *op)
{
    assert_int_equal(op->outcome, STORE_CREATED);
    assert_memory_equal(&op->task.id, &id, sizeof id);
    assert_true(slice_eq(op->task.title, SLICE("Milk")));
    assert_int_equal(op->task.created_at, NOW);
    assert_int_equal(op->task.updated_at, NOW);
    assert_int_equal(op->task.completed_at, 0);
    assert_int_equal(op->task.revision, USER_REVISION + 1);
}

static void creates(void **state)
{
    (void)state;
    struct store_task_write create = write_of(STORE_TASK_CREATE, "Milk");
    assert_int_equal(decide(&create, false), TASK_DECISION_INSERT);
    assert_is_new(&create);
    struct store_task_write replace = write_of(STORE_TASK_REPLACE, "Milk");
    replace.precondition.none_match = (struct store_versions){.present = true, .any = true};
    assert_int_equal(decide(&replace, false), TASK_DECISION_INSERT);
    assert_is_new(&replace);
    struct store_task_write done = write_of(STORE_TASK_CREATE, "Milk");
    done.change.status = TASK_COMPLETED;
    assert_int_equal(decide(&done, false), TASK_DECISION_INSERT);
    assert_int_equal(done.task.completed_at, NOW);
    struct store_task_write plain = write_of(STORE_TASK_CREATE, "");
    plain.change.set = 0; /* a new task has its time though nothing differs */
    assert_int_equal(decide(&plain, false), TASK_DECISION_INSERT);
    assert_int_equal(plain.task.updated_at, NOW);
}

static void updates(void **state)
{
    static const enum store_task_verb verbs[] = {STORE_TASK_REPLACE, STORE_TASK_PATCH};
    (void)state;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        struct store_task_write op = write_of(verbs[i], "Milk");
        assert_int_equal(decide(&op, true), TASK_DECISION_UPDATE);
        assert_int_equal(op.outcome, STORE_UPDATED);
        assert_true(slice_eq(op.task.title, SLICE("Milk")));
        assert_int_equal(op.task.created_at, 1000);
        assert_int_equal(op.task.updated_at, NOW);
        assert_int_equal(op.task.revision, USER_REVISION + 1);

        struct store_task_write same = write_of(verbs[i], "Tea");
        assert_int_equal(decide(&same, true), TASK_DECISION_NOTHING);
        assert_int_equal(same.outcome, STORE_UPDATED);
        assert_int_equal(same.task.updated_at, 1500);
        assert_int_equal(same.task.revision, TASK_REVISION);
    }
}

static void deletes(void **state)
{
    (void)state;
    struct store_task_write op = write_of(STORE_TASK_DELETE, "");
    assert_int_equal(decide(&op, true), TASK_DECISION_DELETE);
    assert_int_equal(op.outcome, STORE_DELETED);
    assert_int_equal(op.task.revision, USER_REVISION + 1);
}

/* What is absent is not found, whatever the request asked of it. */
static void not_found(void **state)
{
    static const enum store_task_verb verbs[] = {STORE_TASK_PATCH, STORE_TASK_DELETE};
    (void)state;
    for (size_t i = 0; i < COUNT(verbs); i++) {
        for (unsigned asked = 0; asked < 3; asked++) {
            struct store_task_write op = write_of(verbs[i], "Milk");
            op.precondition.match.present = op.precondition.match.any = asked == 1;
            op.precondition.none_match.present = op.precondition.none_match.any = asked == 2;
            assert_int_equal(decide(&op, false), TASK_DECISION_NOTHING);
            assert_int_equal(op.outcome, STORE_NOT_FOUND);
            assert_int_equal(op.task.revision, 0);
            assert_null(op.task.title.ptr);
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
        {ONE(USER_REVISION), NONE, true},  {ANY, NONE, true},  {ONE(TASK_REVISION), NONE, false},
        {NONE, ONE(USER_REVISION), false}, {NONE, ANY, false}, {NONE, ONE(1), true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_task_write op = write_of(STORE_TASK_CREATE, "Milk");
        op.precondition.match = cases[i].match;
        op.precondition.none_match = cases[i].none_match;
        assert_int_equal(decide(&op, false),
                         cases[i].fits ? TASK_DECISION_INSERT : TASK_DECISION_NOTHING);
        assert_int_equal(op.outcome, cases[i].fits ? STORE_CREATED : STORE_PRECONDITION_FAILED);
        assert_int_equal(op.task.revision, cases[i].fits ? USER_REVISION + 1 : USER_REVISION);
    }
}

static void preconditions(void **state)
{
    static const enum store_task_verb verbs[] = {STORE_TASK_REPLACE, STORE_TASK_PATCH,
                                                 STORE_TASK_DELETE};
    const struct {
        struct store_versions match, none_match;
        enum store_verdict verdict;
    } cases[] = {
        {NONE, NONE, STORE_HOLDS},
        {ANY, NONE, STORE_HOLDS},
        {ONE(TASK_REVISION), NONE, STORE_HOLDS},
        {{.present = true, .count = 2, .list = {1, TASK_REVISION}}, NONE, STORE_HOLDS},
        {{.present = true, .count = 1, .list = {1, TASK_REVISION}}, NONE, STORE_MATCH_FAILED},
        {ONE(USER_REVISION), NONE, STORE_MATCH_FAILED},
        {{.present = true}, NONE, STORE_MATCH_FAILED},
        {NONE, ANY, STORE_NONE_MATCH_FAILED},
        {NONE, ONE(TASK_REVISION), STORE_NONE_MATCH_FAILED},
        {NONE, ONE(USER_REVISION), STORE_HOLDS},
        {NONE, {.present = true}, STORE_HOLDS},
        {ANY, ANY, STORE_NONE_MATCH_FAILED},
        {ONE(1), ANY, STORE_MATCH_FAILED},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(verbs); i++) {
        struct store_task_write op = write_of(verbs[i % COUNT(verbs)], "Milk");
        const enum store_verdict verdict = cases[i / COUNT(verbs)].verdict;
        op.precondition.match = cases[i / COUNT(verbs)].match;
        op.precondition.none_match = cases[i / COUNT(verbs)].none_match;
        const enum task_decision decision = decide(&op, true);
        assert_int_equal(op.verdict, verdict);
        if (verdict == STORE_HOLDS) {
            assert_int_not_equal(decision, TASK_DECISION_NOTHING);
            assert_int_not_equal(op.outcome, STORE_PRECONDITION_FAILED);
            continue;
        }
        assert_int_equal(decision, TASK_DECISION_NOTHING);
        assert_int_equal(op.outcome, STORE_PRECONDITION_FAILED);
        assert_int_equal(op.task.revision, TASK_REVISION);
        assert_null(op.task.title.ptr);
    }
}

static void a_replacement_that_must_match_creates_nothing(void **state)
{
    (void)state;
    struct store_task_write op = write_of(STORE_TASK_REPLACE, "Milk");
    op.precondition.match = (struct store_versions){.present = true, .any = true};
    assert_int_equal(decide(&op, false), TASK_DECISION_NOTHING);
    assert_int_equal(op.outcome, STORE_PRECONDITION_FAILED);
    assert_int_equal(op.task.revision, 0);
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
        {KEEPING_KEY_MS - 1, 1, 32, true, STORE_DELETED},
        {KEEPING_KEY_MS, 1, 32, false, STORE_KEY_IN_USE},
        {0, 2, 32, true, STORE_KEY_REUSED},
        {0, 1, 31, true, STORE_KEY_REUSED},
        {KEEPING_KEY_MS - 1, 2, 32, true, STORE_KEY_REUSED},
        {KEEPING_KEY_MS, 2, 32, false, STORE_KEY_IN_USE},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char bytes[32];
        memset(bytes, cases[i].fill, sizeof bytes);
        const struct task_kept kept = {
            .fingerprint = {bytes, cases[i].size},
            .used_at = NOW - cases[i].age,
            .outcome = STORE_DELETED,
            .task = {.id = id, .title = SLICE("Tea"), .revision = TASK_REVISION},
        };
        struct store_task_write op = write_of(STORE_TASK_DELETE, "");
        op.outcome = STORE_KEY_IN_USE; /* no case decides this */
        memset(op.idempotency.fingerprint, 1, sizeof op.idempotency.fingerprint);
        assert_int_equal(task_decide_kept(&op, &kept), cases[i].decides);
        assert_int_equal(op.outcome, cases[i].outcome);
        const bool replayed = cases[i].outcome == STORE_DELETED;
        assert_int_equal(op.replayed, replayed);
        assert_int_equal(op.task.revision, replayed ? TASK_REVISION : 0);
        assert_ptr_equal(op.task.title.ptr, replayed ? kept.task.title.ptr : NULL);
    }
}

#define TASK_BYTES ((int64_t)USAGE_TASK_BYTES + 3) /* with a title of three letters */

static void usage_follows(void **state)
{
    (void)state;
    struct store_task_write create = write_of(STORE_TASK_CREATE, "Tea");
    create.change.status = TASK_COMPLETED;
    (void)decide(&create, false);
    assert_int_equal(changed.tasks[TASK_COMPLETED], 1);
    assert_int_equal(changed.bytes, TASK_BYTES);

    struct store_task_write patch = write_of(STORE_TASK_PATCH, "Coffee");
    patch.change.status = TASK_IN_PROGRESS;
    (void)decide(&patch, true);
    assert_int_equal(changed.tasks[TASK_PENDING], -1);
    assert_int_equal(changed.tasks[TASK_IN_PROGRESS], 1);
    assert_int_equal(changed.bytes, 3);

    struct store_task_write same = write_of(STORE_TASK_PATCH, "Tea");
    (void)decide(&same, true);
    assert_int_equal(changed.bytes, 0);
    same.idempotency.key = SLICE("ab");
    (void)decide(&same, true);
    assert_int_equal(usage_total(&changed, 0), 0);
    assert_int_equal(changed.bytes, USAGE_KEY_BYTES + 2 + 3);

    same.precondition.match = (struct store_versions){.present = true};
    (void)decide(&same, true); /* refused: nothing is kept */
    assert_int_equal(changed.bytes, 0);

    struct store_task_write delete = write_of(STORE_TASK_DELETE, "");
    (void)decide(&delete, true);
    assert_int_equal(changed.tasks[TASK_PENDING], -1);
    assert_int_equal(changed.bytes, USAGE_TOMBSTONE_BYTES - TASK_BYTES);
    assert_null(delete.task.title.ptr);

    struct task_before before = before_of(false);
    struct store_task_write again = write_of(STORE_TASK_REPLACE, "Tea");
    before.tombstone = true;
    assert_int_equal(task_decide(&again, &before, &no_limits, &changed), TASK_DECISION_INSERT);
    assert_int_equal(changed.bytes, TASK_BYTES - USAGE_TOMBSTONE_BYTES);
}

static void what_grows_beyond_the_limits_is_refused(void **state)
{
    const struct {
        enum store_task_verb verb;
        const char *title;
        int64_t tasks, bytes; /* that are held; at most 5 and 1000 may be */
        bool exists, good;
    } cases[] = {
        {STORE_TASK_CREATE, "Tea", 4, 1000 - TASK_BYTES, false, true},
        {STORE_TASK_CREATE, "Tea", 4, 1001 - TASK_BYTES, false, false},
        {STORE_TASK_CREATE, "Tea", 5, 0, false, false},
        {STORE_TASK_REPLACE, "Tea", 5, 0, false, false},
        {STORE_TASK_REPLACE, "Tea", 9, 5000, true, true},
        {STORE_TASK_PATCH, "Te", 9, 5000, true, true},
        {STORE_TASK_PATCH, "Teas", 9, 999, true, true},
        {STORE_TASK_PATCH, "Teas", 9, 1000, true, false},
        {STORE_TASK_DELETE, "", 9, 5000, true, true},
    };
    static const struct usage_limits limits = {5, 1000};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_task_write op = write_of(cases[i].verb, cases[i].title);
        struct task_before before = before_of(cases[i].exists);
        before.usage.tasks[TASK_COMPLETED] = cases[i].tasks;
        before.usage.bytes = cases[i].bytes;
        const enum task_decision decision = task_decide(&op, &before, &limits, &changed);
        assert_int_equal(decision != TASK_DECISION_REFUSE, cases[i].good);
        assert_int_equal(op.op.result, cases[i].good ? ERROR_NONE : ERROR_QUOTA_EXCEEDED);
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
        cmocka_unit_test(kept_answers),
        cmocka_unit_test(usage_follows),
        cmocka_unit_test(what_grows_beyond_the_limits_is_refused),
    };
    return cmocka_run_group_tests_name("task_decision", tests, NULL, NULL);
}
