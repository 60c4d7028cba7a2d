// SPDX-License-Identifier: MIT
#include "base/fold.h"

#include <assert.h>

#include <utf8proc.h>

/* Case folding and decomposition, each applied to what the other gives until nothing changes. For
 * one code point that is the same as the three steps (tests/model/test_fold.py asks all of them),
 * and marks may be taken out without sorting them: whatever has a combining class is one, or
 * becomes a letter after all of them (U+0345). */
#define FOLD        ((utf8proc_option_t)(UTF8PROC_CASEFOLD | UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE))
#define POINTS_MOST 32 /* 18 are the most that one code point becomes */
#define UTF8_MOST   4
#define QUOTE       '"'

/* ---- ASCII, eight bytes at a time ---- */

#define IN_EACH UINT64_C(0x0101010101010101)
#define HIGH    (IN_EACH * 0x80)

static size_t ascii_len(struct slice text)
{
    uint64_t eight;
    size_t len = 0;

    for (; text.len - len >= sizeof eight; len += sizeof eight) {
        memcpy(&eight, text.ptr + len, sizeof eight);
        if (eight & HIGH) {
            break;
        }
    }
    while (len < text.len && (unsigned char)text.ptr[len] < 0x80) {
        len++;
    }
    return len;
}

/* In each byte the high bit says whether it is at least A, and whether it is above Z. */
static void lower_ascii(struct slice text, char *room)
{
    uint64_t eight;
    size_t done = 0;

    for (; text.len - done >= sizeof eight; done += sizeof eight) {
        memcpy(&eight, text.ptr + done, sizeof eight);
        const uint64_t from_a = eight + IN_EACH * (0x80 - 'A');
        const uint64_t above_z = eight + IN_EACH * (0x7f - 'Z');
        eight |= ((from_a ^ above_z) & HIGH) >> 2;
        memcpy(room + done, &eight, sizeof eight);
    }
    for (; done < text.len; done++) {
        room[done] = ascii_lower(text.ptr[done]);
    }
}

static bool eight_are_plain(const char *bytes)
{
    uint64_t eight;

    memcpy(&eight, bytes, sizeof eight);
    const uint64_t below_blank = (eight - IN_EACH * ' ') & ~eight & HIGH;
    const uint64_t above_tilde = (eight | (eight + IN_EACH)) & HIGH;
    const uint64_t zero_if_blank = eight ^ IN_EACH * ' ';
    const uint64_t blanks = ~(((zero_if_blank & ~HIGH) + ~HIGH) | zero_if_blank | ~HIGH);
    return !(below_blank | above_tilde | (blanks & blanks >> 8));
}

/* Eight that begin with the last one of those before show each two that stand side by side. */
bool fold_is_plain(struct slice text)
{
    size_t at = 0;

    assert(text.ptr || text.len == 0);
    for (; text.len - at >= 8; at += 7) {
        if (!eight_are_plain(text.ptr + at)) {
            return false;
        }
    }
    for (; at < text.len; at++) {
        if (text.ptr[at] < ' ' || text.ptr[at] > '~' ||
            (at > 0 && text.ptr[at] == ' ' && text.ptr[at - 1] == ' ')) {
            return false;
        }
    }
    return true;
}

/* ---- folding ---- */

static bool is_mark(utf8proc_int32_t point)
{
    const utf8proc_category_t category = utf8proc_category(point);

    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

/* The code point at the start of `text`, which is not empty, and its length; -1: there is none. */
static utf8proc_int32_t first_point(struct slice text, size_t *len)
{
    utf8proc_int32_t point = -1;
    const utf8proc_ssize_t step =
        utf8proc_iterate((const utf8proc_uint8_t *)text.ptr, (utf8proc_ssize_t)text.len, &point);

    *len = step > 0 ? (size_t)step : 1;
    return step > 0 ? point : -1;
}

/* Appends the code point at the start of `text`, folded, and moves `text` after it. */
static void fold_first(struct buffer *out, struct slice *text)
{
    utf8proc_int32_t points[POINTS_MOST];
    char room[POINTS_MOST * UTF8_MOST];
    int boundary = UTF8PROC_BOUNDCLASS_START;
    size_t step;
    size_t len = 0;
    const utf8proc_int32_t point = first_point(*text, &step);
    const utf8proc_ssize_t count =
        point < 0 ? -1 : utf8proc_decompose_char(point, points, POINTS_MOST, FOLD, &boundary);
    const struct slice whole = {text->ptr, step};

    *text = slice_from(*text, step);
    for (utf8proc_ssize_t i = 0; i < count && count <= POINTS_MOST; i++) {
        if (!is_mark(points[i])) {
            len += (size_t)utf8proc_encode_char(points[i], (utf8proc_uint8_t *)room + len);
        }
    }
    /* No UTF-8, or of a Unicode to come that breaks our bound. */
    const bool stays = count < 0 || count > POINTS_MOST || len > FOLD_GROWTH * step;
    buffer_add(out, stays ? whole : (struct slice){room, len});
}

void fold_add(struct buffer *out, struct slice text)
{
    assert(out && (text.ptr || text.len == 0));
    while (text.len > 0 && !out->failed) {
        const size_t ascii = ascii_len(text);
        char *room = ascii > 0 ? buffer_reserve(out, ascii) : NULL;
        if (room) {
            lower_ascii((struct slice){text.ptr, ascii}, room);
            out->len += ascii;
        }
        text = slice_from(text, ascii);
        if (text.len > 0) {
            fold_first(out, &text);
        }
    }
}

/* ---- white space ---- */

/* Unicode 16, property White_Space. */
static bool is_space(utf8proc_int32_t point)
{
    return (point >= 0x09 && point <= 0x0d) || point == ' ' || point == 0x85 || point == 0xa0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f || point == 0x3000;
}

/* The length of the white space at the start of `text`: one code point, or 0. */
static size_t space_len(struct slice text)
{
    size_t len;

    return text.len > 0 && is_space(first_point(text, &len)) ? len : 0;
}

/* Whether white space may begin with that byte of UTF-8. */
static bool may_be_space(unsigned char byte)
{
    return byte <= ' ' || byte == 0xc2 || (byte >= 0xe1 && byte <= 0xe3);
}

/* Each run of white space in `text` becomes one blank; returns how long it is then. */
static size_t squeeze(char *text, size_t len)
{
    size_t kept = 0;
    bool after_space = false;

    for (size_t at = 0; at < len;) {
        const struct slice rest = {text + at, len - at};
        const size_t space = may_be_space((unsigned char)text[at]) ? space_len(rest) : 0;
        if (space == 0) {
            text[kept++] = text[at];
        } else if (!after_space) {
            text[kept++] = ' ';
        }
        at += space > 0 ? space : 1;
        after_space = space > 0;
    }
    return kept;
}

void fold_add_member(struct buffer *out, struct slice text)
{
    assert(out);
    if (out->len > 0) {
        buffer_add_char(out, FOLD_BREAK);
    }
    const size_t before = out->len;

    fold_add(out, text);
    if (!out->failed && out->len > before && !fold_is_plain(text)) {
        out->len = before + squeeze(out->data + before, out->len - before);
    }
}

/* ---- what is looked for ---- */

static bool lies_in(struct slice part, struct slice whole)
{
    return part.len <= whole.len && memmem(whole.ptr, whole.len, part.ptr, part.len);
}

/* Takes up a term, or leaves it out, or drops those that lie in it. */
static void add_term(struct fold_terms *terms, struct slice term)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < terms->count; i++) {
        if (lies_in(term, terms->list[i])) {
            return;
        }
    }
    for (unsigned i = 0; i < terms->count; i++) {
        if (!lies_in(terms->list[i], term)) {
            terms->list[kept++] = terms->list[i];
        }
    }
    assert(kept < FOLD_TERMS_MOST);
    terms->list[kept++] = term;
    terms->count = kept;
}

/* Cuts off the next word, or what stands in quotes, which may be empty. False: there is no more. */
static bool next_typed(struct slice *rest, struct slice *typed)
{
    size_t len = 0;

    while ((len = space_len(*rest)) > 0) {
        *rest = slice_from(*rest, len);
    }
    if (rest->len == 0) {
        return false;
    }
    if (rest->ptr[0] == QUOTE) {
        *rest = slice_from(*rest, 1);
        *typed = slice_next(rest, QUOTE);
        return true;
    }
    while (len < rest->len && rest->ptr[len] != QUOTE && space_len(slice_from(*rest, len)) == 0) {
        len++;
    }
    *typed = (struct slice){rest->ptr, len};
    *rest = slice_from(*rest, len);
    return true;
}

static size_t count_points(struct slice text)
{
    size_t count = 0;

    for (size_t len; text.len > 0; count++) {
        (void)first_point(text, &len);
        text = slice_from(text, len);
    }
    return count;
}

/* The folded terms stand in `joined`. A blank at an end, which an accent that stands alone becomes
 * too, would only keep a text's first and last words from being found. */
static void add_terms(struct slice joined, struct fold_terms *terms)
{
    while (joined.ptr) {
        const struct slice term = slice_trim(slice_next(&joined, FOLD_BREAK));
        if (term.len > 0) {
            add_term(terms, term);
        }
    }
}

enum fold_terms_status fold_terms_read(struct arena *arena, struct slice text,
                                       struct fold_terms *terms)
{
    struct buffer joined;
    struct slice typed;

    assert(arena && terms && (text.ptr || text.len == 0));
    terms->count = 0;
    if (count_points(text) > FOLD_SEARCH_MOST) {
        return FOLD_TERMS_LONG;
    }
    buffer_init(&joined, (FOLD_GROWTH + 1) * text.len);
    while (next_typed(&text, &typed)) {
        fold_add_member(&joined, typed);
    }
    const struct slice kept = arena_copy(arena, buffer_slice(&joined));
    const bool failed = joined.failed || !kept.ptr;
    buffer_finish(&joined);
    if (failed) {
        return FOLD_TERMS_NO_MEMORY;
    }
    add_terms(kept, terms);
    return terms->count > 0 ? FOLD_TERMS_READ : FOLD_TERMS_NONE;
}

bool fold_terms_match(const struct fold_terms *terms, const struct slice *members, size_t count)
{
    assert(terms && terms->count > 0 && (members || count == 0));
    for (unsigned i = 0; i < terms->count; i++) {
        size_t at = 0;
        while (at < count && !lies_in(terms->list[i], members[at])) {
            at++;
        }
        if (at == count) {
            return false;
        }
    }
    return true;
}
