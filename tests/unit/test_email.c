// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/user_fields.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void good_addresses(void **state)
{
    static const char *const good[] = {
        "a@b",
        "ada@example.com",
        "Ada.Lovelace@Example.COM",
        "a+b@example.com",
        "a.b..c@example.com", /* the HTML standard's grammar allows it */
        "!#$%&'*+/=?^_`{|}~-@x.y",
        "1@2.3",
        "a@xn--bcher-kva.example",
        "a@a-b.c-d.e",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_null(user_email_wrong(slice_of(good[i])));
    }
}

static void bad_addresses(void **state)
{
    static const char *const bad[] = {
        "",        "a",           "@",          "a@",     "@b",          "a@b@c",   "a b@c",
        "a@b c",   " a@b",        "a@b ",       "a@.b",   "a@b.",        "a@b..c",  "a@-b",
        "a@b-",    "a@b-.c",      "a@b_c",      "a,b@c",  "a@[1.2.3.4]", "\"a\"@b", "a@b\n",
        "a\x01@b", "a@b\xc3\xa9", "\xc3\xa9@b", "a(b)@c", "a@b:c",       "a;b@c",   "a<b@c",
        "a@b,c",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_non_null(user_email_wrong(slice_of(bad[i])));
    }
    assert_non_null(user_email_wrong((struct slice){"a\0b@c", 5}));
    assert_non_null(user_email_wrong((struct slice){"a@b\0c", 5}));
}

/* `local` a's, an @, then labels of `label` b's until there are `total` bytes. */
static struct slice make(char *out, size_t local, size_t label, size_t total)
{
    memset(out, 'b', total);
    memset(out, 'a', local);
    out[local] = '@';
    for (size_t i = local + 1 + label; i < total - 1; i += label + 1) {
        out[i] = '.';
    }
    return (struct slice){out, total};
}

static void lengths(void **state)
{
    char text[300];
    (void)state;
    assert_null(user_email_wrong(make(text, 64, 63, 254)));
    assert_non_null(user_email_wrong(make(text, 64, 63, 255)));
    assert_non_null(user_email_wrong(make(text, 65, 63, 200)));
    assert_null(user_email_wrong(make(text, 1, 63, 65)));
    assert_non_null(user_email_wrong(make(text, 1, 64, 66)));
}

/* Who typed it learns what to change. */
static void what_is_wrong(void **state)
{
    static const struct {
        const char *email;
        const char *said; /* a part of it */
    } cases[] = {
        {" a@b", "white space"},
        {"a@b\t", "white space"},
        {"a@b\xe3\x80\x80", "white space"},
        {"\xc2\xa0"
         "a@b",
         "white space"},
        {"a@b\xc3\xbc"
         "cher.example",
         "xn--"},
        {"a@b\xe3\x80\x82jp", "xn--"},
        {"\xc3\xa9@b", "ASCII"},
        {"a b@c", "before the @ must hold"},
        {"@b", "nothing before the @"},
        {"a", "one @"},
        {"a@b@c", "one @"},
        {"a@", "empty"},
        {"a@b..c", "empty"},
        {"a@-b", "hyphen"},
        {"a@b_c", "letters, digits, hyphens"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@b", "64"},
        {"a@bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "63"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *wrong = user_email_wrong(slice_of(cases[i].email));
        if (!wrong || !strstr(wrong, cases[i].said)) {
            fail_msg("%s: %s", cases[i].email, wrong ? wrong : "nothing");
        }
    }
    assert_null(user_email_wrong(SLICE("a@b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_addresses),
        cmocka_unit_test(bad_addresses),
        cmocka_unit_test(lengths),
        cmocka_unit_test(what_is_wrong),
    };
    return cmocka_run_group_tests_name("email", tests, NULL, NULL);
}
