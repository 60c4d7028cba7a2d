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

static struct session login(struct loop *loop, struct uuid user, const char *ip, int64_t now)
{
    struct store_session_create op = session_of(user, ip, now);
    assert_int_equal(LOOP_CALL(loop, session_create, &op), ERROR_NONE);
    return op.session;
}

static enum error check(struct loop *loop, struct uuid user, struct uuid session, int64_t now)
{
    struct store_session_check op = {.user = user, .id = session, .now = now};
    return LOOP_CALL(loop, session_check, &op);
}

static void test_check(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    struct session session = login(&loop, ann, "::1", TEST_NOW);
    struct store_session_check op = {.user = ann, .id = session.id, .now = TEST_NOW};
    assert_int_equal(LOOP_CALL(&loop, session_check, &op), ERROR_NONE);
    assert_int_equal(op.expires_at, session.expires_at);
    assert_int_equal(check(&loop, ann, session.id, session.expires_at - 1), ERROR_NONE);
    assert_int_equal(check(&loop, ann, session.id, session.expires_at), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, bob, session.id, TEST_NOW), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, ann, uuid_make_v7(), TEST_NOW), ERROR_NOT_FOUND);
    loop_close(&loop);
}

static void test_create_checks_the_hash(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct store_session_create op = session_of(ann, "::1", TEST_NOW);
    op.verified_hash = SLICE("old");
    assert_int_equal(LOOP_CALL(&loop, session_create, &op), ERROR_INVALID_CREDENTIALS);
    assert_int_equal(check(&loop, ann, op.session.id, TEST_NOW), ERROR_NOT_FOUND);
    op = session_of(uuid_make_v7(), "::1", TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &op), ERROR_INVALID_CREDENTIALS);

    op = session_of(ann, "::1", TEST_NOW);
    op.rehash = SLICE("stronger");
    assert_int_equal(LOOP_CALL(&loop, session_create, &op), ERROR_NONE);
    struct store_user_get get = {.id = ann};
    assert_int_equal(LOOP_CALL(&loop, user_get, &get), ERROR_NONE);
    assert_true(slice_eq(get.user.password_hash, SLICE("stronger")));
    assert_int_equal(get.user.updated_at, TEST_NOW); /* the account was not changed */
    loop_close(&loop);
}

static bool knows(struct loop *loop, struct uuid user, const char *ip)
{
    struct store_user_get op = {.id = user, .client = slice_of(ip)};
    assert_int_equal(LOOP_CALL(loop, user_get, &op), ERROR_NONE);
    return op.known_address;
}

static void test_known_addresses(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    assert_false(knows(&loop, ann, "::1"));
    (void)login(&loop, ann, "::1", TEST_NOW);
    assert_true(knows(&loop, ann, "::1"));
    assert_false(knows(&loop, bob, "::1"));
    struct store_user_by_email find = {.email = SLICE("ann@example.org"), .client = SLICE("::1")};
    assert_int_equal(LOOP_CALL(&loop, user_by_email, &find), ERROR_NONE);
    assert_true(find.known_address);

    /* 32 are remembered, the latest. */
    for (int i = 0; i < 32; i++) {
        char ip[24];
        (void)snprintf(ip, sizeof ip, "10.0.0.%d", i);
        (void)login(&loop, ann, ip, TEST_NOW + 1 + i);
    }
    assert_false(knows(&loop, ann, "::1"));
    assert_true(knows(&loop, ann, "10.0.0.0"));
    (void)login(&loop, ann, "10.0.0.0", TEST_NOW + 100);
    (void)login(&loop, ann, "::9", TEST_NOW + 101);
    assert_true(knows(&loop, ann, "10.0.0.0"));
    assert_false(knows(&loop, ann, "10.0.0.1"));
    loop_close(&loop);
}

struct listing {
    struct store_session_list op;
    struct uuid ids[8];
    unsigned count;
};

static void on_row(struct store_session_list *op, const struct session *row)
{
    struct listing *listing = (struct listing *)op;
    assert_true(listing->count < 8);
    assert_true(slice_eq(row->user_agent, SLICE("curl")));
    assert_true(uuid_eq(row->user, op->user));
    listing->ids[listing->count++] = row->id;
}

static void test_list_and_end(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct uuid bob = make_user(&loop, "bob");
    struct session first = login(&loop, ann, "::1", TEST_NOW);
    struct session second = login(&loop, ann, "::2", TEST_NOW + 10);
    (void)login(&loop, bob, "::3", TEST_NOW + 20);
    struct listing list = {.op = {.user = ann, .now = TEST_NOW + 30, .each = on_row}};
    assert_int_equal(LOOP_CALL(&loop, session_list, &list.op), ERROR_NONE);
    assert_int_equal(list.count, 2);
    assert_true(uuid_eq(list.ids[0], second.id));
    assert_true(uuid_eq(list.ids[1], first.id));

    struct store_session_end end = {.user = bob, .id = first.id};
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NOT_FOUND);
    assert_int_equal(state->ended_count, 0);
    end.user = ann;
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NONE);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, ann, first.id, TEST_NOW), ERROR_NOT_FOUND);

    list.count = 0;
    list.op.now = second.expires_at;
    assert_int_equal(LOOP_CALL(&loop, session_list, &list.op), ERROR_NONE);
    assert_int_equal(list.count, 0);
    loop_close(&loop);
}

static void test_end_others(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct uuid bob = make_user(&loop, "bob");
    struct session kept = login(&loop, ann, "::1", TEST_NOW);
    struct session other = login(&loop, ann, "::2", TEST_NOW);
    struct session bobs = login(&loop, bob, "::3", TEST_NOW);
    struct store_session_end end = {.user = ann, .id = kept.id, .others = true};
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NONE);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(check(&loop, ann, kept.id, TEST_NOW), ERROR_NONE);
    assert_int_equal(check(&loop, ann, other.id, TEST_NOW), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, bob, bobs.id, TEST_NOW), ERROR_NONE);
    loop_close(&loop);
}

/* The session alone is known, from its refresh token. */
static void test_end_without_the_user(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct session session = login(&loop, ann, "::1", TEST_NOW);
    struct session other = login(&loop, ann, "::1", TEST_NOW);
    struct store_session_end end = {.id = session.id};
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NONE);
    assert_true(uuid_eq(end.user, ann));
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(check(&loop, ann, session.id, TEST_NOW), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, ann, other.id, TEST_NOW), ERROR_NONE);
    end = (struct store_session_end){.id = session.id};
    assert_int_equal(LOOP_CALL(&loop, session_end, &end), ERROR_NOT_FOUND);
    assert_int_equal(state->ended_count, 1);
    loop_close(&loop);
}

static void test_at_most_a_hundred(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct session sessions[USER_SESSIONS_MOST + 1];
    for (int i = 0; i < USER_SESSIONS_MOST; i++)
        sessions[i] = login(&loop, ann, "::1", TEST_NOW + i);
    assert_int_equal(state->ended_count, 0);
    assert_int_equal(check(&loop, ann, sessions[0].id, TEST_NOW), ERROR_NONE);
    sessions[USER_SESSIONS_MOST] = login(&loop, ann, "::1", TEST_NOW + 1000);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(check(&loop, ann, sessions[0].id, TEST_NOW), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, ann, sessions[1].id, TEST_NOW), ERROR_NONE);
    assert_int_equal(check(&loop, ann, sessions[USER_SESSIONS_MOST].id, TEST_NOW), ERROR_NONE);
    loop_close(&loop);
}

static struct store_session_refresh refresh_of(struct session session, int64_t counter, int64_t now)
{
    return (struct store_session_refresh){
        .id = session.id,
        .counter = counter,
        .now = now,
        .ttl_ms = 5000,
        .lifetime_ms = 600000,
        .grace_ms = 10000,
    };
}

static void test_refresh_rotates(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct session session = login(&loop, ann, "::1", TEST_NOW);
    struct store_session_refresh op = refresh_of(session, 1, TEST_NOW + 100);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
    assert_int_equal(op.session.counter, 2);
    assert_true(uuid_eq(op.session.user, ann));
    assert_int_equal(op.session.created_at, TEST_NOW);
    assert_int_equal(op.session.last_used_at, TEST_NOW + 100);
    assert_int_equal(op.session.expires_at, TEST_NOW + 5100);

    op = refresh_of(session, 2, TEST_NOW + 200);
    op.lifetime_ms = 3000;
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
    assert_int_equal(op.session.counter, 3);
    assert_int_equal(op.session.expires_at, TEST_NOW + 3000);
    op = refresh_of(session, 3, TEST_NOW + 3000);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_INVALID_REFRESH_TOKEN);
    assert_false(op.reuse);
    op = refresh_of((struct session){.id = uuid_make_v7()}, 1, TEST_NOW);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_INVALID_REFRESH_TOKEN);
    loop_close(&loop);
}

static void test_refresh_grace(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct session session = login(&loop, ann, "::1", TEST_NOW);
    for (int64_t i = 1; i <= 3; i++) { /* superseded at +1000, +2000, +3000 */
        struct store_session_refresh op = refresh_of(session, i, TEST_NOW + i * 1000);
        op.ttl_ms = 100000;
        assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
    }
    /* Every one that was superseded less than 10 s ago gets the current one. */
    for (int64_t i = 1; i <= 3; i++) {
        struct store_session_refresh op = refresh_of(session, i, TEST_NOW + 10999);
        assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
        assert_int_equal(op.session.counter, 4);
        assert_int_equal(op.session.last_used_at, TEST_NOW + 3000);
        assert_int_equal(op.session.expires_at, TEST_NOW + 103000);
        assert_false(op.reuse);
    }
    assert_int_equal(state->ended_count, 0);
    struct store_session_refresh late = refresh_of(session, 1, TEST_NOW + 11000);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &late), ERROR_INVALID_REFRESH_TOKEN);
    assert_true(late.reuse);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(check(&loop, ann, session.id, TEST_NOW), ERROR_NOT_FOUND);
    late = refresh_of(session, 4, TEST_NOW + 11000);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &late), ERROR_INVALID_REFRESH_TOKEN);
    loop_close(&loop);
}

/* A counter that cannot have been given out is a replay of nothing we know: the session ends. */
static void test_refresh_of_what_never_was(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    static const int64_t counters[] = {0, -1, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        struct session session = login(&loop, ann, "::1", TEST_NOW);
        struct store_session_refresh op = refresh_of(session, counters[i], TEST_NOW + 1);
        assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_INVALID_REFRESH_TOKEN);
        assert_true(op.reuse);
        assert_int_equal(check(&loop, ann, session.id, TEST_NOW), ERROR_NOT_FOUND);
    }
    loop_close(&loop);
}

/* One that is ahead was given out before a restore: it goes on from there, and is stored so. */
static void test_refresh_from_the_future(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct session session = login(&loop, ann, "::1", TEST_NOW);
    for (int64_t counter = 5; counter <= 6; counter++) {
        struct store_session_refresh op = refresh_of(session, counter, TEST_NOW + counter);
        assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
        assert_int_equal(op.session.counter, counter + 1);
        assert_false(op.reuse);
    }
    assert_int_equal(state->ended_count, 0);
    struct store_session_refresh again = refresh_of(session, 5, TEST_NOW + 7);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &again), ERROR_NONE);
    assert_int_equal(again.session.counter, 7);
    struct store_session_refresh old = refresh_of(session, 1, TEST_NOW + 8);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &old), ERROR_INVALID_REFRESH_TOKEN);
    assert_true(old.reuse);
    loop_close(&loop);
}

/* However many there are, the first of them is within the grace. */
static void test_refresh_many_times(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct session session = login(&loop, ann, "::1", TEST_NOW);
    for (int64_t i = 1; i <= 200; i++) {
        struct store_session_refresh op = refresh_of(session, i, TEST_NOW + i);
        op.ttl_ms = 100000;
        assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
        assert_int_equal(op.session.counter, i + 1);
    }
    struct store_session_refresh op = refresh_of(session, 1, TEST_NOW + 10000);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_NONE);
    assert_int_equal(op.session.counter, 201);
    op = refresh_of(session, 200, TEST_NOW + 10500);
    assert_int_equal(LOOP_CALL(&loop, session_refresh, &op), ERROR_INVALID_REFRESH_TOKEN);
    assert_true(op.reuse);
    loop_close(&loop);
}

int store_contract_sessions(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_check),
        CONTRACT_TEST(test_create_checks_the_hash),
        CONTRACT_TEST(test_known_addresses),
        CONTRACT_TEST(test_list_and_end),
        CONTRACT_TEST(test_end_others),
        CONTRACT_TEST(test_end_without_the_user),
        CONTRACT_TEST(test_at_most_a_hundred),
        CONTRACT_TEST(test_refresh_rotates),
        CONTRACT_TEST(test_refresh_grace),
        CONTRACT_TEST(test_refresh_of_what_never_was),
        CONTRACT_TEST(test_refresh_from_the_future),
        CONTRACT_TEST(test_refresh_many_times),
    };
    return cmocka_run_group_tests_name("store: sessions", tests, NULL, NULL);
}
