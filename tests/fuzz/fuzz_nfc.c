// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include "base/nfc.h"

/* The input is a password. What comes out is UTF-8, of a bounded length, and in the form already:
 * whoever sends it back is let in. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = {(const char *)data, size < NFC_MOST ? size : NFC_MOST};
    struct arena *arena = arena_create(1 << 16);
    if (!arena) {
        abort();
    }
    if (utf8_valid(text)) {
        struct slice normal = nfc_of(arena, text);
        assert(normal.ptr && utf8_valid(normal) && normal.len <= 3 * text.len);
        if (normal.len <= NFC_MOST) {
            assert(slice_eq(nfc_of(arena, normal), normal));
        }
    }
    arena_destroy(&arena);
    return 0;
}
