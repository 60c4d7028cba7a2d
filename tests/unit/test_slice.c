// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

static void compares_without_case(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool equal;
    } cases[] = {
        {"", "", true},     {"Host", "hOST", true},          {"a", "b", false},
        {"a", "aa", false}, {"@[`{", "@[`{", true},          {"@", "`", false},
        {"[", "{", false},  {"\xc3\x84", "\xc3\xa4", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(slice_eq_nocase(slice_of(cases[i].a), slice_of(cases[i].b)),
                         cases[i].equal);
    }
    assert_true(slice_eq_nocase((struct slice){0}, SLICE("")));
}

static void compares_bytes(void **state)
{
    (void)state;
    assert_true(slice_eq((struct slice){0}, SLICE("")));
    assert_true(slice_eq(SLICE("a\0b"), SLICE("a\0b")));
    assert_false(slice_eq(SLICE("a\0b"), SLICE("a\0c")));
    assert_true(slice_starts(SLICE("abc"), SLICE("ab")));
    assert_true(slice_starts((struct slice){0}, (struct slice){0}));
    assert_false(slice_starts(SLICE("ab"), SLICE("abc")));
}

static void trims_blanks_and_nothing_else(void **state)
{
    static const char *const cases[][2] = {
        {"", ""}, {" ", ""}, {"\t a b \t", "a b"}, {"a", "a"}, {"\r\na ", "\r\na"}, {"\va", "\va"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(slice_eq(slice_trim(slice_of(cases[i][0])), slice_of(cases[i][1])));
    }
    assert_int_equal(slice_trim((struct slice){0}).len, 0);
}

static void splits_at_separators(void **state)
{
    static const struct {
        const char *text;
        const char *parts[4];
        size_t count;
    } cases[] = {
        {"", {""}, 1},
        {"a", {"a"}, 1},
        {"a,b", {"a", "b"}, 2},
        {",", {"", ""}, 2},
        {"a,,b", {"a", "", "b"}, 3},
        {"a,b,", {"a", "b", ""}, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice rest = slice_of(cases[i].text);
        size_t count = 0;
        while (rest.ptr) {
            const struct slice part = slice_next(&rest, ',');
            assert_true(count < cases[i].count);
            assert_true(slice_eq(part, slice_of(cases[i].parts[count])));
            count++;
        }
        assert_int_equal(count, cases[i].count);
    }
}

static void reads_numbers(void **state)
{
    static const struct {
        const char *text;
        uint64_t most;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", 0, true, 0},
        {"007", 7, true, 7},
        {"100", 100, true, 100},
        {"101", 100, false, 0},
        {"7", 5, false, 0},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"99999999999999999999999", UINT64_MAX, false, 0},
        {"", 9, false, 0},
        {"+1", 9, false, 0},
        {"-1", 9, false, 0},
        {" 1", 9, false, 0},
        {"1 ", 9, false, 0},
        {"0x1", 99, false, 0},
        {"1/", 99, false, 0},
        {"1:", 99, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 42;
        const bool good = slice_to_u64(slice_of(cases[i].text), cases[i].most, &value);
        assert_int_equal(good, cases[i].good);
        assert_int_equal(value, good ? cases[i].value : 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_without_case),
        cmocka_unit_test(compares_bytes),
        cmocka_unit_test(trims_blanks_and_nothing_else),
        cmocka_unit_test(splits_at_separators),
        cmocka_unit_test(reads_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
