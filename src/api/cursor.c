// SPDX-License-Identifier: MIT
#include "api/cursor.h"

#include <sodium.h>

#include "auth/base64url.h"

#define VERSION     2
#define DIGEST_LEN  crypto_shorthash_BYTES
#define NUMBER_LEN  8
#define TEXT_MOST   4096 /* bytes of a sort key that is a text */
#define PACKED_MOST (CURSOR_HEAD_LEN + TEXT_MOST)
#define SPACE_LEN   sizeof(struct uuid)

enum { DIGEST_AT = 4, ID_AT = DIGEST_AT + DIGEST_LEN };
_Static_assert(ID_AT + sizeof(struct uuid) == CURSOR_HEAD_LEN, "the head's parts are its whole");

enum { DESCENDING = 1, KEY_IS_NULL = 2 };

struct uuid cursor_space(struct uuid epoch, struct uuid space)
{
    /* An epoch is random, so that no two pairs of the same database come to the same. */
    for (size_t i = 0; i < sizeof space.bytes; i++) {
        space.bytes[i] ^= epoch.bytes[i];
    }
    return space;
}

/* Who could find two filters with the same digest would walk a list of their own wrongly. */
static void digest(const struct store_item_list *list, uint8_t out[static DIGEST_LEN])
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "a list's filter";
    crypto_shorthash(out, NULL, 0, key);
    for (unsigned i = 0; i < list->term_count; i++) {
        const struct store_term *term = &list->terms[i];
        struct {
            unsigned char before[DIGEST_LEN];
            uint64_t field;
            uint64_t null;
            uint64_t choices;
            int64_t number;
            unsigned char bytes[DIGEST_LEN];
        } link = {.field = (uint64_t)(term->field - list->resource->fields),
                  .null = term->value.null,
                  .choices = term->choices,
                  .number = term->value.number};
        memcpy(link.before, out, DIGEST_LEN);
        crypto_shorthash(link.bytes, (const unsigned char *)term->value.bytes.ptr,
                         term->value.bytes.len, key);
        crypto_shorthash(out, (const unsigned char *)&link, sizeof link, key);
    }
}

/* Returns the length. */
static size_t pack(const struct store_item_list *list, const struct store_position *position,
                   uint8_t out[static PACKED_MOST])
{
    out[0] = VERSION;
    out[1] = (uint8_t)list->resource->kind;
    out[2] = (uint8_t)(list->sort - list->resource->fields);
    out[3] =
        (uint8_t)((list->descending ? DESCENDING : 0) | (position->key.null ? KEY_IS_NULL : 0));
    digest(list, out + DIGEST_AT);
    memcpy(out + ID_AT, position->id.bytes, sizeof position->id.bytes);
    const struct field_value *key = &position->key;
    if (key->null) {
        return CURSOR_HEAD_LEN;
    }
    if (!field_is_number(list->sort->type)) {
        assert(key->bytes.len <= TEXT_MOST);
        memcpy(out + CURSOR_HEAD_LEN, key->bytes.ptr, key->bytes.len);
        return CURSOR_HEAD_LEN + key->bytes.len;
    }
    for (size_t i = 0; i < NUMBER_LEN; i++) {
        out[CURSOR_HEAD_LEN + i] = (uint8_t)((uint64_t)key->number >> (8 * (NUMBER_LEN - 1 - i)));
    }
    return CURSOR_HEAD_LEN + NUMBER_LEN;
}

static bool unpack_key(const struct field *field, struct slice bytes, struct field_value *value)
{
    uint64_t number = 0;
    if (value->null) {
        return bytes.len == 0 && (field->flags & FIELD_NULLABLE);
    }
    if (!field_is_number(field->type)) {
        value->bytes = bytes;
        return bytes.len <= TEXT_MOST &&
               (field->type != FIELD_UUID || bytes.len == sizeof(struct uuid));
    }
    for (size_t i = 0; i < bytes.len && i < NUMBER_LEN; i++) {
        number = number << 8 | (uint8_t)bytes.ptr[i];
    }
    value->number = (int64_t)number;
    return bytes.len == NUMBER_LEN;
}

enum cursor_verdict cursor_unpack(struct slice bytes, const struct store_item_list *list,
                                  struct store_position *position)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    uint8_t expected[DIGEST_LEN];
    if (bytes.len < CURSOR_HEAD_LEN || p[0] != VERSION || p[3] > (DESCENDING | KEY_IS_NULL)) {
        return CURSOR_BAD;
    }
    digest(list, expected);
    if (p[1] != list->resource->kind || p[2] != list->sort - list->resource->fields ||
        ((p[3] & DESCENDING) != 0) != list->descending ||
        memcmp(expected, p + DIGEST_AT, DIGEST_LEN) != 0) {
        return CURSOR_OTHERS;
    }
    *position = (struct store_position){.key.null = (p[3] & KEY_IS_NULL) != 0};
    memcpy(position->id.bytes, p + ID_AT, sizeof position->id.bytes);
    const struct slice key = {bytes.ptr + CURSOR_HEAD_LEN, bytes.len - CURSOR_HEAD_LEN};
    return unpack_key(list->sort, key, &position->key) ? CURSOR_GOOD : CURSOR_BAD;
}

/* `bytes` has SPACE_LEN free bytes in front of the packed cursor, so that what is authenticated is
 * one run. */
void cursor_make(const struct keys *keys, struct uuid space, const struct store_item_list *list,
                 const struct store_position *position, struct buffer *out)
{
    uint8_t bytes[SPACE_LEN + PACKED_MOST + KEYS_MAC_LEN];
    memcpy(bytes, space.bytes, SPACE_LEN);
    size_t len = pack(list, position, bytes + SPACE_LEN);
    if (!keys_mac(keys, KEYS_CURSOR, 0, (struct slice){(const char *)bytes, SPACE_LEN + len},
                  bytes + SPACE_LEN + len)) {
        out->failed = true;
        return;
    }
    len += KEYS_MAC_LEN;
    base64url_add(out, (struct slice){(const char *)bytes + SPACE_LEN, len});
}

enum cursor_verdict cursor_read(const struct keys *keys, struct uuid space, struct slice text,
                                struct arena *arena, struct store_item_list *list)
{
    uint8_t bytes[SPACE_LEN + PACKED_MOST + KEYS_MAC_LEN];
    size_t len = 0;
    memcpy(bytes, space.bytes, SPACE_LEN);
    if (!base64url_decode(text, bytes + SPACE_LEN, PACKED_MOST + KEYS_MAC_LEN, &len) ||
        len <= KEYS_MAC_LEN) {
        return CURSOR_BAD;
    }
    len -= KEYS_MAC_LEN;
    if (!keys_verify(keys, KEYS_CURSOR, (struct slice){(const char *)bytes, SPACE_LEN + len},
                     bytes + SPACE_LEN + len)) {
        return CURSOR_BAD;
    }
    const struct slice kept = arena_copy(arena, (struct slice){(char *)bytes + SPACE_LEN, len});
    if (!kept.ptr) {
        return CURSOR_BAD;
    }
    list->after = true;
    return cursor_unpack(kept, list, &list->position);
}
