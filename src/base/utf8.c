// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include <assert.h>

#include <sodium.h>
#include <utf8proc.h>

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_step(struct slice s)
{
    assert(s.ptr || s.len == 0);
    const unsigned char *p = (const unsigned char *)s.ptr;

    if (s.len == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    const size_t len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if (!is_tail(s.ptr[i])) {
            return 0;
        }
    }
    /* Overlong forms, surrogates, above U+10FFFF: told by the second byte. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    return len;
}

bool utf8_valid(struct slice s)
{
    while (s.len > 0) {
        const size_t step = utf8_step(s);
        if (step == 0) {
            return false;
        }
        s = slice_from(s, step);
    }
    return true;
}

struct slice utf8_cut(struct slice s, size_t most)
{
    assert(s.ptr || s.len == 0);
    if (s.len > most) {
        s.len = most;
        while (s.len > 0 && is_tail(s.ptr[s.len])) {
            s.len--;
        }
    }
    return s;
}

/* ---- Normalization Form C ---- */

#define POINTS_MOST    (2 * UTF8_NORMALIZE_MOST) /* what is decomposed has two bytes at least */
#define ALWAYS_C_BELOW 0xcc /* UTF-8's first byte of U+0300, the first that may have to change */
#define FORM           ((utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE))
#define O_YAE          "\u11a7"

static bool is_normalized(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= ALWAYS_C_BELOW) {
            return false;
        }
    }
    return true;
}

/* libutf8proc before 2.11.2 loses U+11A7 after a Hangul syllable. It composes with nothing before
 * it, so that a piece may begin there. */
static struct slice next_piece(struct slice *text)
{
    const char *next = memmem(text->ptr + 1, text->len - 1, O_YAE, strlen(O_YAE));
    const struct slice piece = {text->ptr, next ? (size_t)(next - text->ptr) : text->len};

    *text = slice_from(*text, piece.len);
    return piece;
}

struct slice utf8_normalize(struct arena *arena, struct slice text)
{
    utf8proc_int32_t points[POINTS_MOST + 1]; /* one to spare for utf8proc_reencode's NUL */
    size_t len = 0;

    assert(text.len <= UTF8_NORMALIZE_MOST);
    if (is_normalized(text)) {
        return arena_copy(arena, text);
    }
    char *copy = arena_alloc(arena, 3 * text.len + 1);
    while (copy && text.len > 0) {
        const struct slice piece = next_piece(&text);
        utf8proc_ssize_t count =
            utf8proc_decompose((const utf8proc_uint8_t *)piece.ptr, (utf8proc_ssize_t)piece.len,
                               points, POINTS_MOST, FORM);
        assert(count > 0 && count <= POINTS_MOST);
        count = utf8proc_reencode(points, count, FORM);
        assert(count > 0);
        memcpy(copy + len, points, (size_t)count);
        len += (size_t)count;
    }
    sodium_memzero(points, sizeof points);
    return (struct slice){copy, len};
}
