// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/nfc.h"

static struct slice copy_of(struct arena *arena, struct slice text)
{
    struct slice copy = nfc_of(arena, text);
    assert_non_null(copy.ptr);
    return copy;
}

static void assert_form(struct slice text, struct slice normal)
{
    struct arena *arena = arena_create(1 << 16);
    struct slice copy = copy_of(arena, text);
    assert_int_equal(copy.len, normal.len);
    assert_memory_equal(copy.ptr, normal.ptr, normal.len);
    assert_true(copy.ptr != text.ptr);
    assert_true(slice_eq(copy_of(arena, copy), normal));
    arena_destroy(&arena);
}

static void canonical_equivalents_become_the_same(void **state)
{
    static const struct {
        const char *text;
        const char *normal;
    } cases[] = {
        {"a plain one", "a plain one"},
        {"e\u0301", "é"},
        {"é", "é"},
        {"\u212b", "\u00c5"}, /* the sign for angstrom */
        {"A\u030a", "\u00c5"},
        {"s\u0323\u0307", "\u1e69"}, /* two marks, in both orders */
        {"s\u0307\u0323", "\u1e69"},
        {"\u1e0b\u0323", "\u1e0d\u0307"}, /* the one below goes first */
        {"\u0958", "\u0915\u093c"},       /* excluded from composition */
        {"\u0344", "\u0308\u0301"},       /* a mark that is two */
        {"\u0390", "\u0390"},             /* three code points, and back */
        {"\u03b9\u0308\u0301", "\u0390"}, /* likewise */
        {"\u1112\u1161\u11ab", "\ud55c"}, /* Hangul */
        {"\uac00\u11a7", "\uac00\u11a7"}, /* before the first final: stays */
        {"\u1100\u1161\u11a7a\u0301", "\uac00\u11a7á"},
        {"a\u0315\u0300\u05ae\u0316b", "\u00e0\u0316\u05ae\u0315b"},
        {"\U0001d15e", "\U0001d157\U0001d165"}, /* in four bytes */
        {"\u2f800", "\u2f800"},
        {"\u0301e", "\u0301e"}, /* a mark with nothing before it */
        {"\U0001f434\U0010ffff", "\U0001f434\U0010ffff"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_form(slice_of(cases[i].text), slice_of(cases[i].normal));
    }
    assert_form(SLICE(""), SLICE(""));
    assert_form(SLICE("e\u0301\0e\u0301"), SLICE("é\0é"));
}

/* RFC 8265 section 4.2: no mapping of width, case, white space or compatibility characters. */
static void nothing_else_changes(void **state)
{
    static const char *const texts[] = {
        "\ufb01", "\uff21", "\u00a0 \u3000", "Ünïcödé", "\u2460", "\u017f", "\u00ad\u200b", "  ",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_form(slice_of(texts[i]), slice_of(texts[i]));
    }
}

/* `part` as often as it fits, after `start`. */
static struct slice full(char text[static NFC_MOST], struct slice start, struct slice part)
{
    size_t len = start.len;

    memcpy(text, start.ptr, start.len);
    for (; len + part.len <= NFC_MOST; len += part.len) {
        memcpy(text + len, part.ptr, part.len);
    }
    return (struct slice){text, len};
}

static void the_longest_fit(void **state)
{
    char text[NFC_MOST];
    struct arena *arena = arena_create(1 << 16);

    (void)state;
    /* U+1D160 grows to three times its length, the most there is; U+0390 has three code points. */
    assert_int_equal(copy_of(arena, full(text, SLICE(""), SLICE("\U0001d160"))).len, 3 * NFC_MOST);
    assert_int_equal(copy_of(arena, full(text, SLICE(""), SLICE("\u0390"))).len, NFC_MOST);
    assert_int_equal(copy_of(arena, full(text, SLICE("a"), SLICE("\u0301"))).len,
                     NFC_MOST - 2); /* á, and one byte that the last mark had no room in */
    assert_int_equal(copy_of(arena, full(text, SLICE("a"), SLICE("\u0315\u0300"))).len,
                     NFC_MOST - 4);
    arena_destroy(&arena);
}

static void no_room_is_said(void **state)
{
    struct arena *arena = arena_create(1);
    char text[NFC_MOST];

    (void)state;
    while (arena_alloc(arena, 64)) {
    }
    assert_null(nfc_of(arena, full(text, SLICE(""), SLICE("\U0001d160"))).ptr);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_equivalents_become_the_same),
        cmocka_unit_test(nothing_else_changes),
        cmocka_unit_test(the_longest_fit),
        cmocka_unit_test(no_room_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
