// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/fold.h"

static void assert_slice(struct slice text, struct slice expected)
{
    if (!slice_eq(text, expected))
        fail_msg("'%.*s', not '%.*s'", (int)text.len, text.ptr, (int)expected.len, expected.ptr);
}

static void assert_folded(void (*add)(struct buffer *, struct slice), struct slice text,
                          struct slice expected)
{
    struct buffer out;
    buffer_init(&out, 1 << 16);
    add(&out, text);
    assert_false(out.failed);
    assert_slice(buffer_slice(&out), expected);
    buffer_finish(&out);
}

static void case_and_accents_do_not_count(void **state)
{
    static const struct {
        const char *text;
        const char *folded;
    } cases[] = {
        {"", ""},
        {"Buy MILK, 2 l (at 10:00)", "buy milk, 2 l (at 10:00)"},
        {"ß", "ss"},
        {"ẞ", "ss"},
        {"ς", "σ"},
        {"Σ", "σ"},
        {"İ", "i"},
        {"I", "i"},
        {"ı", "ı"}, /* has no dot to lose, and is no i */
        {"が", "か"},
        {"é", "e"},
        {"e\u0301", "e"},
        {"Ünïcödé", "unicode"},
        {"Ångström", "angstrom"},
        {"\u212bngstr\u00f6m", "angstrom"},
        {"Ø", "ø"}, /* a letter of its own */
        {"ﬁn", "fin"},
        {"①", "1"},
        {"Ｆｕｌｌ", "full"},
        {"½", "1\u20442"},
        {"\u0345", "ι"}, /* a mark whose capital is a letter */
        {"ᾳ", "αι"},
        {"α\u0345\u0301", "αι"},
        {"\u03d4", "υ"},
        {"한", "\u1112\u1161\u11ab"},
        {"ДЁЛО", "дело"},
        {"İŞ", "is"},
        {"न्", "न"}, /* Mn and Mc alike */
        {"का", "क"},
        {"\u20dd", ""}, /* Me */
        {"\U0001d538", "a"},
        {"\U00010400", "\U00010428"},
        {"\U0001f3f4\u200d\u2620\ufe0f", "\U0001f3f4\u200d\u2620"},
        {"a\u00a0b\u3000c", "a b c"},
        {"\u1680\u2028", "\u1680\u2028"},
        {"\U0010ffff", "\U0010ffff"},
        {"sixteen or moreÉsixteen or MORE", "sixteen or moreesixteen or more"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct slice folded = slice_of(cases[i].folded);
        assert_folded(fold_add, slice_of(cases[i].text), folded);
        assert_folded(fold_add, folded, folded);
    }
    assert_folded(fold_add, SLICE("A\0\0\0\0\0\0\0\0B"), SLICE("a\0\0\0\0\0\0\0\0b"));
}

/* At each place of a text, so that no eight bytes hide it. */
static void all_of_ascii_is_folded(void **state)
{
    (void)state;
    for (int c = 0; c < 128; c++) {
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            char expected[20];
            memset(text, '.', sizeof text);
            memset(expected, '.', sizeof expected);
            text[at] = (char)c;
            expected[at] = ascii_lower((char)c);
            assert_folded(fold_add, (struct slice){text, sizeof text},
                          (struct slice){expected, sizeof expected});
        }
    }
}

static void no_utf8_stays(void **state)
{
    (void)state;
    assert_folded(fold_add, SLICE("A\xff\xc3(É\xe3\x81"), SLICE("a\xff\xc3(e\xe3\x81"));
    assert_folded(fold_add, SLICE("\xed\xa0\x80\xc0\x80"), SLICE("\xed\xa0\x80\xc0\x80"));
}

static void the_longest_fits(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, FOLD_GROWTH * sizeof "\ufdfa" - FOLD_GROWTH);
    fold_add(&out, SLICE("\ufdfa"));
    assert_false(out.failed);
    assert_int_equal(out.len, out.most);
    fold_add(&out, SLICE(""));
    assert_false(out.failed);
    fold_add(&out, SLICE("a"));
    assert_true(out.failed);
    buffer_clear(&out);
    fold_add(&out, SLICE("ééééééééééééééééééééééééééééééééé"));
    assert_false(out.failed);
    assert_int_equal(out.len, out.most);
    fold_add(&out, SLICE("é"));
    assert_true(out.failed);
    buffer_finish(&out);
}

static void white_space_runs_are_one_blank(void **state)
{
    static const struct {
        const char *text;
        const char *folded;
        bool plain;
    } cases[] = {
        {"", "", true},
        {"Plain text ", "plain text ", true},
        {"two  blanks", "two blanks", false},
        {"a\t\r\n\v\f b", "a b", false},
        {"a\xc2\x85\u00a0\u1680\u2000\u200a\u2028\u2029\u202f\u205f\u3000b", "a b", false},
        {"a\u200bb", "a\u200bb", false}, /* no White_Space */
        {"a\x1c\x1d\x1e\x1f"
         "b",
         "a\x1c\x1d\x1e\x1f"
         "b",
         false},
        {"a \u0301 b", "a b", false}, /* what lies between goes */
        {"a´ b", "a b", false},       /* is a blank with an accent */
        {"\n\n", " ", false},
        {"del\x7f", "del\x7f", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_folded(fold_add_member, slice_of(cases[i].text), slice_of(cases[i].folded));
        assert_int_equal(fold_is_plain(slice_of(cases[i].text)), cases[i].plain);
    }
}

static void members_stand_in_one_text(void **state)
{
    struct buffer out;
    (void)state;
    buffer_init(&out, 100);
    fold_add_member(&out, SLICE("Title \n"));
    fold_add_member(&out, SLICE("  É\n\nDescription"));
    fold_add_member(&out, SLICE(""));
    fold_add_member(&out, SLICE("Label"));
    assert_slice(buffer_slice(&out), SLICE("title \n e description\n\nlabel"));
    buffer_finish(&out);
}

/* ---- what is looked for ---- */

/* The terms with `|` between them, or what is wrong. */
static void assert_terms(struct slice typed, const char *expected)
{
    static const char *const wrong[] = {
        [FOLD_TERMS_LONG] = "(long)",
        [FOLD_TERMS_NONE] = "(none)",
        [FOLD_TERMS_NO_MEMORY] = "(no memory)",
    };
    struct arena *arena = arena_create(1 << 16);
    struct fold_terms terms;
    struct buffer said;
    const enum fold_terms_status status = fold_terms_read(arena, typed, &terms);
    buffer_init(&said, 1 << 16);
    for (unsigned i = 0; i < terms.count; i++) {
        buffer_add(&said, i > 0 ? SLICE("|") : SLICE(""));
        buffer_add(&said, terms.list[i]);
    }
    if (status != FOLD_TERMS_READ)
        buffer_add_text(&said, wrong[status]);
    assert_slice(buffer_slice(&said), slice_of(expected));
    buffer_finish(&said);
    arena_destroy(&arena);
}

static void words_and_phrases_are_read(void **state)
{
    static const struct {
        const char *typed;
        const char *terms;
    } cases[] = {
        {"milk", "milk"},
        {"Milk BREAD", "milk|bread"},
        {"  milk\t\n\u3000bread\u2028", "milk|bread"},
        {"\"milk and bread\"", "milk and bread"},
        {"\"milk  and \u00a0 bread\"", "milk and bread"},
        {"\" milk \"", "milk"},
        {"eggs \"milk and", "eggs|milk and"}, /* an open quote reaches the end */
        {"\"milk and bread\"eggs", "milk and bread|eggs"},
        {"eggs\"milk and\"salt", "eggs|milk and|salt"},
        {"\"a b\"\"c d\"", "a b|c d"},
        {"milk\"", "milk"},
        {"\"\" milk \"  \"", "milk"},
        {"Straße ΟΔΟΣ", "strasse|οδοσ"},
        {"\u201cmilk\u201d", "\u201cmilk\u201d"}, /* no double quotes of ours */
        {"milk \u0301 \u00b4", "milk"},           /* nothing is left of an accent */
        {"it´s", "it s"},
        {"´s", "s"},
        /* What lies in another is found with it. */
        {"milk milk", "milk"},
        {"milk milkshake", "milkshake"},
        {"milkshake milk", "milkshake"},
        {"a ab abc b", "abc"},
        {"b a ba ab", "ba|ab"},
        {"bread \"milk bread\" eggs", "milk bread|eggs"},
        {"'a' (b) c*", "'a'|(b)|c*"},
        {"%_", "%_"},
        /* Nothing to look for. */
        {"", "(none)"},
        {"  \u3000", "(none)"},
        {"\"", "(none)"},
        {"\"\"\"\"", "(none)"},
        {"\" \"", "(none)"},
        {"\u0301", "(none)"},
        {"\u00b4 \"\u00a8\"", "(none)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_terms(slice_of(cases[i].typed), cases[i].terms);
}

/* `part` as often as asked. */
static struct slice repeat(struct buffer *out, struct slice part, unsigned times)
{
    buffer_clear(out);
    while (times-- > 0)
        buffer_add(out, part);
    return buffer_slice(out);
}

static void a_search_is_bounded(void **state)
{
    struct arena *arena = arena_create(1 << 16);
    struct fold_terms terms;
    struct buffer typed;
    (void)state;
    buffer_init(&typed, 1 << 16);
    assert_int_equal(fold_terms_read(arena, repeat(&typed, SLICE("\ufdfa"), 200), &terms),
                     FOLD_TERMS_READ);
    assert_int_equal(terms.count, 1);
    assert_int_equal(terms.list[0].len, 200 * 33);
    assert_int_equal(fold_terms_read(arena, repeat(&typed, SLICE("\ufdfa"), 201), &terms),
                     FOLD_TERMS_LONG);
    assert_int_equal(fold_terms_read(arena, repeat(&typed, SLICE("\xff"), 201), &terms),
                     FOLD_TERMS_LONG);
    assert_int_equal(fold_terms_read(arena, repeat(&typed, SLICE("\""), 200), &terms),
                     FOLD_TERMS_NONE);
    buffer_clear(&typed);
    for (unsigned i = 0; i < FOLD_TERMS_MOST; i++) { /* 100 different letters */
        const char letter[] = {(char)0xe4, (char)(0xb8 + i / 64), (char)(0x80 + i % 64), ' '};
        buffer_add(&typed, (struct slice){letter, sizeof letter});
    }
    assert_int_equal(fold_terms_read(arena, buffer_slice(&typed), &terms), FOLD_TERMS_READ);
    assert_int_equal(terms.count, FOLD_TERMS_MOST);
    buffer_finish(&typed);
    arena_destroy(&arena);
}

static void no_room_is_said(void **state)
{
    struct arena *arena = arena_create(1);
    struct fold_terms terms;
    (void)state;
    while (arena_alloc(arena, 8)) {
    }
    assert_int_equal(fold_terms_read(arena, SLICE("some words to look for"), &terms),
                     FOLD_TERMS_NO_MEMORY);
    arena_destroy(&arena);
}

static void words_are_found_anywhere_and_phrases_in_one_member(void **state)
{
    static const struct {
        const char *typed;
        bool found;
    } cases[] = {
        {"strasse", true},
        {"STRASSE", true},
        {"Kafe", true}, /* inside a longer word */
        {"cafe kueche", false},
        {"kuche kafe", true}, /* in different members */
        {"home kuche kafe", true},
        {"home kuche kafe nothing", false},
        {"\"in der Straße\"", true},
        {"\"der Kuche\"", false}, /* over two members */
        {"\"straße kuche\"", false},
        {"\"die Küche putzen\"", true}, /* over a line break */
        {"\"DIE  KÜCHE\tPUTZEN", true},
        {"diekuche", false},
        {"me@home", true},
        {"かき", true},
        {"ガキ", false},
        {"%", false},
        {"_", false},
        {".", true},
    };
    static const char *const members[] = {"Kaffee, Kafé in der Straße", "Die  Küche\nputzen. かぎ",
                                          "@home", "me@home"};
    struct arena *arena = arena_create(1 << 16);
    struct slice apart[4];
    struct buffer joined;
    struct buffer one[4];
    (void)state;
    buffer_init(&joined, 1000);
    for (size_t i = 0; i < 4; i++) {
        buffer_init(&one[i], 1000);
        fold_add_member(&one[i], slice_of(members[i]));
        fold_add_member(&joined, slice_of(members[i]));
        apart[i] = buffer_slice(&one[i]);
    }
    const struct slice together = buffer_slice(&joined);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fold_terms terms;
        assert_int_equal(fold_terms_read(arena, slice_of(cases[i].typed), &terms), FOLD_TERMS_READ);
        if (fold_terms_match(&terms, apart, 4) != cases[i].found)
            fail_msg("%s", cases[i].typed);
        assert_int_equal(fold_terms_match(&terms, &together, 1), cases[i].found);
        assert_false(fold_terms_match(&terms, NULL, 0));
    }
    for (size_t i = 0; i < 4; i++)
        buffer_finish(&one[i]);
    buffer_finish(&joined);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(case_and_accents_do_not_count),
        cmocka_unit_test(all_of_ascii_is_folded),
        cmocka_unit_test(no_utf8_stays),
        cmocka_unit_test(the_longest_fits),
        cmocka_unit_test(white_space_runs_are_one_blank),
        cmocka_unit_test(members_stand_in_one_text),
        cmocka_unit_test(words_and_phrases_are_read),
        cmocka_unit_test(a_search_is_bounded),
        cmocka_unit_test(no_room_is_said),
        cmocka_unit_test(words_are_found_anywhere_and_phrases_in_one_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
