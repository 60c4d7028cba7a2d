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
        .change = {.set = TASK_ALL, .title = slice_of(title), .status = TASK_PENDING},
    };
}

static enum task_decision decide(struct store_task_write *op, bool exists)
{
    const struct task_before before = before_of(exists);
    op->task = (struct task){.title = SLICE("left over"), .revision = 1}; /* must not show */
    return task_decide(op, &before);
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
    replace.precondition.must_not_exist = true;
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
            op.precondition.present = op.precondition.any = asked == 1;
            op.precondition.must_not_exist = asked == 2;
            assert_int_equal(decide(&op, false), TASK_DECISION_NOTHING);
            assert_int_equal(op.outcome, STORE_NOT_FOUND);
            assert_int_equal(op.task.revision, 0);
            assert_null(op.task.title.ptr);
        }
    }
}

static void preconditions(void **state)
{
    static const enum store_task_verb verbs[] = {STORE_TASK_REPLACE, STORE_TASK_PATCH,
                                                 STORE_TASK_DELETE};
    const struct {
        struct store_precondition asked;
        bool fits;
    } cases[] = {
        {{.present = false}, true},
        {{.present = true, .any = true}, true},
        {{.present = true, .count = 1, .revisions = {TASK_REVISION}}, true},
        {{.present = true, .count = 2, .revisions = {1, TASK_REVISION}}, true},
        {{.present = true, .count = 1, .revisions = {1, TASK_REVISION}}, false},
        {{.present = true, .count = 1, .revisions = {USER_REVISION}}, false},
        {{.present = true}, false},
        {{.must_not_exist = true}, false},
        {{.present = true, .any = true, .must_not_exist = true}, false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(verbs); i++) {
        struct store_task_write op = write_of(verbs[i % COUNT(verbs)], "Milk");
        op.precondition = cases[i / COUNT(verbs)].asked;
        const enum task_decision decision = decide(&op, true);
        if (cases[i / COUNT(verbs)].fits) {
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
    op.precondition = (struct store_precondition){.present = true, .any = true};
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates),
        cmocka_unit_test(updates),
        cmocka_unit_test(deletes),
        cmocka_unit_test(not_found),
        cmocka_unit_test(preconditions),
        cmocka_unit_test(a_replacement_that_must_match_creates_nothing),
        cmocka_unit_test(kept_answers),
    };
    return cmocka_run_group_tests_name("task_decision", tests, NULL, NULL);
}
