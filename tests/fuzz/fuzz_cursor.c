// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdlib.h>

#include <sodium.h>

#include "api/cursor.h"
#include "api/feed.h"
#include "model/resource.h"

/* The first byte chooses the order of a list; the rest is a cursor as a client sends it, a packed
 * cursor as it stands before its MAC, and the sort key of a packed cursor of that list. What
 * unpacks must survive being made into a text and read again, for its space only. */

#define CLOCK 1795359845000 /* of every first page */

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

/* A cursor of the changes, as a client sends it, and as it stands before its MAC; lists take none,
 * and it takes none of a list's. */
static void check_feed(struct slice input)
{
    static const struct uuid epoch = {{3}};
    static const struct uuid other = {{2}};
    struct store_changes_place place;
    struct store_changes_place back;
    struct buffer text;
    assert(feed_cursor_read(keys, epoch, space, input, &place) == FEED_CURSOR_BAD);
    if (feed_cursor_unpack(input, epoch, &place) == FEED_CURSOR_BAD)
        return;
    buffer_init(&text, FEED_CURSOR_MOST);
    feed_cursor_make(keys, epoch, space, &place, &text);
    assert(!text.failed);
    assert(feed_cursor_read(keys, epoch, space, buffer_slice(&text), &back) == FEED_CURSOR_GOOD);
    assert(back.from == place.from && back.revision == place.revision);
    assert(back.resource == place.resource && back.created_at == place.created_at);
    assert(uuid_eq(back.id, place.id));
    assert(feed_cursor_read(keys, epoch, other, buffer_slice(&text), &back) == FEED_CURSOR_BAD);
    assert(feed_cursor_read(keys, other, space, buffer_slice(&text), &back) == FEED_CURSOR_GONE);
    buffer_finish(&text);
}

/* The same of a history. */
static void check_history(struct slice input, struct arena *arena)
{
    static const struct uuid other = {{2}};
    struct uuid id = {{0}};
    int64_t before = 0;
    int64_t back = 0;
    struct buffer text;
    if (input.len > 2 + sizeof id)
        memcpy(id.bytes, input.ptr + 2, sizeof id);
    assert(!cursor_read_history(keys, space, input, id, arena, &before));
    if (!cursor_unpack_history(input, id, &before))
        return;
    assert(!cursor_unpack_history(input, other, &back) || uuid_eq(id, other));
    buffer_init(&text, 8192);
    cursor_make_history(keys, space, id, before, &text);
    assert(!text.failed);
    assert(cursor_read_history(keys, space, buffer_slice(&text), id, arena, &back));
    assert(back == before);
    assert(!cursor_read_history(keys, other, buffer_slice(&text), id, arena, &back));
    buffer_finish(&text);
}

static struct store_item_list list_of(uint8_t choice)
{
    const struct resource *resource = resources[choice % resource_count];
    struct store_item_list list = {.resource = resource, .order_count = 1};
    if (resource->order_count > 0 && choice % 3 == 0) {
        const struct resource_order *order = &resource->orders[choice % resource->order_count];
        list.orders[list.order_count++] = (struct store_order){order->field, order->order, false};
    }
    list.orders[0].field = &resource->fields[(choice >> 1) % resource->count];
    if (!(list.orders[0].field->flags & FIELD_SORTABLE))
        list.orders[0].field = resource_field(resource, SLICE("created_at"));
    list.orders[0].descending = choice >= 128;
    return list;
}

static void check_round_trip(const struct store_item_list *list,
                             const struct store_position *position, struct arena *arena)
{
    const struct uuid other = {{2}};
    struct store_item_list back = *list;
    struct buffer text;
    buffer_init(&text, 8192);
    cursor_make(keys, space, list, CLOCK, position, &text);
    assert(!text.failed);
    assert(cursor_read(keys, space, buffer_slice(&text), arena, &back) == CURSOR_GOOD);
    for (unsigned i = 0; i < list->order_count; i++) {
        assert(field_value_eq(list->orders[i].field, &back.position.keys[i], &position->keys[i]));
        assert(slice_eq(back.position.beside[i], position->beside[i]));
    }
    assert(uuid_eq(back.position.id, position->id));
    assert(cursor_read(keys, other, buffer_slice(&text), arena, &back) == CURSOR_BAD);
    buffer_finish(&text);
}

/* The head of a cursor of the list, with the key that the input has. */
static void check_key(const struct store_item_list *list, struct slice key, struct arena *arena)
{
    static char bytes[CURSOR_HEAD_LEN + 8192];
    static const struct uuid nothing;
    struct store_position position = {0};
    struct buffer text;
    size_t len = 0;
    for (unsigned i = 0; i < list->order_count; i++) {
        if (list->orders[i].field->type == FIELD_UUID)
            position.keys[i].bytes = (struct slice){(const char *)nothing.bytes, sizeof nothing};
    }
    if (key.len > 8000)
        return;
    buffer_init(&text, 8192);
    cursor_make(keys, space, list, CLOCK, &position, &text);
    assert(!text.failed);
    (void)sodium_base642bin((unsigned char *)bytes, sizeof bytes, text.data, text.len, NULL, &len,
                            NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    assert(len >= CURSOR_HEAD_LEN);
    buffer_finish(&text);
    if (key.len > 0)
        memcpy(bytes + CURSOR_HEAD_LEN, key.ptr, key.len);
    const struct slice packed = {bytes, CURSOR_HEAD_LEN + key.len};
    if (cursor_unpack(packed, list, arena, &position) == CURSOR_GOOD)
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
    if (cursor_unpack(input, &list, arena, &position) == CURSOR_GOOD)
        check_round_trip(&list, &position, arena);
    check_key(&list, input, arena);
    check_feed(input);
    check_history(input, arena);
    free(copy);
    arena_destroy(&arena);
    return 0;
}
