// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

static void steps_over_one_code_point(void **state)
{
    static const struct {
        const char *text;
        size_t step;
    } cases[] = {
        {"", 0},
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80z", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        /* A tail alone, overlong forms, surrogates, above U+10FFFF, cut off, a wrong tail. */
        {"\x80", 0},
        {"\xbf", 0},
        {"\xc0\x80", 0},
        {"\xc1\xbf", 0},
        {"\xe0\x9f\xbf", 0},
        {"\xed\xa0\x80", 0},
        {"\xed\xbf\xbf", 0},
        {"\xf0\x8f\xbf\xbf", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"\xc3", 0},
        {"\xe2\x82", 0},
        {"\xf0\x9f\x98", 0},
        {"\xc3(", 0},
        {"\xe2\x82(", 0},
        {"\xf0\x9f\x98(", 0},
        {"\xe2(\x82", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(utf8_step(slice_of(cases[i].text)), cases[i].step);
    }
}

static void knows_every_code_point(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x110800; point++) {
        unsigned char bytes[4] = {(unsigned char)point};
        size_t len = 1;
        if (point >= 0x10000) {
            len = 4;
            bytes[0] = (unsigned char)(0xf0 | point >> 18);
            bytes[1] = (unsigned char)(0x80 | (point >> 12 & 0x3f));
            bytes[2] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
            bytes[3] = (unsigned char)(0x80 | (point & 0x3f));
        } else if (point >= 0x800) {
            len = 3;
            bytes[0] = (unsigned char)(0xe0 | point >> 12);
            bytes[1] = (unsigned char)(0x80 | (point >> 6 & 0x3f));
            bytes[2] = (unsigned char)(0x80 | (point & 0x3f));
        } else if (point >= 0x80) {
            len = 2;
            bytes[0] = (unsigned char)(0xc0 | point >> 6);
            bytes[1] = (unsigned char)(0x80 | (point & 0x3f));
        }
        const bool good = point < 0x110000 && (point < 0xd800 || point > 0xdfff);
        assert_int_equal(utf8_step((struct slice){(char *)bytes, len}), good ? len : 0);
    }
}

static void judges_whole_texts(void **state)
{
    (void)state;
    assert_true(utf8_valid((struct slice){0}));
    assert_true(utf8_valid(SLICE("a\0\xc3\xa4\xf0\x9f\x98\x80")));
    assert_false(utf8_valid(SLICE("abc\xff")));
    assert_false(utf8_valid(SLICE("abc\xe2\x82")));
}

static void cuts_between_code_points(void **state)
{
    static const struct {
        size_t most;
        size_t len;
    } cases[] = {{0, 0}, {1, 1}, {2, 1}, {3, 3}, {4, 3}, {5, 3}, {6, 6}, {7, 7}, {99, 7}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(utf8_cut(SLICE("a\xc3\xa4\xe2\x82\xac"
                                        "b"),
                                  cases[i].most)
                             .len,
                         cases[i].len);
    }
    assert_int_equal(utf8_cut((struct slice){0}, 5).len, 0);
}

static void tells_a_terminal_nothing(void **state)
{
    static const struct {
        struct slice text;
        struct slice line;
    } cases[] = {
        {SLICE(""), SLICE("")},
        {SLICE("a\xc3\xa4\xf0\x9f\x98\x80 ~"), SLICE("a\xc3\xa4\xf0\x9f\x98\x80 ~")},
        {SLICE("a\033[2J\x7f\0b"), SLICE("a [2J  b")},
        {SLICE("\xc2\x9b"
               "31m\xc2\xa0\xc2\x80"),
         SLICE("  31m\xc2\xa0  ")},
        {SLICE("\x9b\xff\xe2\x82"), SLICE("????")},
        {SLICE("a\r\nb\tc"), SLICE("a  b c")},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        memcpy(text, cases[i].text.ptr, cases[i].text.len);
        utf8_tame(text, cases[i].text.len, false);
        assert_int_equal(cases[i].text.len, cases[i].line.len);
        assert_memory_equal(text, cases[i].line.ptr, cases[i].line.len);
    }
    char lines[] = "a\r\nb";
    utf8_tame(lines, 4, true);
    assert_string_equal(lines, "a \nb");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_a_terminal_nothing), cmocka_unit_test(steps_over_one_code_point),
        cmocka_unit_test(knows_every_code_point),   cmocka_unit_test(judges_whole_texts),
        cmocka_unit_test(cuts_between_code_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
