// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

static void test_create_and_get(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    for (unsigned i = 0; i < 10; i++) { /* every null, and texts that are empty */
        struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW + i);
        sample_item(&write.values, i);
        assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
        assert_int_equal(write.op.revision, i + 1);
        assert_int_equal(written_item(&write)->revision, i + 1);
        assert_int_equal(written_item(&write)->created_at, TEST_NOW + i);
        assert_int_equal(written_item(&write)->updated_at, TEST_NOW + i);
        assert_true(uuid_eq(written_item(&write)->id, write.op.id));
        assert_false(write.op.replayed);
        assert_written(&loop, &write);
        const unsigned differ = resource_differ(fixture_resource, write.op.item, &write.values);
        assert_int_equal(differ & fixture_settable(), 0);
    }
    loop_close(&loop);
}

static void test_owner(void **state)
{
    struct loop loop;
    const void *found = NULL;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    struct write hers = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_outcome(&loop, &hers), STORE_CREATED);
    assert_int_equal(get_item(&loop, bob, hers.op.id, &found), ERROR_NOT_FOUND);
    struct write write = write_of(STORE_UPDATE, bob, hers.op.id, TEST_NOW);
    assert_int_equal(write_outcome(&loop, &write), STORE_NOT_FOUND);
    write = write_of(STORE_DELETE, bob, hers.op.id, TEST_NOW);
    assert_int_equal(write_outcome(&loop, &write), STORE_NOT_FOUND);
    /* The same id may be his too: it is another item. */
    write = write_of(STORE_REPLACE, bob, hers.op.id, TEST_NOW);
    sample_item(&write.values, 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    assert_int_equal(write.op.revision, 1);
    assert_written(&loop, &hers);
    write = write_of(STORE_UPDATE, uuid_make_v7(), hers.op.id, TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_NOT_FOUND);
    loop_close(&loop);
}

/* Each member by itself: to another value, to null, and to what it is already. */
static void test_patch(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    for (size_t i = 0; i < fixture_resource->count; i++) {
        const struct field *field = &fixture_resource->fields[i];
        if ((field->bit & fixture_settable()) == 0)
            continue;
        const struct item made = make_item(&loop, ann, 0, TEST_NOW);
        for (unsigned number = 1; number <= 2; number++) {
            struct write write = patch_of(ann, made.id, field, number, TEST_NOW + number);
            assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED);
            assert_int_equal(write.op.revision, made.revision + number);
            assert_int_equal(written_item(&write)->revision, made.revision + number);
            assert_int_equal(written_item(&write)->updated_at, TEST_NOW + number);
            assert_int_equal(written_item(&write)->created_at, TEST_NOW);
            assert_written(&loop, &write);

            /* The same again changes nothing, and takes no revision. */
            write.op.now = TEST_NOW + 20;
            assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED);
            assert_int_equal(write.op.revision, made.revision + number);
            assert_int_equal(written_item(&write)->updated_at, TEST_NOW + number);
            assert_written(&loop, &write);
            if (field_is_choice(field->type) || field->type == FIELD_MAP)
                break; /* the third value may be the first; an empty patch of a map is none */
        }
    }
    loop_close(&loop);
}

static void test_replace(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid id = uuid_make_v7();
    struct write write = write_of(STORE_REPLACE, ann, id, TEST_NOW);
    sample_item(&write.values, 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    write = write_of(STORE_REPLACE, ann, id, TEST_NOW + 1);
    sample_item(&write.values, 2);
    assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED);
    assert_int_equal(write.op.revision, 2);
    assert_int_equal(written_item(&write)->created_at, TEST_NOW);
    assert_written(&loop, &write);
    loop_close(&loop);
}

static void test_delete_and_come_again(void **state)
{
    struct loop loop;
    const void *item = NULL;
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);
    for (int round = 0; round < 2; round++) {
        struct write write = write_of(STORE_DELETE, ann, made.id, TEST_NOW + 1);
        assert_int_equal(write_outcome(&loop, &write), STORE_DELETED);
        assert_int_equal(write.op.revision, 2 + 2 * round);
        assert_null(write.op.item);
        assert_int_equal(get_item(&loop, ann, made.id, &item), ERROR_NOT_FOUND);
        assert_int_equal(write_outcome(&loop, &write), STORE_NOT_FOUND);
        write = write_of(STORE_UPDATE, ann, made.id, TEST_NOW + 2);
        assert_int_equal(write_outcome(&loop, &write), STORE_NOT_FOUND);
        write = write_of(STORE_REPLACE, ann, made.id, TEST_NOW + 3);
        assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
        assert_int_equal(write.op.revision, 3 + 2 * round); /* a deletion takes one too */
        assert_int_equal(written_item(&write)->created_at, TEST_NOW + 3);
    }
    loop_close(&loop);
}

/* Is an item with this id, made at `now`, found, changed and deleted as any other? */
static void assert_lives(struct loop *loop, struct uuid user, struct uuid id, int64_t now)
{
    const void *item = NULL;
    struct write write = write_of(STORE_REPLACE, user, id, now);
    sample_item(&write.values, 1);
    assert_int_equal(write_outcome(loop, &write), STORE_CREATED);
    assert_written(loop, &write);
    write = write_of(STORE_REPLACE, user, id, now + 1);
    sample_item(&write.values, 2);
    assert_int_equal(write_outcome(loop, &write), STORE_UPDATED);
    assert_int_equal(written_item(&write)->created_at, now);
    assert_written(loop, &write);
    write = write_of(STORE_DELETE, user, id, now + 2);
    assert_int_equal(write_outcome(loop, &write), STORE_DELETED);
    assert_int_equal(get_item(loop, user, id, &item), ERROR_NOT_FOUND);
}

/* The time in an id may be the item's, as when the server makes both, earlier, later, or none. */
static void test_any_id(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct uuid id = uuid_make_v7();
    const struct uuid least = {{0}};
    struct uuid most;
    memset(&most, 0xff, sizeof most);
    for (int64_t apart = -1; apart <= 1; apart++)
        assert_lives(&loop, ann, id, uuid_time_ms(id) + apart);
    assert_lives(&loop, ann, least, TEST_NOW);
    assert_lives(&loop, ann, most, TEST_NOW);
    loop_close(&loop);
}

/* ---- the journal ---- */

static int64_t number(void **state, const char *sql)
{
    const struct contract_state *contract = *state;
    return contract->contract->number(sql);
}

/* Each change leaves one row with the revision that it took; what it replaced can be read there,
 * and nothing else is. */
static void test_journal(void **state)
{
    struct loop loop;
    char sql[256];
    struct uuid ann = contract_open_with_user(state, &loop);
    const char *name = first_member()->name.ptr;
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);
    struct write write = patch_of(ann, made.id, first_member(), 1, TEST_NOW + 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED);
    assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED); /* changes nothing */
    write = write_of(STORE_DELETE, ann, made.id, TEST_NOW + 2);
    write.op.actor = (struct uuid){{0}};
    assert_int_equal(write_outcome(&loop, &write), STORE_DELETED);
    assert_int_equal(write_outcome(&loop, &write), STORE_NOT_FOUND);
    assert_int_equal(number(state, "SELECT count(*) FROM journal"), 3);
    assert_int_equal(number(state, "SELECT revision FROM spaces"), 3);
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM journal WHERE kind = %d AND at = %lld "
                   "+ revision",
                   fixture_resource->kind, (long long)TEST_NOW - 1);
    assert_int_equal(number(state, sql), 3);
    assert_int_equal(number(state, "SELECT count(*) FROM journal WHERE revision = 1 AND verb = 1 "
                                   "AND before IS NULL AND actor IS NOT NULL"),
                     1);
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM journal WHERE revision = 2 AND verb = 3 "
                   "AND before LIKE '{\"%s\":%%}' AND before NOT LIKE '%%updated_at%%'",
                   name);
    assert_int_equal(number(state, sql), 1);
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM journal WHERE revision = 3 AND verb = 4 "
                   "AND before LIKE '%%\"%s\":%%\"revision\":2}' AND actor IS NULL",
                   name);
    assert_int_equal(number(state, sql), 1);
    loop_close(&loop);
}

/* ---- preconditions ---- */

static void test_preconditions(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    const struct store_precondition none = {0};
    const struct store_precondition any = {.match = {.present = true, .any = true}};
    const struct store_precondition good = {.match = {.present = true, .count = 2, .list = {7, 1}}};
    const struct store_precondition bad = {.match = {.present = true, .count = 1, .list = {7}}};
    const struct store_precondition empty = {.match = {.present = true}};
    const struct store_precondition fresh = {.none_match = {.present = true, .any = true}};
    const struct store_precondition other = {
        .none_match = {.present = true, .count = 1, .list = {7}}};
    const struct store_precondition first = {
        .none_match = {.present = true, .count = 1, .list = {1}}};
    const struct {
        enum store_verb verb;
        bool exists;
        struct store_precondition precondition;
        enum store_outcome outcome;
    } cases[] = {
        {STORE_UPDATE, true, none, STORE_UPDATED},
        {STORE_UPDATE, true, any, STORE_UPDATED},
        {STORE_UPDATE, true, good, STORE_UPDATED},
        {STORE_UPDATE, true, bad, STORE_PRECONDITION_FAILED},
        {STORE_UPDATE, true, empty, STORE_PRECONDITION_FAILED},
        {STORE_UPDATE, true, other, STORE_UPDATED},
        {STORE_UPDATE, true, first, STORE_PRECONDITION_FAILED},
        {STORE_UPDATE, true, fresh, STORE_PRECONDITION_FAILED},
        {STORE_UPDATE, false, any, STORE_NOT_FOUND},
        {STORE_UPDATE, false, bad, STORE_NOT_FOUND},
        {STORE_DELETE, true, good, STORE_DELETED},
        {STORE_DELETE, true, bad, STORE_PRECONDITION_FAILED},
        {STORE_DELETE, true, first, STORE_PRECONDITION_FAILED},
        {STORE_DELETE, true, other, STORE_DELETED},
        {STORE_DELETE, false, bad, STORE_NOT_FOUND},
        {STORE_REPLACE, true, good, STORE_UPDATED},
        {STORE_REPLACE, true, bad, STORE_PRECONDITION_FAILED},
        {STORE_REPLACE, true, fresh, STORE_PRECONDITION_FAILED},
        {STORE_REPLACE, false, fresh, STORE_CREATED},
        {STORE_REPLACE, false, any, STORE_PRECONDITION_FAILED},
        {STORE_REPLACE, false, bad, STORE_PRECONDITION_FAILED},
        {STORE_REPLACE, false, none, STORE_CREATED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char name[2] = {(char)('a' + i), '\0'};
        struct uuid user = make_user(&loop, name);
        struct uuid id = uuid_make_v7();
        if (cases[i].exists)
            id = make_item(&loop, user, 0, TEST_NOW).id;
        struct write write = write_of(cases[i].verb, user, id, TEST_NOW + 1);
        sample_item(&write.values, 1);
        write.op.precondition = cases[i].precondition;
        assert_int_equal(write_outcome(&loop, &write), cases[i].outcome);
        const void *item = NULL;
        enum error found = get_item(&loop, user, id, &item);
        if (cases[i].outcome == STORE_PRECONDITION_FAILED) {
            assert_int_equal(write.op.revision, cases[i].exists ? 1 : 0);
            assert_int_equal(found, cases[i].exists ? ERROR_NONE : ERROR_NOT_FOUND);
            assert_null(write.op.item);
        }
        if (found == ERROR_NONE && cases[i].outcome == STORE_PRECONDITION_FAILED)
            assert_int_equal(((const struct item *)item)->revision, 1);
    }
    loop_close(&loop);
}

/* Many in one turn say If-Match of the same revision: exactly one wins. */
static void test_one_wins(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);
    struct write writes[16];
    unsigned won = 0;
    for (unsigned i = 0; i < 16; i++) {
        writes[i] = patch_of(ann, made.id, first_member(), 1, TEST_NOW + 1);
        writes[i].op.precondition = (struct store_precondition){
            .match = {.present = true, .count = 1, .list = {made.revision}}};
        write_begin(&loop, &writes[i]);
    }
    loop_finish(&loop);
    for (unsigned i = 0; i < 16; i++) {
        won += writes[i].op.outcome == STORE_UPDATED;
        if (writes[i].op.outcome != STORE_UPDATED) {
            assert_int_equal(writes[i].op.outcome, STORE_PRECONDITION_FAILED);
            assert_int_equal(writes[i].op.revision, 2);
        }
    }
    assert_int_equal(won, 1);
    loop_close(&loop);
}

#define TURN  60
#define USERS 70 /* more than an engine may keep in mind for one transaction */

/* What one operation of a long turn is: three in a row of one user, then of the other. Some change
 * nothing; some must not be carried out. */
static struct write turn_write(unsigned i, const struct uuid users[2], const struct item made[2])
{
    const unsigned who = i / 3 % 2;
    if (i % 5 == 0) /* as it is */
        return patch_of(users[who], made[who].id, first_member(), 0, TEST_NOW + 1);
    return write_of(i % 7 == 0 ? STORE_DELETE : STORE_CREATE, users[who], uuid_make_v7(),
                    TEST_NOW + 1);
}

/* In one turn, with another kind of write between them: each change takes the next revision of its
 * own space, and the last one is the space's. */
static void test_revisions_of_one_turn(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    const struct uuid users[2] = {make_user(&loop, "ann"), make_user(&loop, "bob")};
    const struct item made[2] = {make_item(&loop, users[0], 0, TEST_NOW),
                                 make_item(&loop, users[1], 0, TEST_NOW)};
    struct write writes[TURN];
    struct store_user_set_profile rename = {
        .id = users[0], .sets_name = true, .name = SLICE("Ann"), .now = TEST_NOW};
    for (unsigned i = 0; i < TURN; i++) {
        writes[i] = turn_write(i, users, made);
        write_begin(&loop, &writes[i]);
        if (i == TURN / 2) {
            loop_begin(&loop, &rename.op);
            loop.engine->user_set_profile(&rename);
        }
    }
    loop_finish(&loop);
    assert_int_equal(rename.op.result, ERROR_NONE);
    int64_t revisions[2] = {1, 1};
    for (unsigned i = 0; i < TURN; i++) {
        assert_int_equal(writes[i].op.op.result, ERROR_NONE);
        if (writes[i].op.outcome == STORE_CREATED)
            assert_int_equal(writes[i].op.revision, ++revisions[i / 3 % 2]);
    }
    for (unsigned who = 0; who < 2; who++) {
        const struct item next = make_item(&loop, users[who], 1, TEST_NOW + 2);
        assert_true(revisions[who] > 10);
        assert_int_equal(next.revision, revisions[who] + 1);
    }
    loop_close(&loop);
}

/* Many spaces in one turn, over and over: none loses a revision. */
static void test_many_spaces_in_one_turn(void **state)
{
    struct loop loop;
    struct uuid users[USERS];
    static struct write writes[3 * USERS];
    contract_open_loop(state, &loop);
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "user%u", i);
        users[i] = make_user(&loop, name);
    }
    for (unsigned i = 0; i < 3 * USERS; i++) {
        writes[i] = write_of(STORE_CREATE, users[i % USERS], uuid_make_v7(), TEST_NOW);
        write_begin(&loop, &writes[i]);
    }
    loop_finish(&loop);
    for (unsigned i = 0; i < 3 * USERS; i++) {
        assert_int_equal(writes[i].op.op.result, ERROR_NONE);
        assert_int_equal(writes[i].op.revision, 1 + i / USERS);
    }
    for (unsigned i = 0; i < USERS; i++)
        assert_int_equal(make_item(&loop, users[i], 1, TEST_NOW).revision, 4);
    loop_close(&loop);
}

/* A create may be bound to the list as it was seen. */
static void test_preconditions_of_a_create(void **state)
{
    struct loop loop;
    const void *item = NULL;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    struct store_precondition *precondition = &write.op.precondition;
    precondition->match = (struct store_versions){.present = true, .count = 1, .list = {1}};
    assert_int_equal(write_outcome(&loop, &write), STORE_PRECONDITION_FAILED);
    assert_int_equal(write.op.revision, 0);
    precondition->match.list[0] = 0;
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    assert_int_equal(write.op.revision, 1);
    write.op.id = uuid_make_v7();
    assert_int_equal(write_outcome(&loop, &write), STORE_PRECONDITION_FAILED);
    assert_int_equal(write.op.revision, 1);
    *precondition = (struct store_precondition){.none_match = {.present = true, .any = true}};
    assert_int_equal(write_outcome(&loop, &write), STORE_PRECONDITION_FAILED);
    assert_int_equal(write.op.verdict, STORE_NONE_MATCH_FAILED);
    assert_int_equal(get_item(&loop, ann, write.op.id, &item), ERROR_NOT_FOUND);
    loop_close(&loop);
}

int store_contract_items(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_create_and_get),
        CONTRACT_TEST(test_owner),
        CONTRACT_TEST(test_patch),
        CONTRACT_TEST(test_replace),
        CONTRACT_TEST(test_delete_and_come_again),
        CONTRACT_TEST(test_any_id),
        CONTRACT_TEST(test_journal),
        CONTRACT_TEST(test_preconditions),
        CONTRACT_TEST(test_preconditions_of_a_create),
        CONTRACT_TEST(test_one_wins),
        CONTRACT_TEST(test_revisions_of_one_turn),
        CONTRACT_TEST(test_many_spaces_in_one_turn),
    };
    return cmocka_run_group_tests_name("store: items", tests, NULL, NULL);
}
