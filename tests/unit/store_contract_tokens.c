// SPDX-License-Identifier: MIT
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "store_contract.h"
#include "store_contract_parts.h"
#include "store_fixture.h"

/* Tokens of scripts. */

#define NOW TEST_NOW

/* A hash that nobody else has; the same number gives the same. */
static const uint8_t *hash_of(unsigned number)
{
    static uint8_t hash[STORE_SCRIPT_TOKEN_HASH_LEN];
    memset(hash, 0x5a, sizeof hash);
    memcpy(hash, &number, sizeof number);
    return hash;
}

static struct store_script_token_create create_of(struct uuid user, unsigned number)
{
    return (struct store_script_token_create){
        .token = {.id = uuid_make_v7(),
                  .user = user,
                  .scopes = SCOPE_TASKS_WRITE | SCOPE_ACCOUNT_READ,
                  .created_at = NOW + number,
                  .name = SLICE("back up \xc3\xa9")},
        .hash = hash_of(number),
        .verified_hash = TEST_HASH,
    };
}

static struct script_token make(struct loop *loop, struct uuid user, unsigned number)
{
    struct store_script_token_create op = create_of(user, number);
    assert_int_equal(LOOP_CALL(loop, script_token_create, &op), ERROR_NONE);
    return op.token;
}

static enum error check(struct loop *loop, unsigned number, int64_t now, struct script_token *token)
{
    struct store_script_token_check op = {.hash = hash_of(number), .now = now};
    const enum error result = LOOP_CALL(loop, script_token_check, &op);
    if (token)
        *token = op.token;
    return result;
}

struct listing {
    struct store_script_token_list op;
    struct script_token rows[4];
    char ips[4][32];
    unsigned count;
};

static void on_row(struct store_script_token_list *op, const struct script_token *row)
{
    struct listing *listing = (struct listing *)op;
    assert_true(uuid_eq(row->user, op->user));
    assert_true(slice_eq(row->name, SLICE("back up \xc3\xa9")));
    if (listing->count < 4) {
        listing->rows[listing->count] = *row;
        assert_true(row->ip.len < sizeof listing->ips[0]);
        (void)snprintf(listing->ips[listing->count], sizeof listing->ips[0], "%.*s",
                       (int)row->ip.len, row->ip.ptr ? row->ip.ptr : "");
    }
    listing->count++;
}

static struct listing list(struct loop *loop, struct uuid user, int64_t now)
{
    struct listing listing = {.op = {.user = user, .now = now, .each = on_row}};
    assert_int_equal(LOOP_CALL(loop, script_token_list, &listing.op), ERROR_NONE);
    return listing;
}

static void test_check(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct script_token found;
    const struct script_token made = make(&loop, ann, 1);
    assert_int_equal(check(&loop, 1, NOW, &found), ERROR_NONE);
    assert_true(uuid_eq(found.id, made.id));
    assert_true(uuid_eq(found.user, ann));
    assert_int_equal(found.scopes, SCOPE_TASKS_WRITE | SCOPE_ACCOUNT_READ);
    assert_int_equal(found.created_at, NOW + 1);
    assert_int_equal(found.last_used_at, 0);
    assert_int_equal(found.expires_at, 0);
    assert_int_equal(check(&loop, 2, NOW, NULL), ERROR_NOT_FOUND);

    struct store_script_token_create short_one = create_of(ann, 2);
    short_one.token.expires_at = NOW + 1000;
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &short_one), ERROR_NONE);
    assert_int_equal(check(&loop, 2, NOW + 999, &found), ERROR_NONE);
    assert_int_equal(found.expires_at, NOW + 1000);
    assert_int_equal(check(&loop, 2, NOW + 1000, NULL), ERROR_NOT_FOUND);
    assert_int_equal(list(&loop, ann, NOW + 999).count, 2);
    assert_int_equal(list(&loop, ann, NOW + 1000).count, 1);
    loop_close(&loop);
}

/* Of a stream that is under way only the id of its token is known. */
static enum error is_alive(struct loop *loop, struct uuid user, struct uuid id, int64_t now)
{
    struct store_session_check op = {.user = user, .id = id, .of_script = true, .now = now};
    return LOOP_CALL(loop, session_check, &op);
}

static void test_alive_by_its_id(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    const struct script_token made = make(&loop, ann, 1);
    struct store_script_token_create short_one = create_of(ann, 2);
    short_one.token.expires_at = NOW + 1000;
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &short_one), ERROR_NONE);
    assert_int_equal(is_alive(&loop, ann, made.id, NOW), ERROR_NONE);
    assert_int_equal(is_alive(&loop, bob, made.id, NOW), ERROR_NOT_FOUND);
    assert_int_equal(is_alive(&loop, ann, short_one.token.id, NOW + 999), ERROR_NONE);
    assert_int_equal(is_alive(&loop, ann, short_one.token.id, NOW + 1000), ERROR_NOT_FOUND);
    struct store_session_check session = {.user = ann, .id = made.id, .now = NOW};
    assert_int_equal(LOOP_CALL(&loop, session_check, &session), ERROR_NOT_FOUND);
    struct store_user_govern govern = {.verb = STORE_USER_DISABLE, .id = ann, .now = NOW};
    assert_int_equal(LOOP_CALL(&loop, user_govern, &govern), ERROR_NONE);
    assert_int_equal(is_alive(&loop, ann, made.id, NOW), ERROR_NOT_FOUND);
    loop_close(&loop);
}

static void test_create_is_refused(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct store_script_token_create op = create_of(ann, 1);
    op.verified_hash = SLICE("old");
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &op), ERROR_WRONG_PASSWORD);
    assert_int_equal(check(&loop, 1, NOW, NULL), ERROR_NOT_FOUND);
    op = create_of(uuid_make_v7(), 1);
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &op), ERROR_NOT_FOUND);
    op.verified_hash = (struct slice){0};
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &op), ERROR_NOT_FOUND);
    op = create_of(ann, 1);
    op.verified_hash = (struct slice){0}; /* an operator's */
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &op), ERROR_NONE);
    loop_close(&loop);
}

/* Those that have expired do not count. */
static void test_there_are_fifty(void **state)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    for (unsigned i = 0; i < SCRIPT_TOKENS_MOST; i++) {
        struct store_script_token_create op = create_of(ann, i);
        op.token.created_at = NOW;
        op.token.expires_at = i == 7 ? NOW + 10 : 0;
        assert_int_equal(LOOP_CALL(&loop, script_token_create, &op), ERROR_NONE);
    }
    struct store_script_token_create more = create_of(ann, 100);
    more.token.created_at = NOW;
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &more), ERROR_TOO_MANY_TOKENS);
    assert_int_equal(check(&loop, 100, NOW, NULL), ERROR_NOT_FOUND);
    (void)make(&loop, bob, 101);
    more.token.created_at = NOW + 10;
    more.hash = hash_of(100);
    assert_int_equal(LOOP_CALL(&loop, script_token_create, &more), ERROR_NONE);
    assert_int_equal(list(&loop, ann, NOW + 10).count, SCRIPT_TOKENS_MOST);
    loop_close(&loop);
}

static void test_list_and_end(void **pointer)
{
    struct contract_state *state = *pointer;
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct uuid bob = make_user(&loop, "bob");
    const struct script_token first = make(&loop, ann, 1);
    const struct script_token second = make(&loop, ann, 2);
    (void)make(&loop, bob, 3);
    struct listing page = list(&loop, ann, NOW);
    assert_int_equal(page.count, 2);
    assert_true(uuid_eq(page.rows[0].id, second.id));
    assert_true(uuid_eq(page.rows[1].id, first.id));
    assert_int_equal(page.rows[1].created_at, NOW + 1);
    assert_null(page.rows[1].ip.ptr);

    struct store_script_token_end end = {.user = bob, .id = first.id};
    assert_int_equal(LOOP_CALL(&loop, script_token_end, &end), ERROR_NOT_FOUND);
    assert_int_equal(state->ended_count, 0);
    end.user = ann;
    assert_int_equal(LOOP_CALL(&loop, script_token_end, &end), ERROR_NONE);
    assert_int_equal(state->ended_count, 1);
    assert_true(uuid_eq(state->ended[0], ann));
    assert_int_equal(check(&loop, 1, NOW, NULL), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, 2, NOW, NULL), ERROR_NONE);
    assert_int_equal(LOOP_CALL(&loop, script_token_end, &end), ERROR_NOT_FOUND);
    assert_int_equal(state->ended_count, 1);
    assert_int_equal(list(&loop, ann, NOW).count, 1);
    loop_close(&loop);
}

static void use(struct loop *loop, struct uuid user, struct uuid id, const char *ip, int64_t now)
{
    struct store_script_token_use op = {.user = user, .id = id, .ip = slice_of(ip), .now = now};
    assert_int_equal(LOOP_CALL(loop, script_token_use, &op), ERROR_NONE);
}

/* A use soon after another is left out; one by a stranger's id changes nothing. */
static void test_uses(void **state)
{
    static const int64_t half = SCRIPT_TOKEN_USED_MS / 2;
    struct loop loop;
    struct uuid ann = contract_open_with_user(state, &loop);
    struct uuid bob = make_user(&loop, "bob");
    const struct script_token made = make(&loop, ann, 1);
    struct script_token found;
    use(&loop, bob, made.id, "::9", NOW);
    use(&loop, ann, uuid_make_v7(), "::9", NOW);
    assert_int_equal(check(&loop, 1, NOW, &found), ERROR_NONE);
    assert_int_equal(found.last_used_at, 0);
    use(&loop, ann, made.id, "::1", NOW);
    use(&loop, ann, made.id, "::2", NOW + half - 1);
    struct listing page = list(&loop, ann, NOW);
    assert_int_equal(page.rows[0].last_used_at, NOW);
    assert_string_equal(page.ips[0], "::1");
    use(&loop, ann, made.id, "::3", NOW + half);
    page = list(&loop, ann, NOW);
    assert_int_equal(page.rows[0].last_used_at, NOW + half);
    assert_string_equal(page.ips[0], "::3");
    assert_int_equal(check(&loop, 1, NOW, &found), ERROR_NONE);
    assert_int_equal(found.last_used_at, NOW + half);
    loop_close(&loop);
}

/* The password ends them all; to end other sessions does not. */
static void test_what_ends_them(void **pointer)
{
    struct loop loop;
    struct uuid ann = contract_open_with_user(pointer, &loop);
    struct uuid bob = make_user(&loop, "bob");
    struct store_session_create login = session_of(ann, "::1", NOW);
    assert_int_equal(LOOP_CALL(&loop, session_create, &login), ERROR_NONE);
    (void)make(&loop, ann, 1);
    (void)make(&loop, bob, 2);
    struct store_session_end others = {.user = ann, .id = login.session.id, .others = true};
    assert_int_equal(LOOP_CALL(&loop, session_end, &others), ERROR_NONE);
    assert_int_equal(check(&loop, 1, NOW, NULL), ERROR_NONE);

    struct store_user_set_password set = {.id = ann,
                                          .verified_hash = TEST_HASH,
                                          .hash = TEST_HASH,
                                          .keep = login.session.id,
                                          .now = NOW + 9};
    assert_int_equal(LOOP_CALL(&loop, user_set_password, &set), ERROR_NONE);
    assert_int_equal(check(&loop, 1, NOW, NULL), ERROR_NOT_FOUND);
    assert_int_equal(check(&loop, 2, NOW, NULL), ERROR_NONE);

    struct store_user_govern govern = {
        .verb = STORE_USER_DISABLE, .id = bob, .hash = TEST_HASH, .now = NOW};
    assert_int_equal(LOOP_CALL(&loop, user_govern, &govern), ERROR_NONE);
    assert_int_equal(check(&loop, 2, NOW, NULL), ERROR_NOT_FOUND);
    govern.verb = STORE_USER_ENABLE;
    assert_int_equal(LOOP_CALL(&loop, user_govern, &govern), ERROR_NONE);
    assert_int_equal(check(&loop, 2, NOW, NULL), ERROR_NONE);
    govern.verb = STORE_USER_SET_PASSWORD;
    assert_int_equal(LOOP_CALL(&loop, user_govern, &govern), ERROR_NONE);
    assert_int_equal(check(&loop, 2, NOW, NULL), ERROR_NOT_FOUND);

    (void)make(&loop, ann, 3);
    (void)make(&loop, bob, 4);
    struct store_user_delete erase = {.id = ann, .verified_hash = TEST_HASH};
    assert_int_equal(LOOP_CALL(&loop, user_delete, &erase), ERROR_NONE);
    assert_int_equal(check(&loop, 3, NOW, NULL), ERROR_NOT_FOUND);
    assert_int_equal(list(&loop, ann, NOW).count, 0);
    govern.verb = STORE_USER_ERASE;
    assert_int_equal(LOOP_CALL(&loop, user_govern, &govern), ERROR_NONE);
    assert_int_equal(check(&loop, 4, NOW, NULL), ERROR_NOT_FOUND);
    loop_close(&loop);
}

int store_contract_tokens(void)
{
    const struct CMUnitTest tests[] = {
        CONTRACT_TEST(test_alive_by_its_id),   CONTRACT_TEST(test_check),
        CONTRACT_TEST(test_create_is_refused), CONTRACT_TEST(test_there_are_fifty),
        CONTRACT_TEST(test_list_and_end),      CONTRACT_TEST(test_uses),
        CONTRACT_TEST(test_what_ends_them),
    };
    return cmocka_run_group_tests_name("store: tokens of scripts", tests, NULL, NULL);
}
