// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/weburl.h"

static void knows_origins(void **state)
{
    static const char *const good[] = {"https://app.example",       "http://localhost:5173",
                                       "http://[::1]:8080",         "http://a_b-c.d",
                                       "capacitor://localhost",     "tauri://localhost",
                                       "ionic://localhost",         "app://-",
                                       "chrome-extension://abcdef", "x+y.z-1://a"};
    static const char *const bad[] = {"https://app.example:443",
                                      "http://app.example:80",
                                      "http://[::1]:80",
                                      "",
                                      "null",
                                      "*",
                                      "https://",
                                      "https://A.example",
                                      "HTTPS://a",
                                      "https://a/",
                                      "https://a?",
                                      "https://a#",
                                      "https://a b",
                                      "https://*.a",
                                      "a.example",
                                      "://a",
                                      "1a://b",
                                      "https:/a",
                                      "https://a:",
                                      "https://a:x",
                                      "https://a:65536",
                                      "https://u@a",
                                      "https://[::1",
                                      "https://[]",
                                      "https://[::1]x",
                                      "https://:80",
                                      "https://a:1:2"};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!weburl_is_origin(slice_of(good[i]))) {
            fail_msg("%s", good[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (weburl_is_origin(slice_of(bad[i]))) {
            fail_msg("%s", bad[i]);
        }
    }
}

static void cuts_public_urls(void **state)
{
    static const struct {
        const char *url;
        const char *base; /* NULL: refused */
        const char *path;
    } cases[] = {
        {"https://example.com", "https://example.com", ""},
        {"https://example.com/", "https://example.com", ""},
        {"http://h:8080/todo", "http://h:8080/todo", "/todo"},
        {"https://h/a/B_c~1/", "https://h/a/B_c~1", "/a/B_c~1"},
        {"https://[::1]:1/x", "https://[::1]:1/x", "/x"},
        {"https://h//", NULL, NULL},
        {"https://h/a//b", NULL, NULL},
        {"https://h/./b", NULL, NULL},
        {"https://h/..", NULL, NULL},
        {"https://h/a?b", NULL, NULL},
        {"https://h/a#b", NULL, NULL},
        {"https://h/%41", NULL, NULL},
        {"https://h/a\"b", NULL, NULL},
        {"https://h/a'b", NULL, NULL},
        {"https://h/a&b", NULL, NULL},
        {"ftp://h/a", NULL, NULL},
        {"https:///a", NULL, NULL},
        {"h/a", NULL, NULL},
        {"/a", NULL, NULL},
        {"", NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (weburl_is_public(slice_of(cases[i].url)) != (cases[i].base != NULL)) {
            fail_msg("%s", cases[i].url);
        }
        if (cases[i].base) {
            assert_true(slice_eq(weburl_base(cases[i].url), slice_of(cases[i].base)));
            assert_true(slice_eq(weburl_path(cases[i].url), slice_of(cases[i].path)));
        }
    }
    assert_int_equal(weburl_base(NULL).len, 0);
    assert_int_equal(weburl_path(NULL).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_origins),
        cmocka_unit_test(cuts_public_urls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
