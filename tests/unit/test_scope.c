// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/scope.h"

#define R SCOPE_TASKS_READ
#define W SCOPE_TASKS_WRITE
#define A SCOPE_ACCOUNT_READ

static void names_are_read_whole(void **state)
{
    (void)state;
    assert_int_equal(scope_named(SLICE("tasks:read")), R);
    assert_int_equal(scope_named(SLICE("tasks:write")), W);
    assert_int_equal(scope_named(SLICE("account:read")), A);
    static const struct slice wrong[] = {{"", 0},
                                         {"tasks", 5},
                                         {"tasks:rea", 9},
                                         {"Tasks:read", 10},
                                         {"tasks:read ", 11},
                                         {"account:write", 13}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(scope_named(wrong[i]), 0);
    }
}

static void sets_are_written_in_one_order(void **state)
{
    (void)state;
    static const struct {
        unsigned scopes;
        const char *text;
    } cases[] = {{0, ""},
                 {R, "tasks:read"},
                 {W, "tasks:write"},
                 {A, "account:read"},
                 {R | A, "tasks:read account:read"},
                 {W | A, "tasks:write account:read"},
                 {SCOPE_ALL, "tasks:read tasks:write account:read"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[SCOPE_TEXT_MOST];
        assert_true(slice_eq(scope_write(cases[i].scopes, text), slice_of(cases[i].text)));
    }
}

/* Rows: what is held; columns: what is needed. */
static void writing_includes_reading_and_nothing_else(void **state)
{
    (void)state;
    static const bool covers[SCOPE_ALL + 1][SCOPE_ALL + 1] = {
        /*          0      R  W  RW A  AR AW all */
        /* 0  */ {false, 0, 0, 0, 0, 0, 0, 0},
        /* R  */ {false, 1, 0, 0, 0, 0, 0, 0},
        /* W  */ {false, 1, 1, 1, 0, 0, 0, 0},
        /* RW */ {false, 1, 1, 1, 0, 0, 0, 0},
        /* A  */ {false, 0, 0, 0, 1, 0, 0, 0},
        /* AR */ {false, 1, 0, 0, 1, 1, 0, 0},
        /* AW */ {false, 1, 1, 1, 1, 1, 1, 1},
        /* all*/ {false, 1, 1, 1, 1, 1, 1, 1},
    };
    for (unsigned held = 0; held <= SCOPE_ALL; held++) {
        for (unsigned needed = 0; needed <= SCOPE_ALL; needed++) {
            assert_int_equal(scope_covers(held, needed), covers[held][needed]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_read_whole),
        cmocka_unit_test(sets_are_written_in_one_order),
        cmocka_unit_test(writing_includes_reading_and_nothing_else),
    };
    return cmocka_run_group_tests_name("scope", tests, NULL, NULL);
}
