// SPDX-License-Identifier: MIT
/* Dates and instants: what is read is written so that it is read as the same again. */
#include <stdlib.h>

#include "model/when.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void must_be(const struct when *a, const struct when *b)
{
    must(a->kind == b->kind && (a->kind == WHEN_DATE ? a->day == b->day : a->ms == b->ms));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);
    struct when when;
    struct when again;
    char room[WHEN_TEXT_MOST];

    if (copy && size > 0) {
        memcpy(copy, data, size);
        if (when_read((struct slice){copy, size}, &when)) {
            const struct slice text = when_write(&when, room);
            must((when.kind == WHEN_DATE) == (size == 10));
            must(when_read(text, &again));
            must_be(&when, &again);
            must(when_unpack(when_pack(&when), &again));
            must_be(&when, &again);
        }
        must(!when_read_query((struct slice){copy, size}, &when) || size >= 10);
        if (size >= sizeof(int64_t)) {
            int64_t number;
            memcpy(&number, copy, sizeof number);
            must(!when_unpack(number, &when) || when_pack(&when) == number);
        }
    }
    free(copy);
    return 0;
}
