// SPDX-License-Identifier: MIT
/* What a person types to search, and texts to find it in. */
#include <stdlib.h>

#include "base/fold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct buffer folded(void (*add)(struct buffer *, struct slice), struct slice text)
{
    struct buffer out;

    buffer_init(&out, FOLD_GROWTH * text.len);
    add(&out, text);
    must(!out.failed);
    return out;
}

/* Folded once more it stays; plain is what it says. */
static void fold(void (*add)(struct buffer *, struct slice), struct slice text)
{
    struct buffer once = folded(add, text);
    struct buffer twice = folded(add, buffer_slice(&once));

    if (utf8_valid(text)) {
        must(utf8_valid(buffer_slice(&once)));
        must(slice_eq(buffer_slice(&once), buffer_slice(&twice)));
    }
    must(!fold_is_plain(text) || slice_eq_nocase(buffer_slice(&once), text));
    buffer_finish(&once);
    buffer_finish(&twice);
}

/* What was typed is found in a text that holds it, whatever stands around it. */
static void search(struct arena *arena, struct slice text)
{
    struct fold_terms terms;
    struct buffer member;

    if (fold_terms_read(arena, text, &terms) != FOLD_TERMS_READ) {
        must(terms.count == 0);
        return;
    }
    must(terms.count > 0 && terms.count <= FOLD_TERMS_MOST);
    buffer_init(&member, 1 << 20);
    for (unsigned i = terms.count; i-- > 0;) {
        must(terms.list[i].len > 0 && !memchr(terms.list[i].ptr, FOLD_BREAK, terms.list[i].len));
        fold_add_member(&member, terms.list[i]);
        struct slice found = buffer_slice(&member);
        must(!utf8_valid(text) || fold_terms_match(&terms, &found, 1) == (i == 0));
    }
    must(!member.failed);
    buffer_finish(&member);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);
    struct arena *arena = arena_create(1 << 18);

    must(copy && arena);
    if (size > 0) {
        memcpy(copy, data, size);
    }
    fold(fold_add, (struct slice){copy, size});
    fold(fold_add_member, (struct slice){copy, size});
    search(arena, (struct slice){copy, size});
    arena_destroy(&arena);
    free(copy);
    return 0;
}
