// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/password.h"
#include "model/user.h"

extern const unsigned char embed_common_passwords_txt[];
extern const size_t embed_common_passwords_txt_len;

#define EIGHT_TWO_BYTE "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f"
#define SEVEN_FOUR_BYTE                                                                            \
    "\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf0\x9f\x98\x82\xf0\x9f\x98\x83\xf0\x9f\x98\x84"             \
    "\xf0\x9f\x98\x85\xf0\x9f\x98\x86"

static void the_policy(void **state)
{
    static const struct {
        struct slice password;
        struct slice email;
        unsigned least;
        enum password_verdict verdict;
    } cases[] = {
        /* length in code points */
        {{NULL, 0}, SLICE("a@example.com"), 8, PASSWORD_TOO_SHORT},
        {SLICE("zq8-kvw"), SLICE(""), 8, PASSWORD_TOO_SHORT},
        {SLICE("zq8-kvw1"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("zq8-kvw1"), SLICE(""), 9, PASSWORD_TOO_SHORT},
        {SLICE(SEVEN_FOUR_BYTE), SLICE(""), 8, PASSWORD_TOO_SHORT},
        {SLICE(EIGHT_TWO_BYTE), SLICE(""), 8, PASSWORD_OK},
        {SLICE("        "), SLICE(""), 8, PASSWORD_OK}, /* nothing is trimmed */
        /* the most common */
        {SLICE("password"), SLICE(""), 8, PASSWORD_COMMON},
        {SLICE("PassWord"), SLICE(""), 8, PASSWORD_COMMON},
        {SLICE("12345678"), SLICE(""), 8, PASSWORD_COMMON},
        {SLICE("123456789"), SLICE(""), 9, PASSWORD_COMMON},
        {SLICE("QWERTYUIOP"), SLICE(""), 10, PASSWORD_COMMON},
        {SLICE("baseball"), SLICE(""), 8, PASSWORD_COMMON},
        {SLICE("1q2w3e4r5t6y"), SLICE(""), 8, PASSWORD_COMMON},
        {SLICE("Taskhold"), SLICE(""), 8, PASSWORD_COMMON},
        {SLICE("password "), SLICE(""), 8, PASSWORD_OK},
        {SLICE(" password"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("password\n"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("\npassword"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("password\n12345678"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("password\0"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("passwor\xc3\xb0"), SLICE(""), 8, PASSWORD_OK},
        {SLICE("passwordpasswordpasswordpasswordpasswordpasswordpasswordpasswordpassword"),
         SLICE(""), 8, PASSWORD_OK},
        /* the e-mail's local part */
        {SLICE("ada.lovelace-1815"), SLICE("ada.lovelace@example.com"), 8, PASSWORD_CONTAINS_EMAIL},
        {SLICE("1815-ADA.lovelace"), SLICE("Ada.Lovelace@example.com"), 8, PASSWORD_CONTAINS_EMAIL},
        {SLICE("xx-anna-xx-horse"), SLICE("anna@example.com"), 8, PASSWORD_CONTAINS_EMAIL},
        {SLICE("xx-ann-xx-horse"), SLICE("ann@example.com"), 8, PASSWORD_OK},
        {SLICE("anna anna"), SLICE("anna"), 8, PASSWORD_CONTAINS_EMAIL},
        {SLICE("a pass phrase anna"), SLICE("anna@example.com"), 8, PASSWORD_CONTAINS_EMAIL},
        {SLICE("example.com-horse"), SLICE("anna@example.com"), 8, PASSWORD_OK},
        {SLICE("correct horse"), SLICE("correct horse battery@example.com"), 8, PASSWORD_OK},
        {SLICE("a \"b@c\" d horse"), SLICE("\"b@c\"@example.com"), 8, PASSWORD_CONTAINS_EMAIL},
        {SLICE("xx-\xc3\xa4nn-xx-horse"), SLICE("\xc3\xa4nn@example.com"), 8, PASSWORD_OK},
        {SLICE("xx-\xc3\xa4nna-x-horse"), SLICE("\xc3\xa4nna@example.com"), 8,
         PASSWORD_CONTAINS_EMAIL},
        {SLICE("correct horse"), SLICE("@example.com"), 8, PASSWORD_OK},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const enum password_verdict verdict =
            password_judge(cases[i].password, cases[i].email, cases[i].least);
        if (verdict != cases[i].verdict) {
            fail_msg("case %zu is %d, not %d: %.*s", i, (int)verdict, (int)cases[i].verdict,
                     (int)cases[i].password.len, cases[i].password.ptr);
        }
    }
}

static void the_longest(void **state)
{
    char text[USER_PASSWORD_MOST + 1];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(password_judge((struct slice){text, sizeof text - 1}, SLICE(""), 64),
                     PASSWORD_OK);
    assert_int_equal(password_judge((struct slice){text, sizeof text}, SLICE(""), 64),
                     PASSWORD_TOO_LONG);
}

static struct slice next_line(struct slice *rest)
{
    return slice_next(rest, '\n');
}

/* Every line is found, in either case; and what the search relies on: order, lower case, length. */
static void every_line_of_the_list_is_refused(void **state)
{
    struct slice rest = {(const char *)embed_common_passwords_txt, embed_common_passwords_txt_len};
    struct slice before = {"", 0};
    size_t count = 0;

    (void)state;
    assert_true(rest.len > 0 && rest.ptr[rest.len - 1] == '\n');
    rest.len--;
    while (rest.ptr) {
        const struct slice line = next_line(&rest);
        const size_t shorter = line.len < before.len ? line.len : before.len;
        const int order = memcmp(before.ptr, line.ptr, shorter);
        char upper[64];
        assert_in_range(line.len, 8, sizeof upper);
        assert_true(order < 0 || (order == 0 && before.len < line.len));
        for (size_t i = 0; i < line.len; i++) {
            const char c = line.ptr[i];
            assert_true(c > ' ' && c < 127 && !(c >= 'A' && c <= 'Z'));
            upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
        }
        assert_int_equal(password_judge(line, SLICE(""), 8), PASSWORD_COMMON);
        assert_int_equal(password_judge((struct slice){upper, line.len}, SLICE(""), 8),
                         PASSWORD_COMMON);
        before = line;
        count++;
    }
    assert_true(count >= 3000);
}

/* Neighbours of the lines, most of which are no lines themselves: the search ends, and says so. */
static void neighbours_are_not_common(void **state)
{
    struct slice rest = {(const char *)embed_common_passwords_txt,
                         embed_common_passwords_txt_len - 1};

    (void)state;
    while (rest.ptr) {
        const struct slice line = next_line(&rest);
        char text[66];
        memcpy(text, line.ptr, line.len);
        text[line.len] = '\x01';
        assert_int_equal(password_judge((struct slice){text, line.len + 1}, SLICE(""), 8),
                         PASSWORD_OK);
        text[line.len] = '\x7f';
        assert_int_equal(password_judge((struct slice){text, line.len + 1}, SLICE(""), 8),
                         PASSWORD_OK);
    }
    assert_int_equal(password_judge(SLICE("\x01\x01\x01\x01\x01\x01\x01\x01"), SLICE(""), 8),
                     PASSWORD_OK);
    assert_int_equal(password_judge(SLICE("\x7f\x7f\x7f\x7f\x7f\x7f\x7f\x7f"), SLICE(""), 8),
                     PASSWORD_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy),
        cmocka_unit_test(the_longest),
        cmocka_unit_test(every_line_of_the_list_is_refused),
        cmocka_unit_test(neighbours_are_not_common),
    };

    return cmocka_run_group_tests_name("password", tests, NULL, NULL);
}
