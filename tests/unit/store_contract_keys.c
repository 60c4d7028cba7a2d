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

/* Answers that are kept under an Idempotency-Key. */

static struct store_idempotency key_of(const char *key, uint8_t fill)
{
    struct store_idempotency idempotency = {.key = slice_of(key)};
    memset(idempotency.fingerprint, fill, sizeof idempotency.fingerprint);
    return idempotency;
}

static void test_create_twice_with_a_key(void **state)
{
    struct loop loop;
    const void *item = NULL;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct write first = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    sample_item(&first.values, 1);
    first.op.idempotency = key_of("k", 1);
    struct write again = first;
    again.op.id = uuid_make_v7();
    again.op.now = TEST_NOW + 5;
    write_begin(&loop, &first);
    write_begin(&loop, &again); /* in the same turn */
    loop_finish(&loop);
    assert_int_equal(first.op.outcome, STORE_CREATED);
    assert_false(first.op.replayed);
    assert_non_null(first.op.body.ptr);
    assert_int_equal(again.op.outcome, STORE_CREATED);
    assert_true(again.op.replayed);
    assert_true(uuid_eq(again.op.item_id, first.op.id));
    assert_int_equal(again.op.revision, first.op.revision);
    assert_true(slice_eq(again.op.body, first.op.body));
    assert_int_equal(get_item(&loop, ann, again.op.id, &item), ERROR_NOT_FOUND);

    /* What was answered is kept, whatever becomes of the item. */
    struct write patch = patch_of(ann, first.op.id, first_member(), 0, TEST_NOW + 6);
    assert_int_equal(write_outcome(&loop, &patch), STORE_UPDATED);
    assert_int_equal(write_outcome(&loop, &again), STORE_CREATED);
    assert_true(slice_eq(again.op.body, first.op.body));

    /* Another request under the key; another user's key; another key. */
    again.op.idempotency = key_of("k", 2);
    assert_int_equal(write_outcome(&loop, &again), STORE_KEY_REUSED);
    struct uuid bob = make_user(&loop, "bob");
    again.op.space = bob;
    again.op.id = uuid_make_v7();
    assert_int_equal(write_outcome(&loop, &again), STORE_CREATED);
    assert_false(again.op.replayed);
    again.op.space = ann;
    again.op.id = uuid_make_v7();
    again.op.idempotency = key_of("K", 2);
    assert_int_equal(write_outcome(&loop, &again), STORE_CREATED);
    assert_false(again.op.replayed);
    loop_close(&loop);
}

/* A clock that is set back, or another node's that is behind, puts no time before an earlier one.
 */
static void test_times_go_forward(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);
    struct write write = write_of(STORE_REPLACE, ann, made.id, TEST_NOW - 5000);
    sample_item(&write.values, 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_UPDATED);
    assert_int_equal(written_item(&write)->updated_at, TEST_NOW);
    assert_written(&loop, &write);
    struct store_user_set_profile rename = {
        .id = ann, .sets_name = true, .name = SLICE("Ann"), .now = 1};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &rename), ERROR_NONE);
    assert_true(rename.user.updated_at >= rename.user.created_at);
    struct store_user_get get = {.id = ann};
    assert_int_equal(LOOP_CALL(&loop, user_get, &get), ERROR_NONE);
    assert_int_equal(get.user.updated_at, rename.user.updated_at);
    loop_close(&loop);
}

/* However far the clock was stepped: a repeat makes no second item. */
static void test_key_outlives_a_step(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write.op.idempotency = key_of("k", 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    write.op.id = uuid_make_v7();
    write.op.now = TEST_NOW + 40 * INT64_C(86400000);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    assert_true(write.op.replayed);
    loop_close(&loop);
}

static void test_key_lives_a_day(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct write write = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
    write.op.idempotency = key_of("k", 1);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    write.op.id = uuid_make_v7();
    write.op.steady = TEST_NOW + INT64_C(86400000) - 1;
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    assert_true(write.op.replayed);
    write.op.steady = TEST_NOW + INT64_C(86400000);
    write.op.idempotency = key_of("k", 2);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    assert_false(write.op.replayed);
    assert_int_equal(write_outcome(&loop, &write), STORE_CREATED);
    assert_true(write.op.replayed);
    loop_close(&loop);
}

/* What was done is kept; what was refused is judged afresh, and another content may follow. */
static void test_what_is_kept(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    const struct item made = make_item(&loop, ann, 0, TEST_NOW);

    struct write failed = patch_of(ann, made.id, first_member(), 1, TEST_NOW);
    failed.op.precondition = (struct store_precondition){.match = {.present = true}};
    failed.op.idempotency = key_of("failed", 1);
    assert_int_equal(write_outcome(&loop, &failed), STORE_PRECONDITION_FAILED);

    struct write patch = patch_of(ann, made.id, first_member(), 1, TEST_NOW + 1);
    patch.op.idempotency = key_of("patch", 1);
    assert_int_equal(write_outcome(&loop, &patch), STORE_UPDATED);
    const struct slice patched = patch.op.body;
    assert_int_equal(patch.op.revision, 2);
    assert_non_null(patched.ptr);

    struct write removal = write_of(STORE_DELETE, ann, made.id, TEST_NOW + 2);
    removal.op.idempotency = key_of("removal", 1);
    assert_int_equal(write_outcome(&loop, &removal), STORE_DELETED);
    assert_false(removal.op.replayed);
    assert_null(removal.op.body.ptr);

    struct write absent = patch_of(ann, made.id, first_member(), 1, TEST_NOW + 3);
    absent.op.idempotency = key_of("absent", 1);
    assert_int_equal(write_outcome(&loop, &absent), STORE_NOT_FOUND);

    struct write back = write_of(STORE_REPLACE, ann, made.id, TEST_NOW + 4);
    assert_int_equal(write_outcome(&loop, &back), STORE_CREATED);

    assert_int_equal(write_outcome(&loop, &patch), STORE_UPDATED);
    assert_true(patch.op.replayed);
    assert_int_equal(patch.op.revision, 2);
    assert_true(slice_eq(patch.op.body, patched));
    assert_int_equal(write_outcome(&loop, &removal), STORE_DELETED);
    assert_true(removal.op.replayed);
    assert_null(removal.op.body.ptr);
    assert_written(&loop, &back);

    assert_int_equal(write_outcome(&loop, &failed), STORE_PRECONDITION_FAILED);
    assert_int_equal(failed.op.revision, back.op.revision);
    assert_false(failed.op.replayed);
    failed.op.precondition.match = (struct store_versions){.present = true, .any = true};
    memset(failed.op.idempotency.fingerprint, 2, sizeof failed.op.idempotency.fingerprint);
    assert_int_equal(write_outcome(&loop, &failed), STORE_UPDATED);
    assert_false(failed.op.replayed);
    assert_int_equal(write_outcome(&loop, &absent), STORE_UPDATED);
    assert_false(absent.op.replayed);
    loop_close(&loop);
}
int store_contract_keys(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_create_twice_with_a_key),
        CONTRACT_TEST(test_times_go_forward),
        CONTRACT_TEST(test_key_outlives_a_step),
        CONTRACT_TEST(test_key_lives_a_day),
        CONTRACT_TEST(test_what_is_kept),
    };
    return cmocka_run_group_tests_name("store: keys", tests, NULL, NULL);
}
