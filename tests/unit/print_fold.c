// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>

#include <utf8proc.h>

#include "base/fold.h"

/* Folding, for tests/model/test_fold.py. Texts are UTF-8 in hexadecimal digits, in which `-` is an
 * empty one.
 *
 *     print_fold points   a line `POINT FOLDED` for each code point that libutf8proc knows
 *     print_fold texts    reads texts, one a line; prints each folded, and folded as a member
 *     print_fold terms    reads what a person typed; prints the terms, or `long`, or `none`
 */

#define TEXT_MOST (1 << 16)

static void print_hex(struct slice text, char after)
{
    if (text.len == 0)
        putchar('-');
    for (size_t i = 0; i < text.len; i++)
        (void)printf("%02x", (unsigned)(unsigned char)text.ptr[i]);
    putchar(after);
}

static void print_folded(void (*add)(struct buffer *, struct slice), struct slice text, char after)
{
    struct buffer out;
    buffer_init(&out, FOLD_GROWTH * text.len);
    add(&out, text);
    if (out.failed)
        exit(1);
    print_hex(buffer_slice(&out), after);
    buffer_finish(&out);
}

static void print_points(void)
{
    for (utf8proc_int32_t point = 0; point <= 0x10ffff; point++) {
        utf8proc_uint8_t bytes[4];
        const utf8proc_category_t category = utf8proc_category(point);
        if (category == UTF8PROC_CATEGORY_CN || category == UTF8PROC_CATEGORY_CS)
            continue;
        const utf8proc_ssize_t len = utf8proc_encode_char(point, bytes);
        (void)printf("%x ", (unsigned)point);
        print_folded(fold_add, (struct slice){(const char *)bytes, (size_t)len}, '\n');
    }
}

static void print_terms(struct slice typed)
{
    struct arena *arena = arena_create(TEXT_MOST);
    struct fold_terms terms;
    if (!arena)
        exit(1);
    switch (fold_terms_read(arena, typed, &terms)) {
    case FOLD_TERMS_READ:
        for (unsigned i = 0; i < terms.count; i++)
            print_hex(terms.list[i], i + 1 < terms.count ? ' ' : '\n');
        break;
    case FOLD_TERMS_LONG: puts("long"); break;
    case FOLD_TERMS_NONE: puts("none"); break;
    case FOLD_TERMS_NO_MEMORY: exit(1);
    }
    arena_destroy(&arena);
}

/* In place. */
static struct slice read_hex(char *line)
{
    const struct slice hex = slice_strip(slice_of(line));
    size_t len = 0;
    for (; 2 * len + 1 < hex.len; len++)
        line[len] = (char)(ascii_hex(hex.ptr[2 * len]) << 4 | ascii_hex(hex.ptr[2 * len + 1]));
    return (struct slice){line, len};
}

int main(int argc, char **argv)
{
    static char line[2 * TEXT_MOST + 2];
    const char *what = argc == 2 ? argv[1] : "";
    if (!strcmp(what, "points")) {
        print_points();
    } else if (!strcmp(what, "texts") || !strcmp(what, "terms")) {
        while (fgets(line, sizeof line, stdin)) {
            const struct slice text = read_hex(line);
            if (!strcmp(what, "terms")) {
                print_terms(text);
                continue;
            }
            print_folded(fold_add, text, ' ');
            print_folded(fold_add_member, text, '\n');
        }
    } else {
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}
