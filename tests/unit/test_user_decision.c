// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/decision.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define NOW         INT64_C(5000)

/* A hash that is no longer the one of the user decides before the account being disabled does. */
static void what_a_password_opens(void **state)
{
    const struct {
        bool exists;
        const char *hash;
        int64_t disabled_at;
        enum error change;
        enum error login;
    } cases[] = {
        {true, "verified", 0, ERROR_NONE, ERROR_NONE},
        {true, "newer", 0, ERROR_WRONG_PASSWORD, ERROR_INVALID_CREDENTIALS},
        {true, "verified", 1, ERROR_NOT_FOUND, ERROR_INVALID_CREDENTIALS},
        {true, "newer", 1, ERROR_WRONG_PASSWORD, ERROR_INVALID_CREDENTIALS},
        {true, "verifie", 0, ERROR_WRONG_PASSWORD, ERROR_INVALID_CREDENTIALS},
        {false, "verified", 0, ERROR_NOT_FOUND, ERROR_INVALID_CREDENTIALS},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct user row = {
            .password_hash = slice_of(cases[i].hash),
            .disabled_at = cases[i].disabled_at,
        };
        const struct user *user = cases[i].exists ? &row : NULL;
        assert_int_equal(user_decide_change(user, SLICE("verified")), cases[i].change);
        assert_int_equal(user_decide_login(user, SLICE("verified")), cases[i].login);
    }
}

/* The password first: whoever lacks it learns nothing of what is there. */
static void who_may_make_a_token(void **state)
{
    const struct {
        bool exists;
        const char *verified; /* NULL: an operator asks */
        int64_t disabled_at;
        int64_t count;
        enum error result;
    } cases[] = {
        {true, "hash", 0, 0, ERROR_NONE},
        {true, "hash", 0, 49, ERROR_NONE},
        {true, "hash", 0, 50, ERROR_TOO_MANY_TOKENS},
        {true, "other", 0, 50, ERROR_WRONG_PASSWORD},
        {true, "hash", 1, 0, ERROR_NOT_FOUND},
        {true, NULL, 1, 49, ERROR_NONE},
        {true, NULL, 0, 50, ERROR_TOO_MANY_TOKENS},
        {false, "hash", 0, 0, ERROR_NOT_FOUND},
        {false, NULL, 0, 0, ERROR_NOT_FOUND},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct user row = {.password_hash = SLICE("hash"),
                                 .disabled_at = cases[i].disabled_at};
        const struct store_script_token_create op = {.token = {.scopes = SCOPE_TASKS_READ},
                                                     .verified_hash = slice_of(cases[i].verified)};
        assert_int_equal(
            script_token_decide_create(&op, cases[i].exists ? &row : NULL, cases[i].count),
            cases[i].result);
    }
}

static void what_an_operator_does(void **state)
{
    const struct {
        enum store_user_verb verb;
        int64_t disabled_at;
        bool sessions_end;
        int64_t then_disabled_at;
        int64_t then_updated_at;
    } cases[] = {
        {STORE_USER_DISABLE, 0, true, NOW, 2000},
        {STORE_USER_DISABLE, 3000, true, 3000, 2000}, /* the first time stays */
        {STORE_USER_ENABLE, 3000, false, 0, 2000},
        {STORE_USER_ENABLE, 0, false, 0, 2000},
        {STORE_USER_SET_PASSWORD, 0, true, 0, NOW},
        {STORE_USER_SET_PASSWORD, 3000, true, 3000, NOW},
        {STORE_USER_ERASE, 0, true, 0, 2000},
        {STORE_USER_ERASE, 3000, true, 3000, 2000}, /* answered as it was */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_user_govern op = {
            .verb = cases[i].verb,
            .now = NOW,
            .user = {.created_at = 1000, .updated_at = 2000, .disabled_at = cases[i].disabled_at},
        };
        assert_int_equal(user_decide_govern(&op), cases[i].sessions_end);
        assert_int_equal(op.user.disabled_at, cases[i].then_disabled_at);
        assert_int_equal(op.user.updated_at, cases[i].then_updated_at);
        assert_int_equal(op.user.created_at, 1000);
    }
}

/* What is not said stays; no zone is UTC. */
static void what_a_profile_changes(void **state)
{
    const struct {
        bool sets_name;
        bool sets_time_zone;
        const char *name;
        const char *time_zone;
        const char *then_name;
        const char *then_time_zone;
    } cases[] = {
        {true, false, "Ann", "Asia/Tokyo", "Ann", "Europe/Paris"},
        {true, false, NULL, NULL, NULL, "Europe/Paris"},
        {false, true, "Ann", "Asia/Tokyo", "Ada", "Asia/Tokyo"},
        {false, true, NULL, NULL, "Ada", "UTC"},
        {true, true, "Ann", "UTC", "Ann", "UTC"},
    };
    const struct user user = {.email = SLICE("a@b.de"),
                              .name = SLICE("Ada"),
                              .time_zone = SLICE("Europe/Paris"),
                              .created_at = 1000,
                              .updated_at = 2000};
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_user_set_profile op = {.sets_name = cases[i].sets_name,
                                            .sets_time_zone = cases[i].sets_time_zone,
                                            .name = slice_of(cases[i].name),
                                            .time_zone = slice_of(cases[i].time_zone),
                                            .now = NOW};
        assert_true(user_decide_profile(&op, &user));
        assert_true(slice_eq(op.user.name, slice_of(cases[i].then_name)));
        assert_int_equal(!op.user.name.ptr, !cases[i].then_name);
        assert_true(slice_eq(op.user.time_zone, slice_of(cases[i].then_time_zone)));
        assert_int_equal(op.user.updated_at, NOW);

        op.precondition.match =
            (struct store_versions){.present = true, .count = 1, .list = {user_version(&user) ^ 2}};
        assert_false(user_decide_profile(&op, &user));
        assert_int_equal(op.op.result, ERROR_PRECONDITION_FAILED);
        assert_true(slice_eq(op.user.name, user.name));
        assert_true(slice_eq(op.user.time_zone, user.time_zone));
    }
}

/* Of what the owner sees, nothing changes unnoticed. */
static void versions_differ(void **state)
{
    const struct {
        uint8_t id;
        const char *email;
        const char *name;
        const char *time_zone;
        int64_t created_at;
        int64_t updated_at;
    } rows[] = {
        {1, "a@b.de", NULL, "UTC", 1, 1},     {2, "a@b.de", NULL, "UTC", 1, 1},
        {1, "a@b.dk", NULL, "UTC", 1, 1},     {1, "a@b.de", NULL, "UTC", 1, 2},
        {1, "a@b.de", NULL, "UTC", 2, 1},     {1, "a@b.de", "", "UTC", 1, 1},
        {1, "a@b.de", "x", "UTC", 1, 1},      {1, "a@b.d", "ex", "UTC", 1, 1},
        {1, "a@b.de", NULL, "Etc/UTC", 1, 1}, {1, "a@b.de", "Etc/", "UTC", 1, 1},
    };
    struct user users[COUNT(rows)];
    for (size_t i = 0; i < COUNT(rows); i++)
        users[i] = (struct user){.id = {{rows[i].id}},
                                 .email = slice_of(rows[i].email),
                                 .name = slice_of(rows[i].name),
                                 .time_zone = slice_of(rows[i].time_zone),
                                 .created_at = rows[i].created_at,
                                 .updated_at = rows[i].updated_at};
    (void)state;
    for (size_t i = 0; i < COUNT(users); i++) {
        const struct user same = users[i];
        assert_true(user_version(&users[i]) > 0 && user_version(&users[i]) == user_version(&same));
        for (size_t k = 0; k < i; k++)
            assert_true(user_version(&users[i]) != user_version(&users[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_password_opens), cmocka_unit_test(who_may_make_a_token),
        cmocka_unit_test(what_an_operator_does), cmocka_unit_test(what_a_profile_changes),
        cmocka_unit_test(versions_differ),
    };
    return cmocka_run_group_tests_name("user_decision", tests, NULL, NULL);
}
