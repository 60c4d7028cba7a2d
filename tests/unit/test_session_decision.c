// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/decision.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

#define TTL      INT64_C(1000)
#define LIFETIME INT64_C(100000)
#define GRACE    INT64_C(100)

static struct session_standing fresh(void)
{
    return (struct session_standing){
        .session = {.counter = 1, .created_at = 0, .last_used_at = 0, .expires_at = LIFETIME},
    };
}

static struct store_session_refresh with(int64_t counter, int64_t now)
{
    return (struct store_session_refresh){
        .counter = counter,
        .now = now,
        .ttl_ms = TTL,
        .lifetime_ms = LIFETIME,
        .grace_ms = GRACE,
        .reuse = true, /* must be set, whatever is decided */
    };
}

static void rotate_at(struct session_standing *standing, int64_t now)
{
    struct store_session_refresh op = with(standing->session.counter, now);
    assert_int_equal(session_decide_refresh(&op, standing), SESSION_DECISION_ROTATE);
}

static void the_current_token_rotates(void **state)
{
    (void)state;
    struct session_standing standing = fresh();
    struct store_session_refresh op = with(1, 0x0102030405);
    op.lifetime_ms = INT64_MAX;
    standing.session.expires_at = INT64_MAX;
    assert_int_equal(session_decide_refresh(&op, &standing), SESSION_DECISION_ROTATE);
    assert_int_equal(op.op.result, ERROR_NONE);
    assert_false(op.reuse);
    assert_int_equal(standing.session.counter, 2);
    assert_int_equal(standing.session.last_used_at, op.now);
    assert_int_equal(standing.session.expires_at, op.now + TTL);
    assert_int_equal(op.session.counter, 2);
    assert_int_equal(op.session.expires_at, op.now + TTL);
    static const uint8_t stored[] = {0, 1, 2, 3, 4, 5, 0, 1};
    assert_int_equal(standing.superseded_size, sizeof stored);
    assert_memory_equal(standing.superseded, stored, sizeof stored);
}

static void no_session_outlives_its_lifetime(void **state)
{
    (void)state;
    struct session_standing standing = fresh();
    rotate_at(&standing, LIFETIME - TTL - 1);
    assert_int_equal(standing.session.expires_at, LIFETIME - 1);
    rotate_at(&standing, LIFETIME - TTL + 1);
    assert_int_equal(standing.session.expires_at, LIFETIME);
}

static void what_is_no_session(void **state)
{
    (void)state;
    struct store_session_refresh absent = with(1, 10);
    assert_int_equal(session_decide_refresh(&absent, NULL), SESSION_DECISION_NOTHING);
    assert_int_equal(absent.op.result, ERROR_INVALID_REFRESH_TOKEN);
    assert_false(absent.reuse);

    struct session_standing disabled = fresh();
    disabled.disabled = true;
    struct session_standing expired = fresh();
    expired.session.expires_at = 10; /* at this very time */
    struct session_standing *const standings[] = {&disabled, &expired};
    for (size_t i = 0; i < COUNT(standings); i++) {
        for (int64_t counter = 0; counter <= 2; counter++) { /* no replay of what has ended */
            struct store_session_refresh op = with(counter, 10);
            assert_int_equal(session_decide_refresh(&op, standings[i]), SESSION_DECISION_NOTHING);
            assert_int_equal(op.op.result, ERROR_INVALID_REFRESH_TOKEN);
            assert_false(op.reuse);
            assert_int_equal(standings[i]->session.counter, 1);
        }
    }
}

static void grace_and_reuse(void **state)
{
    const struct {
        int64_t counter;
        int64_t now;
        bool reuse;
    } cases[] = {
        {2, 1060, false},
        {2, 1060 + GRACE - 1, false},
        {2, 1060 + GRACE, true},
        {1, 1000, false},
        {1, 1000 + GRACE - 1, false},
        {1, 1000 + GRACE, true},
        {0, 1060, true},
        {-1, 1060, true},
        {INT64_MIN, 1060, true},
        {INT64_MAX, 1060, true},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct session_standing standing = fresh();
        rotate_at(&standing, 1000); /* 1 is superseded */
        rotate_at(&standing, 1060); /* and 2 */
        struct store_session_refresh op = with(cases[i].counter, cases[i].now);
        assert_int_equal(session_decide_refresh(&op, &standing),
                         cases[i].reuse ? SESSION_DECISION_END : SESSION_DECISION_NOTHING);
        assert_int_equal(op.op.result, cases[i].reuse ? ERROR_INVALID_REFRESH_TOKEN : ERROR_NONE);
        assert_int_equal(op.reuse, cases[i].reuse);
        assert_int_equal(op.session.counter, 3);
        assert_int_equal(standing.session.counter, 3);
        assert_int_equal(standing.session.last_used_at, 1060);
    }
}

/* A restore, or a failover, made us forget the last rotations: their tokens are good. */
static void a_token_that_we_forgot_rotates(void **state)
{
    (void)state;
    struct session_standing standing = fresh();
    rotate_at(&standing, 1000);
    rotate_at(&standing, 1010); /* 3 is the current one, as far as we know */
    struct store_session_refresh op = with(7, 1020);
    assert_int_equal(session_decide_refresh(&op, &standing), SESSION_DECISION_ROTATE);
    assert_int_equal(op.op.result, ERROR_NONE);
    assert_false(op.reuse);
    assert_int_equal(op.session.counter, 8);
    assert_int_equal(standing.session.counter, 8);
    struct store_session_refresh again = with(7, 1021); /* the answer was lost */
    assert_int_equal(session_decide_refresh(&again, &standing), SESSION_DECISION_NOTHING);
    assert_int_equal(again.op.result, ERROR_NONE);
    /* What was current before is a replay, the grace of another life notwithstanding. */
    for (int64_t counter = 1; counter <= 6; counter++) {
        struct session_standing copy = standing;
        struct store_session_refresh old = with(counter, 1022);
        assert_int_equal(session_decide_refresh(&old, &copy), SESSION_DECISION_END);
        assert_true(old.reuse);
    }
}

/* However often a client refreshes, what the grace covers is covered, and nothing more. */
static void all_of_a_grace_is_kept(void **state)
{
    static const int64_t graces[] = {1000, 60000, 600000};
    static const int64_t pauses[] = {1, 17, 900, 12000};
    (void)state;
    for (size_t i = 0; i < COUNT(graces) * COUNT(pauses); i++) {
        const int64_t grace = graces[i % COUNT(graces)];
        const int64_t pause = pauses[i / COUNT(graces)];
        const int64_t rounds = 3 * grace / pause + 3;
        const int64_t step = grace / 48 + 1;
        struct session_standing standing = fresh();
        standing.session.expires_at = INT64_MAX;
        int64_t now = 1000000;
        for (int64_t n = 0; n < rounds; n++, now += pause) {
            struct store_session_refresh op = with(standing.session.counter, now);
            op.grace_ms = grace;
            op.lifetime_ms = INT64_MAX / 2;
            op.ttl_ms = INT64_MAX / 4;
            assert_int_equal(session_decide_refresh(&op, &standing), SESSION_DECISION_ROTATE);
        }
        now -= pause; /* the last rotation */
        for (int64_t n = 1; n < rounds; n += rounds / 200 + 1) {
            const int64_t age = (n - 1) * pause; /* of the token's end */
            struct session_standing copy = standing;
            struct store_session_refresh op = with(standing.session.counter - n, now);
            op.grace_ms = grace;
            (void)session_decide_refresh(&op, &copy);
            assert_false(op.reuse && age < grace);
            assert_false(!op.reuse && age >= grace + step);
        }
    }
}

static void without_a_grace_every_replay_ends_it(void **state)
{
    (void)state;
    struct session_standing standing = fresh();
    struct store_session_refresh op = with(1, 1000);
    op.grace_ms = 0;
    assert_int_equal(session_decide_refresh(&op, &standing), SESSION_DECISION_ROTATE);
    op = with(1, 1000);
    op.grace_ms = 0;
    assert_int_equal(session_decide_refresh(&op, &standing), SESSION_DECISION_END);
    assert_true(op.reuse);
}

static void what_is_stored_comes_back(void **state)
{
    (void)state;
    struct session_standing standing = fresh();
    rotate_at(&standing, 1000);
    const struct slice stored = {(const char *)standing.superseded, standing.superseded_size};
    struct session_standing read = {.session = standing.session};
    session_set_superseded(&read, stored);
    struct store_session_refresh op = with(1, 1000 + GRACE - 1);
    assert_int_equal(session_decide_refresh(&op, &read), SESSION_DECISION_NOTHING);
    assert_int_equal(op.op.result, ERROR_NONE);

    static const char large[SESSION_SUPERSEDED_BYTES + 1];
    session_set_superseded(&read, (struct slice){large, sizeof large});
    assert_int_equal(read.superseded_size, 0);
    session_set_superseded(&read, (struct slice){large, 7});
    assert_int_equal(read.superseded_size, 0);
    session_set_superseded(&read, (struct slice){large, SESSION_SUPERSEDED_BYTES});
    assert_int_equal(read.superseded_size, SESSION_SUPERSEDED_BYTES);
    op = with(1, 0); /* entries that are about no token */
    assert_int_equal(session_decide_refresh(&op, &read), SESSION_DECISION_END);
    session_set_superseded(&read, (struct slice){0});
    assert_int_equal(read.superseded_size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_current_token_rotates),
        cmocka_unit_test(no_session_outlives_its_lifetime),
        cmocka_unit_test(what_is_no_session),
        cmocka_unit_test(grace_and_reuse),
        cmocka_unit_test(a_token_that_we_forgot_rotates),
        cmocka_unit_test(all_of_a_grace_is_kept),
        cmocka_unit_test(without_a_grace_every_replay_ends_it),
        cmocka_unit_test(what_is_stored_comes_back),
    };
    return cmocka_run_group_tests_name("session_decision", tests, NULL, NULL);
}
