// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/complain.h"

static void finds_what_was_meant(void **state)
{
    static const char *const names[] = {"serve",       "migrate", "config", "routes",
                                        "healthcheck", "version", "help"};
    static const struct {
        const char *word;
        const char *nearest;
    } cases[] = {
        {"serv", "serve"},
        {"server", "serve"},
        {"srve", "serve"},
        {"sevre", "serve"},
        {"SERVE", NULL},
        {"hepl", "help"},
        {"health-check", "healthcheck"},
        {"helthchek", "healthcheck"},
        {"confg", "config"},
        {"serve", "serve"},
        {"", NULL},
        {"x", NULL},
        {"frobnicate", NULL},
        {"a-word-that-is-far-longer-than-any-name-in-the-table", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct suggest suggest = {.word = cases[i].word};
        for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
            suggest_offer(&suggest, names[n]);
        }
        if (cases[i].nearest) {
            assert_non_null(suggest.nearest);
            assert_string_equal(suggest.nearest, cases[i].nearest);
        } else {
            assert_null(suggest.nearest);
        }
    }
}

static void prefers_the_nearer_name(void **state)
{
    struct suggest suggest = {.word = "log-levle"};

    (void)state;
    suggest_offer(&suggest, "log-lever-arm");
    suggest_offer(&suggest, "log-level");
    suggest_offer(&suggest, "log-lvl");
    assert_string_equal(suggest.nearest, "log-level");
    assert_int_equal(suggest.distance, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_meant),
        cmocka_unit_test(prefers_the_nearer_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
