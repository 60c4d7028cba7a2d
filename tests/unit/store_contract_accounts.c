// SPDX-License-Identifier: MIT
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store/retention.h"
#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

#define OTHER_HASH SLICE("$argon2id$v=19$m=19456,t=2,p=1$b3RoZXI$b3RoZXI")

static enum error get_user(struct loop *loop, struct uuid id, struct user *user)
{
    struct store_user_get op = {.id = id};
    enum error result = LOOP_CALL(loop, user_get, &op);
    *user = op.user;
    return result;
}

static void test_create_and_find(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct store_user_create create = {
        .user = {.id = uuid_make_v7(),
                 .email = SLICE("Ann@Example.org"),
                 .name = SLICE("Ann"),
                 .password_hash = TEST_HASH,
                 .created_at = TEST_NOW,
                 .updated_at = TEST_NOW + 1},
    };
    assert_int_equal(LOOP_CALL(&loop, user_create, &create), ERROR_NONE);

    struct store_user_by_email find = {.email = SLICE("aNN@eXAMPLE.ORG"), .client = SLICE("::1")};
    assert_int_equal(LOOP_CALL(&loop, user_by_email, &find), ERROR_NONE);
    assert_true(uuid_eq(find.user.id, create.user.id));
    assert_true(slice_eq(find.user.email, SLICE("Ann@Example.org")));
    assert_true(slice_eq(find.user.name, SLICE("Ann")));
    assert_true(slice_eq(find.user.password_hash, TEST_HASH));
    assert_int_equal(find.user.created_at, TEST_NOW);
    assert_int_equal(find.user.updated_at, TEST_NOW + 1);
    assert_false(find.known_address);

    find.email = SLICE("ann@example.or");
    assert_int_equal(LOOP_CALL(&loop, user_by_email, &find), ERROR_NOT_FOUND);
    struct user user;
    assert_int_equal(get_user(&loop, uuid_make_v7(), &user), ERROR_NOT_FOUND);
    loop_close(&loop);
}

static void test_email_is_unique(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    (void)make_user(&loop, "ann");
    struct store_user_create twice = {
        .user = {.id = uuid_make_v7(),
                 .email = SLICE("ANN@example.org"),
                 .password_hash = TEST_HASH,
                 .created_at = TEST_NOW,
                 .updated_at = TEST_NOW},
    };
    assert_int_equal(LOOP_CALL(&loop, user_create, &twice), ERROR_EMAIL_TAKEN);
    /* Only ASCII letters have a case here: these are two addresses. */
    struct store_user_create umlaut = twice;
    umlaut.user.email = SLICE("\xc3\xa4@example.org");
    assert_int_equal(LOOP_CALL(&loop, user_create, &umlaut), ERROR_NONE);
    umlaut.user.id = uuid_make_v7();
    umlaut.user.email = SLICE("\xc3\x84@example.org");
    assert_int_equal(LOOP_CALL(&loop, user_create, &umlaut), ERROR_NONE);
    loop_close(&loop);
}

/* Two registrations of one address in one turn: one is made. */
static void test_email_race(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct store_user_create ops[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        ops[i].user = (struct user){
            .id = uuid_make_v7(), .email = SLICE("ann@example.org"), .password_hash = TEST_HASH};
        loop_begin(&loop, &ops[i].op);
        loop.engine->user_create(&ops[i]);
    }
    loop_finish(&loop);
    assert_int_equal(ops[0].op.result, ERROR_NONE);
    assert_int_equal(ops[1].op.result, ERROR_EMAIL_TAKEN);
    loop_close(&loop);
}

static void test_rename(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid id = make_user(&loop, "ann");
    struct store_user_set_profile op = {
        .id = id, .sets_name = true, .name = SLICE("Ann"), .now = TEST_NOW + 5};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &op), ERROR_NONE);
    assert_true(slice_eq(op.user.name, SLICE("Ann")));
    assert_int_equal(op.user.updated_at, TEST_NOW + 5);
    assert_true(slice_eq(op.user.email, SLICE("ann@example.org")));

    op.name = (struct slice){NULL, 0};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &op), ERROR_NONE);
    struct user user;
    assert_int_equal(get_user(&loop, id, &user), ERROR_NONE);
    assert_null(user.name.ptr);

    op.id = uuid_make_v7();
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &op), ERROR_NOT_FOUND);
    loop_close(&loop);
}

/* Whichever way the account is read; UTC is what none says. */
static void assert_time_zone(struct loop *loop, struct uuid id, const char *expected)
{
    struct user user;
    struct store_user_by_email find = {.email = SLICE("ann@example.org")};
    assert_int_equal(get_user(loop, id, &user), ERROR_NONE);
    assert_true(slice_eq(user.time_zone, slice_of(expected)));
    assert_int_equal(LOOP_CALL(loop, user_by_email, &find), ERROR_NONE);
    assert_true(slice_eq(find.user.time_zone, slice_of(expected)));
    assert_int_equal(find.user.disabled_at, 0);
}

static void test_time_zone(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid id = make_user(&loop, "ann");
    assert_time_zone(&loop, id, "UTC");
    struct store_user_set_profile op = {.id = id,
                                        .sets_name = true,
                                        .sets_time_zone = true,
                                        .name = SLICE("Ann"),
                                        .time_zone = SLICE("Europe/Berlin"),
                                        .now = TEST_NOW + 5};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &op), ERROR_NONE);
    assert_true(slice_eq(op.user.time_zone, SLICE("Europe/Berlin")));
    assert_time_zone(&loop, id, "Europe/Berlin");

    /* What is not set stays, whatever the operation holds. */
    op.sets_time_zone = false;
    op.time_zone = SLICE("Asia/Tokyo");
    op.name = SLICE("Anna");
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &op), ERROR_NONE);
    assert_true(slice_eq(op.user.time_zone, SLICE("Europe/Berlin")));
    assert_time_zone(&loop, id, "Europe/Berlin");

    op.sets_name = false;
    op.sets_time_zone = true;
    op.name = (struct slice){0};
    op.time_zone = (struct slice){0};
    assert_int_equal(LOOP_CALL(&loop, user_set_profile, &op), ERROR_NONE);
    assert_true(slice_eq(op.user.time_zone, SLICE("UTC")));
    assert_true(slice_eq(op.user.name, SLICE("Anna")));
    assert_time_zone(&loop, id, "UTC");
    loop_close(&loop);
}

/* Tested inside the write: of two that saw the same, one wins. */
static void test_rename_preconditions(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid id = make_user(&loop, "ann");
    struct store_user_set_profile first = {
        .id = id, .sets_name = true, .name = SLICE("Ann"), .now = TEST_NOW + 5};
    struct store_user_get get = {.id = id};
    assert_int_equal(LOOP_CALL(&loop, user_get, &get), ERROR_NONE);
    first.precondition.match =
        (struct store_versions){.present = true, .count = 2, .list = {7, user_version(&get.user)}};
    struct store_user_set_profile second = first;
    second.name = SLICE("Anna");
    loop_begin(&loop, &first.op);
    loop.engine->user_set_profile(&first);
    loop_begin(&loop, &second.op);
    loop.engine->user_set_profile(&second);
    loop_finish(&loop);
    const bool won = first.op.result == ERROR_NONE;
    const struct store_user_set_profile *winner = won ? &first : &second;
    const struct store_user_set_profile *loser = won ? &second : &first;
    assert_int_equal(winner->op.result, ERROR_NONE);
    assert_int_equal(loser->op.result, ERROR_PRECONDITION_FAILED);
    assert_int_equal(loser->verdict, STORE_MATCH_FAILED);
    assert_true(user_version(&loser->user) == user_version(&winner->user));
    assert_int_equal(LOOP_CALL(&loop, user_get, &get), ERROR_NONE);
    assert_true(slice_eq(get.user.name, winner->name));
    loop_close(&loop);
}

static void test_set_email(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    struct uuid id = make_user(&loop, "ann");
    (void)make_user(&loop, "bob");
    struct store_user_set_email op = {
        .id = id, .verified_hash = TEST_HASH, .email = SLICE("BOB@example.org"), .now = TEST_NOW};
    assert_int_equal(LOOP_CALL(&loop, user_set_email, &op), ERROR_EMAIL_TAKEN);
    op.email = SLICE("ANN@example.org"); /* her own, in another case */
    op.now = TEST_NOW + 7;
    assert_int_equal(LOOP_CALL(&loop, user_set_email, &op), ERROR_NONE);
    assert_true(slice_eq(op.user.email, SLICE("ANN@example.org")));
    assert_int_equal(op.user.updated_at, TEST_NOW + 7);
    op.verified_hash = OTHER_HASH;
    assert_int_equal(LOOP_CALL(&loop, user_set_email, &op), ERROR_WRONG_PASSWORD);
    op.id = uuid_make_v7();
    assert_int_equal(LOOP_CALL(&loop, user_set_email, &op), ERROR_NOT_FOUND);

    struct user user;
    assert_int_equal(get_user(&loop, id, &user), ERROR_NONE);
    assert_true(slice_eq(user.email, SLICE("ANN@example.org")));
    loop_close(&loop);
}

static enum error check(struct loop *loop, struct uuid user, struct uuid session)
{
    struct store_session_check op = {.user = user, .id = session, .now = TEST_NOW};
    return LOOP_CALL(loop, session_check, &op);
}

static void test_set_password_ends_other_sessions(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    contract_open_loop(pointer, &loop);
    struct uuid id = make_user(&loop, "ann");
    struct store_session_create mine = session_of(id, "::1", TEST_NOW);
    struct store_session_create other = session_of(id, "::2", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &mine), ERROR_NONE);
    assert_int_equal(LOOP_CALL(&loop, session_create, &other), ERROR_NONE);

    struct store_user_set_password op = {.id = id,
                                         .verified_hash = OTHER_HASH,
                                         .hash = OTHER_HASH,
                                         .keep = mine.session.id,
                                         .now = TEST_NOW + 9};
    assert_int_equal(LOOP_CALL(&loop, user_set_password, &op), ERROR_WRONG_PASSWORD);
    assert_int_equal(check(&loop, id, other.session.id), ERROR_NONE);
    assert_int_equal(state->ended_count, 0);

    op.verified_hash = TEST_HASH;
    assert_int_equal(LOOP_CALL(&loop, user_set_password, &op), ERROR_NONE);
    assert_int_equal(check(&loop, id, mine.session.id), ERROR_NONE);
    assert_int_equal(check(&loop, id, other.session.id), ERROR_NOT_FOUND);
    assert_int_equal(state->ended_count, 1);
    assert_true(uuid_eq(state->ended[0], id));

    struct user user;
    assert_int_equal(get_user(&loop, id, &user), ERROR_NONE);
    assert_true(slice_eq(user.password_hash, OTHER_HASH));
    assert_int_equal(user.updated_at, TEST_NOW + 9);
    loop_close(&loop);
}

/* Waits for what the engine does by itself. */
static void becomes(const struct contract_state *state, const char *sql, int64_t wanted)
{
    int64_t found = -1;
    for (int i = 0; i < 3000; i++) {
        found = state->contract->number(sql);
        if (found == wanted)
            return;
        (void)poll(NULL, 0, 10);
    }
    fail_msg("%s: %lld", sql, (long long)found);
}

static bool count_row(struct store_item_list *op, const void *item)
{
    (void)item;
    (*(unsigned *)op->op.caller)++;
    return true;
}

static void test_delete_takes_all(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    const void *item = NULL;
    contract_open_loop(pointer, &loop);
    struct uuid id = make_user(&loop, "ann");
    struct uuid stays = make_user(&loop, "bob");
    const struct item hers = make_item(&loop, id, 0, TEST_NOW);
    const struct item his = make_item(&loop, stays, 0, TEST_NOW);
    struct store_session_create login = session_of(id, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);

    struct store_user_delete op = {.id = id, .verified_hash = OTHER_HASH};
    assert_int_equal(LOOP_CALL(&loop, user_delete, &op), ERROR_WRONG_PASSWORD);
    op.verified_hash = TEST_HASH;
    assert_int_equal(LOOP_CALL(&loop, user_delete, &op), ERROR_NONE);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(LOOP_CALL(&loop, user_delete, &op), ERROR_NOT_FOUND);

    struct user user;
    assert_int_equal(get_user(&loop, id, &user), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, id, login.session.id), ERROR_NOT_FOUND);
    struct write write = write_of(STORE_CREATE, id, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_NOT_FOUND);
    struct store_item_list list = {
        .resource = fixture_resource,
        .space = id,
        .orders = {{.field = resource_field(fixture_resource, SLICE("created_at"))}},
        .order_count = 1,
        .limit = 10,
        .with_total = true,
        .each = count_row};
    assert_int_equal(LOOP_CALL(&loop, item_list, &list), ERROR_NONE);
    assert_int_equal(list.revision, 0);
    assert_int_equal(list.total, 0);
    assert_int_equal(get_item(&loop, stays, his.id, &item), ERROR_NONE);

    /* The address may be taken again, and nothing of before comes back. */
    struct uuid again = make_user(&loop, "ann");
    struct store_user_get fresh = {.id = again, .client = SLICE("::1")};
    assert_int_equal(LOOP_CALL(&loop, user_get, &fresh), ERROR_NONE);
    assert_false(fresh.known_address);

    /* The row of the account goes last. */
    becomes(state, "SELECT count(*) FROM users", 2);
    assert_int_equal(state->contract->number("SELECT count(*) FROM journal"), 1);
    assert_int_equal(get_item(&loop, id, hers.id, &item), ERROR_NOT_FOUND);
    assert_int_equal(get_item(&loop, stays, his.id, &item), ERROR_NONE);
    loop_close(&loop);
}

/* A large account holds nobody up: it is gone at once, and its rows go in steps, between the writes
 * of others, and also after a restart in between. */
static void test_delete_in_steps(void **pointer)
{
    enum { ITEMS = 1500, AT_ONCE = 50 };
    struct contract_state *state = *pointer;
    struct loop loop;
    char sql[96];
    char why[256];
    char key[16];
    struct write writes[AT_ONCE];
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct uuid bob = make_user(&loop, "bob");
    for (unsigned i = 0; i < ITEMS; i += AT_ONCE) {
        for (unsigned k = 0; k < AT_ONCE; k++) {
            writes[k] = write_of(STORE_CREATE, ann, uuid_make_v7(), TEST_NOW);
            (void)snprintf(key, sizeof key, "%u", i + k);
            writes[k].op.idempotency.key = arena_copy(loop.arena, slice_of(key));
            write_begin(&loop, &writes[k]);
        }
        loop_finish(&loop);
        arena_reset(loop.arena);
    }
    struct store_user_delete op = {.id = ann, .verified_hash = TEST_HASH};
    assert_int_equal(LOOP_CALL(&loop, user_delete, &op), ERROR_NONE);
    for (unsigned i = 0; i < 10; i++)
        (void)make_item(&loop, bob, i, TEST_NOW);
    loop_close(&loop);
    state->contract->engine->close(&state->store);
    state->store = state->contract->engine->open(&state->options, why, sizeof why);
    assert_non_null(state->store);
    contract_open_loop(pointer, &loop);
    becomes(state, "SELECT count(*) FROM users", 1);
    assert_int_equal(state->contract->number("SELECT count(*) FROM idempotency_keys"), 0);
    assert_int_equal(state->contract->number("SELECT count(*) FROM journal"), 10);
    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", fixture_resource->collection.ptr);
    assert_int_equal(state->contract->number(sql), 10);
    assert_int_equal(make_item(&loop, bob, 0, TEST_NOW).revision, 11);
    loop_close(&loop);
}

/* ---- invitations ---- */

static enum error invite(struct loop *loop, uint8_t hash, const char *email, int64_t expires_at)
{
    struct store_invitation_create op = {
        .email = slice_of(email), .now = TEST_NOW, .expires_at = expires_at};
    memset(op.hash, hash, sizeof op.hash);
    return LOOP_CALL(loop, invitation_create, &op);
}

/* A registration of `email` at `now` with an invitation. */
static struct store_user_create registration(const uint8_t *invitation, const char *email,
                                             int64_t now)
{
    return (struct store_user_create){
        .user = {.id = uuid_make_v7(),
                 .email = slice_of(email),
                 .password_hash = TEST_HASH,
                 .created_at = now,
                 .updated_at = now},
        .invitation = invitation,
    };
}

static enum error use(struct loop *loop, uint8_t hash, const char *email, int64_t now)
{
    uint8_t invitation[STORE_INVITATION_LEN];
    memset(invitation, hash, sizeof invitation);
    struct store_user_create op = registration(invitation, email, now);
    return LOOP_CALL(loop, user_create, &op);
}

static void test_invitations(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    assert_int_equal(invite(&loop, 1, NULL, TEST_NOW + 10), ERROR_NONE);
    assert_int_equal(invite(&loop, 2, "Bob@example.org", TEST_NOW + 10), ERROR_NONE);
    assert_int_equal(use(&loop, 3, "ann@example.org", TEST_NOW), ERROR_INVALID_INVITATION);
    assert_int_equal(use(&loop, 1, "ann@example.org", TEST_NOW + 10), ERROR_INVALID_INVITATION);
    assert_int_equal(use(&loop, 1, "ann@example.org", TEST_NOW + 9), ERROR_NONE);
    assert_int_equal(use(&loop, 1, "eve@example.org", TEST_NOW), ERROR_INVALID_INVITATION);
    /* That the address is taken is told to who is invited, and costs nothing. */
    assert_int_equal(use(&loop, 2, "ann@example.org", TEST_NOW), ERROR_INVALID_INVITATION);
    assert_int_equal(invite(&loop, 4, NULL, TEST_NOW + 10), ERROR_NONE);
    assert_int_equal(use(&loop, 4, "ann@example.org", TEST_NOW), ERROR_EMAIL_TAKEN);
    assert_int_equal(use(&loop, 4, "eve@example.org", TEST_NOW), ERROR_NONE);
    assert_int_equal(use(&loop, 2, "bOB@example.org", TEST_NOW), ERROR_NONE);
    loop_close(&loop);
}

static void *finish_loop(void *loop)
{
    loop_finish(loop);
    return NULL;
}

/* Many registrations with one invitation at the same moment, from two loops: one is made. */
static void test_invitation_race(void **state)
{
    enum { EACH = 4, ROUNDS = 10 };
    struct loop loops[2];
    contract_open_loop(state, &loops[0]);
    contract_open_loop(state, &loops[1]);
    for (uint8_t round = 0; round < ROUNDS; round++) {
        struct store_user_create ops[2][EACH];
        char emails[2][EACH][32];
        uint8_t invitation[STORE_INVITATION_LEN];
        unsigned made = 0;
        memset(invitation, round, sizeof invitation);
        assert_int_equal(invite(&loops[0], round, NULL, TEST_NOW + 10), ERROR_NONE);
        for (unsigned i = 0; i < EACH; i++) {
            for (unsigned l = 0; l < 2; l++) {
                (void)snprintf(emails[l][i], sizeof emails[l][i], "%u-%u-%u@example.org", round, l,
                               i);
                ops[l][i] = registration(invitation, emails[l][i], TEST_NOW);
                loop_begin(&loops[l], &ops[l][i].op);
                loops[l].engine->user_create(&ops[l][i]);
            }
        }
        pthread_t other;
        assert_int_equal(pthread_create(&other, NULL, finish_loop, &loops[1]), 0);
        loop_finish(&loops[0]);
        assert_int_equal(pthread_join(other, NULL), 0);
        for (unsigned i = 0; i < 2 * EACH; i++) {
            const enum error result = ops[i / EACH][i % EACH].op.result;
            assert_true(result == ERROR_NONE || result == ERROR_INVALID_INVITATION);
            made += result == ERROR_NONE;
        }
        assert_int_equal(made, 1);
    }
    loop_close(&loops[0]);
    loop_close(&loops[1]);
}

static int64_t count_invitations(const struct contract_state *state)
{
    return state->contract->number("SELECT count(*) FROM invitations");
}

/* Makes `count` of them that nobody uses. */
static void invite_many(struct loop *loop, int64_t count, int64_t expires_at)
{
    for (int64_t i = 0; i < count; i++) {
        struct store_invitation_create op = {.now = 1000, .expires_at = expires_at};
        memcpy(op.hash, &i, sizeof i);
        memcpy(op.hash + sizeof i, &expires_at, sizeof expires_at);
        assert_int_equal(LOOP_CALL(loop, invitation_create, &op), ERROR_NONE);
        arena_reset(loop->arena);
    }
}

static void test_invitations_are_bounded(void **state)
{
    struct loop loop;
    contract_open_loop(state, &loop);
    invite_many(&loop, RETENTION_INVITATIONS, TEST_NOW);
    assert_int_equal(invite(&loop, 255, NULL, TEST_NOW), ERROR_QUOTA_EXCEEDED);
    loop_close(&loop);
}

/* By themselves; more than one batch of them. */
static void test_expired_invitations_go(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    char why[256];
    contract_open_loop(pointer, &loop);
    invite_many(&loop, RETENTION_PURGE_ROWS + 9, 1001);
    invite_many(&loop, 3, TEST_NOW);
    loop_close(&loop);
    state->contract->engine->close(&state->store);
    state->store = state->contract->engine->open(&state->options, why, sizeof why);
    assert_non_null(state->store); /* the purge begins with it */
    for (int i = 0; i < 2000 && count_invitations(state) > 3; i++)
        (void)poll(NULL, 0, 10);
    assert_int_equal(count_invitations(state), 3);
}

int store_contract_accounts(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_create_and_find),
        CONTRACT_TEST(test_email_is_unique),
        CONTRACT_TEST(test_email_race),
        CONTRACT_TEST(test_rename),
        CONTRACT_TEST(test_time_zone),
        CONTRACT_TEST(test_rename_preconditions),
        CONTRACT_TEST(test_set_email),
        CONTRACT_TEST(test_set_password_ends_other_sessions),
        CONTRACT_TEST(test_delete_takes_all),
        CONTRACT_TEST(test_delete_in_steps),
        CONTRACT_TEST(test_invitations),
        CONTRACT_TEST(test_invitation_race),
        CONTRACT_TEST(test_invitations_are_bounded),
        CONTRACT_TEST(test_expired_invitations_go),
    };
    return cmocka_run_group_tests_name("store: accounts", tests, NULL, NULL);
}
