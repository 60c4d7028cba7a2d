// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include <sodium.h>

#include "api/cursor.h"
#include "model/resource.h"

/* The first byte chooses the order of a list; the rest is a cursor as a client sends it, a packed
 * cursor as it stands before its MAC, and the sort key of a packed cursor of that list. What
 * unpacks must survive being made into a text and read again, for its space only. */

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

static const struct uuid space = {{1}};

static struct store_item_list list_of(uint8_t choice)
{
    const struct resource *resource = resources[choice % resource_count];
    const struct field *sort = &resource->fields[(choice >> 1) % resource->count];
    if (!(sort->flags & FIELD_SORTABLE))
        sort = resource_field(resource, SLICE("created_at"));
    return (struct store_item_list){
        .resource = resource, .sort = sort, .descending = choice >= 128};
}

static void check_round_trip(const struct store_item_list *list,
                             const struct store_position *position, struct arena *arena)
{
    const struct uuid other = {{2}};
    struct store_item_list back = *list;
    struct buffer text;
    buffer_init(&text, 8192);
    cursor_make(keys, space, list, position, &text);
    assert(!text.failed);
    assert(cursor_read(keys, space, buffer_slice(&text), arena, &back) == CURSOR_GOOD);
    assert(field_value_eq(list->sort, &back.position.key, &position->key));
    assert(uuid_eq(back.position.id, position->id));
    assert(cursor_read(keys, other, buffer_slice(&text), arena, &back) == CURSOR_BAD);
    buffer_finish(&text);
}

/* The head of a cursor of the list, with the key that the input has. */
static void check_key(const struct store_item_list *list, struct slice key, struct arena *arena)
{
    static char bytes[CURSOR_HEAD_LEN + 8192];
    struct store_position position = {0};
    struct buffer text;
    size_t len = 0;
    if (key.len > 8000)
        return;
    buffer_init(&text, 8192);
    cursor_make(keys, space, list, &position, &text);
    assert(!text.failed);
    (void)sodium_base642bin((unsigned char *)bytes, sizeof bytes, text.data, text.len, NULL, &len,
                            NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert(len >= CURSOR_HEAD_LEN);
    buffer_finish(&text);
    if (key.len > 0)
        memcpy(bytes + CURSOR_HEAD_LEN, key.ptr, key.len);
    const struct slice packed = {bytes, CURSOR_HEAD_LEN + key.len};
    if (cursor_unpack(packed, list, &position) == CURSOR_GOOD)
        check_round_trip(list, &position, arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena = arena_create(1 << 16);
    struct store_position position;
    if (size == 0) {
        arena_destroy(&arena);
        return 0;
    }
    char *copy = malloc(size); /* so that ASan sees a read after it */
    if (!arena || !copy)
        abort();
    memcpy(copy, data + 1, size - 1);
    const struct slice input = {copy, size - 1};
    struct store_item_list list = list_of(data[0]);
    assert(cursor_read(keys, space, input, arena, &list) == CURSOR_BAD);
    list.after = false;
    if (cursor_unpack(input, &list, &position) == CURSOR_GOOD)
        check_round_trip(&list, &position, arena);
    check_key(&list, input, arena);
    free(copy);
    arena_destroy(&arena);
    return 0;
}
