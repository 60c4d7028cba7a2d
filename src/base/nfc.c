// SPDX-License-Identifier: MIT
#include "base/nfc.h"

#include <assert.h>

#include <sodium.h>
#include <utf8proc.h>

#define POINTS_MOST    (2 * NFC_MOST) /* what is decomposed has two bytes at least */
#define ALWAYS_C_BELOW 0xcc /* UTF-8's first byte of U+0300, the first that may have to change */
#define FORM           ((utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE))
#define O_YAE          "\u11a7"

/* libutf8proc before 2.11.2 loses U+11A7 after a Hangul syllable. It composes with nothing before
 * it, so that a piece may begin there. */
static struct slice next_piece(struct slice *text)
{
    const char *next = memmem(text->ptr + 1, text->len - 1, O_YAE, strlen(O_YAE));
    const struct slice piece = {text->ptr, next ? (size_t)(next - text->ptr) : text->len};

    *text = slice_from(*text, piece.len);
    return piece;
}

struct slice nfc_of(struct arena *arena, struct slice text)
{
    utf8proc_int32_t points[POINTS_MOST + 1]; /* one to spare for utf8proc_reencode's NUL */
    size_t clean = 0;
    size_t len = 0;

    assert(arena && text.len <= NFC_MOST);
    while (clean < text.len && (unsigned char)text.ptr[clean] < ALWAYS_C_BELOW) {
        clean++;
    }
    if (clean == text.len) {
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
