// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include <sodium.h>

#include "api/cursor.h"

/* The input is a cursor as a client sends it, and once more a packed cursor as it stands behind the
 * MAC: what unpacks must survive being made into a text and parsed again, for its user only. */

static struct keys *keys;

int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (sodium_init() < 0) {
        abort();
    }
    keys = keys_create(SLICE("a secret of the fuzzer, 32 bytes or more"), (struct slice){0});
    return keys ? 0 : -1;
}

static void check_round_trip(const struct cursor *cursor, struct arena *arena)
{
    const struct uuid user = {{1}};
    const struct uuid other = {{2}};
    struct buffer text;
    struct cursor back;
    buffer_init(&text, 8192);
    cursor_make(keys, user, cursor, &text);
    assert(!text.failed);
    assert(cursor_parse(keys, user, buffer_slice(&text), arena, &back));
    assert(back.sort == cursor->sort && back.descending == cursor->descending);
    assert(back.statuses == cursor->statuses && back.position.number == cursor->position.number);
    assert(uuid_eq(back.position.id, cursor->position.id));
    assert(slice_eq(back.position.text, cursor->position.text));
    assert(!cursor_parse(keys, other, buffer_slice(&text), arena, &back));
    buffer_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(1 << 16);
    struct cursor cursor;
    char *copy = malloc(size > 0 ? size : 1); /* so that ASan sees a read behind it */
    if (!arena || !copy) {
        abort();
    }
    if (size > 0) {
        memcpy(copy, data, size);
    }
    struct slice input = {copy, size};
    assert(!cursor_parse(keys, (struct uuid){{1}}, input, arena, &cursor));
    if (cursor_unpack(input, &cursor)) {
        check_round_trip(&cursor, arena);
    }
    free(copy);
    arena_destroy(&arena);
    return 0;
}
