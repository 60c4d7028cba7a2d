// SPDX-License-Identifier: MIT
/* Keys of an order made by hand: two texts, the first byte says how long the first one is. Between
 * two keys in order is a third, and so on; a text that is no key is never taken for one. */
#include <stdlib.h>

#include "model/position.h"

#define MOVES 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

static bool is_before(struct slice a, struct slice b)
{
    const size_t least = a.len < b.len ? a.len : b.len;
    const int order = memcmp(a.ptr, b.ptr, least);
    return order < 0 || (order == 0 && a.len < b.len);
}

/* Puts things ever deeper between the two, on the side that each bit of `sides` says. */
static void go_deeper(struct slice before, struct slice after, unsigned sides)
{
    char rooms[MOVES][POSITION_MOST];
    for (unsigned i = 0; i < MOVES; i++) {
        const struct slice key = position_between(before, after, rooms[i]);
        if (!key.ptr) {
            return; /* too long */
        }
        must(key.len > 0 && key.len <= POSITION_MOST && position_is_valid(key));
        must(!before.ptr || is_before(before, key));
        must(!after.ptr || is_before(key, after));
        if (sides >> i & 1U) {
            before = key;
        } else {
            after = key;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    char *copy = malloc(size); /* of exactly this length, so that ASan sees a read after it */
    must(copy != NULL);
    memcpy(copy, data + 3, size - 3);
    const size_t len = data[0] < size - 3 ? data[0] : size - 3;
    const unsigned sides = data[1] | (unsigned)data[2] << 8;
    const struct slice none = {NULL, 0};
    const struct slice first = {copy, len};
    const struct slice second = {copy + len, size - 3 - len};
    const bool keys[] = {position_is_valid(first), position_is_valid(second)};
    char room[POSITION_MOST];
    if (keys[0]) {
        go_deeper(first, none, sides);
        go_deeper(none, first, sides);
    }
    if (keys[0] && keys[1] && is_before(first, second)) {
        go_deeper(first, second, sides);
    } else {
        const struct slice key = position_between(first, second, room);
        must(!key.ptr || !keys[0] || !keys[1]); /* keys in another order are damage */
        must(key.len <= POSITION_MOST);
    }
    free(copy);
    return 0;
}
