// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* What an operator does with accounts: the list, and changes without a password. */

#define OTHER_HASH SLICE("$argon2id$v=19$m=19456,t=2,p=1$b3RoZXI$b3RoZXI")
#define USERS      7

/* ---- the list ---- */

struct listing {
    struct store_user_list op; /* first: its address is the listing's */
    struct uuid ids[USERS + 1];
    unsigned count;
    bool named; /* every row had the e-mail of a user of this test */
    int64_t disabled_at;
};

static void each(struct store_user_list *op, const struct user *row)
{
    struct listing *listing = (struct listing *)op;
    assert_in_range(listing->count, 0, USERS);
    listing->ids[listing->count++] = row->id;
    listing->named = listing->named && row->email.len == strlen("a@example.org") &&
                     slice_eq(row->password_hash, TEST_HASH);
    listing->disabled_at = row->disabled_at ? row->disabled_at : listing->disabled_at;
}

/* One page after `after`. */
static struct listing list(struct loop *loop, struct uuid after, unsigned limit)
{
    struct listing listing = {.op = {.after = after, .limit = limit, .each = each}, .named = true};
    assert_int_equal(LOOP_CALL(loop, user_list, &listing.op), ERROR_NONE);
    return listing;
}

static void test_list_in_pages(void **state)
{
    struct loop loop;
    struct uuid ids[USERS];
    struct uuid none = {0};
    contract_open_loop(state, &loop);
    struct listing page = list(&loop, none, 3);
    assert_int_equal(page.count, 0);
    assert_false(page.op.more);
    for (unsigned i = 0; i < USERS; i++) {
        const char name[] = {(char)('a' + i), '\0'};
        ids[i] = make_user(&loop, name);
    }

    page = list(&loop, none, 3);
    assert_int_equal(page.count, 3);
    assert_true(page.op.more);
    assert_true(page.named);
    assert_memory_equal(page.ids, ids, 3 * sizeof ids[0]);
    page = list(&loop, page.ids[2], 3);
    assert_memory_equal(page.ids, ids + 3, 3 * sizeof ids[0]);
    assert_true(page.op.more);
    page = list(&loop, page.ids[2], 3);
    assert_int_equal(page.count, 1);
    assert_false(page.op.more);
    page = list(&loop, none, USERS); /* a full page with nothing after it */
    assert_int_equal(page.count, USERS);
    assert_false(page.op.more);
    loop_close(&loop);
}

/* ---- changes ---- */

static enum error govern(struct loop *loop, enum store_user_verb verb, struct uuid id, int64_t now,
                         struct user *user)
{
    struct store_user_govern op = {.verb = verb, .id = id, .hash = OTHER_HASH, .now = now};
    enum error result = LOOP_CALL(loop, user_govern, &op);
    *user = op.user;
    return result;
}

static enum error check(struct loop *loop, struct uuid user, struct uuid session)
{
    struct store_session_check op = {.user = user, .id = session, .now = TEST_NOW};
    return LOOP_CALL(loop, session_check, &op);
}

static enum error refresh(struct loop *loop, struct uuid session)
{
    struct store_session_refresh op = {.id = session,
                                       .counter = 1,
                                       .now = TEST_NOW + 1,
                                       .ttl_ms = 1000000,
                                       .lifetime_ms = 10000000};
    return LOOP_CALL(loop, session_refresh, &op);
}

static void test_disable_and_enable(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct user user;
    contract_open_loop(pointer, &loop);
    struct uuid id = make_user(&loop, "a");
    struct uuid other = make_user(&loop, "b");
    const struct item item = make_item(&loop, id, 0, TEST_NOW);
    const void *found = NULL;
    struct store_session_create logins[] = {session_of(id, "::1", TEST_NOW),
                                            session_of(id, "::2", TEST_NOW),
                                            session_of(other, "::1", TEST_NOW)};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(LOOP_CALL(&loop, session_create, &logins[i]), ERROR_NONE);
    }

    assert_int_equal(govern(&loop, STORE_USER_DISABLE, id, TEST_NOW + 5, &user), ERROR_NONE);
    assert_int_equal(user.disabled_at, TEST_NOW + 5);
    assert_true(slice_eq(user.email, SLICE("a@example.org")));
    assert_int_equal(state->ended_count, 1);
    assert_true(uuid_eq(state->ended[0], id));
    assert_int_equal(check(&loop, id, logins[0].session.id), ERROR_NOT_FOUND);
    assert_int_equal(refresh(&loop, logins[1].session.id), ERROR_INVALID_REFRESH_TOKEN);
    assert_int_equal(check(&loop, other, logins[2].session.id), ERROR_NONE);
    struct store_session_create again = session_of(id, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &again), ERROR_INVALID_CREDENTIALS);

    assert_int_equal(govern(&loop, STORE_USER_DISABLE, id, TEST_NOW + 9, &user), ERROR_NONE);
    assert_int_equal(user.disabled_at, TEST_NOW + 5);
    struct uuid none = {0};
    assert_int_equal(list(&loop, none, USERS).disabled_at, TEST_NOW + 5);

    assert_int_equal(govern(&loop, STORE_USER_ENABLE, id, TEST_NOW + 10, &user), ERROR_NONE);
    assert_int_equal(user.disabled_at, 0);
    assert_int_equal(list(&loop, none, USERS).disabled_at, 0);
    assert_int_equal(check(&loop, id, logins[0].session.id), ERROR_NOT_FOUND);
    assert_int_equal(LOOP_CALL(&loop, session_create, &again), ERROR_NONE);
    assert_int_equal(get_item(&loop, id, item.id, &found), ERROR_NONE);
    loop_close(&loop);
}

static void test_set_password(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct user user;
    contract_open_loop(pointer, &loop);
    struct uuid id = make_user(&loop, "a");
    struct store_session_create login = session_of(id, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);

    assert_int_equal(govern(&loop, STORE_USER_SET_PASSWORD, id, TEST_NOW + 3, &user), ERROR_NONE);
    assert_int_equal(user.updated_at, TEST_NOW + 3);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(check(&loop, id, login.session.id), ERROR_NOT_FOUND);
    struct store_session_create old = session_of(id, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &old), ERROR_INVALID_CREDENTIALS);
    old.verified_hash = OTHER_HASH;
    assert_int_equal(LOOP_CALL(&loop, session_create, &old), ERROR_NONE);
    loop_close(&loop);
}

static void test_erase(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct user user;
    contract_open_loop(pointer, &loop);
    struct uuid id = make_user(&loop, "a");
    struct uuid stays = make_user(&loop, "b");
    (void)make_item(&loop, id, 0, TEST_NOW);
    struct store_session_create login = session_of(id, "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);

    assert_int_equal(govern(&loop, STORE_USER_ERASE, id, TEST_NOW, &user), ERROR_NONE);
    assert_true(slice_eq(user.email, SLICE("a@example.org")));
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(check(&loop, id, login.session.id), ERROR_NOT_FOUND);
    struct write write = write_of(STORE_CREATE, id, uuid_make_v7(), TEST_NOW);
    assert_int_equal(write_run(&loop, &write), ERROR_NOT_FOUND);
    struct uuid none = {0};
    struct listing left = list(&loop, none, USERS);
    assert_int_equal(left.count, 1);
    assert_true(uuid_eq(left.ids[0], stays));
    loop_close(&loop);
}

static void test_nobody(void **state)
{
    static const enum store_user_verb verbs[] = {STORE_USER_DISABLE, STORE_USER_ENABLE,
                                                 STORE_USER_SET_PASSWORD, STORE_USER_ERASE};
    struct loop loop;
    struct user user;
    contract_open_loop(state, &loop);
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        assert_int_equal(govern(&loop, verbs[i], uuid_make_v7(), TEST_NOW, &user), ERROR_NOT_FOUND);
    }
    loop_close(&loop);
}

int store_contract_operator(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_list_in_pages), CONTRACT_TEST(test_disable_and_enable),
        CONTRACT_TEST(test_set_password),  CONTRACT_TEST(test_erase),
        CONTRACT_TEST(test_nobody),
    };
    return cmocka_run_group_tests_name("store: operator", tests, NULL, NULL);
}
