// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/field.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

static void facts_of_texts(void **state)
{
    static const struct {
        const char *text;
        struct text_facts facts;
    } cases[] = {
        {"", {0, false, false, true}},
        {"a", {1, false, false, false}},
        {"  ", {2, false, false, true}},
        {"\t\r\n", {3, true, false, true}},
        {"a\n", {2, true, false, false}},
        {"a\x01", {2, false, true, false}},
        {"a\x7f", {2, false, true, false}},
        {"\x0b\x0c", {2, false, true, true}},
        {"a\xc2\x80", {2, false, true, false}},                /* U+0080, C1 */
        {"a\xc2\x9f", {2, false, true, false}},                /* U+009F, C1 */
        {"\xc2\x85", {1, false, true, true}},                  /* U+0085, C1 and white space */
        {"\xc2\xa0", {1, false, false, true}},                 /* U+00A0 */
        {"\xe1\x9a\x80", {1, false, false, true}},             /* U+1680 */
        {"\xe2\x80\x80\xe2\x80\x8a", {2, false, false, true}}, /* U+2000, U+200A */
        {"\xe2\x80\x8b", {1, false, false, false}},            /* U+200B is no white space */
        {"\xe2\x80\xa8\xe2\x80\xa9", {2, false, false, true}}, /* U+2028, U+2029 */
        {"\xe2\x80\xaf\xe2\x81\x9f", {2, false, false, true}}, /* U+202F, U+205F */
        {"\xe3\x80\x80", {1, false, false, true}},             /* U+3000 */
        {"\xc3\xa9", {1, false, false, false}},                /* U+00E9 */
        {"\xf0\x9f\x98\x80", {1, false, false, false}},        /* U+1F600 */
        {"e\xcc\x81", {2, false, false, false}},               /* code points, not graphemes */
        {" \xf4\x8f\xbf\xbf ", {3, false, false, false}},      /* U+10FFFF */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text_facts facts = text_look(slice_of(cases[i].text));
        assert_int_equal(facts.code_points, cases[i].facts.code_points);
        assert_int_equal(facts.line_control, cases[i].facts.line_control);
        assert_int_equal(facts.other_control, cases[i].facts.other_control);
        assert_int_equal(facts.blank, cases[i].facts.blank);
    }
}

/* NUL is a control character like others; a slice does not end at it. */
static void facts_of_nul(void **state)
{
    (void)state;
    struct text_facts facts = text_look((struct slice){"a\0b", 3});
    assert_int_equal(facts.code_points, 3);
    assert_true(facts.other_control);
    assert_false(facts.blank);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_texts),
        cmocka_unit_test(facts_of_nul),
    };
    return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
