// SPDX-License-Identifier: MIT
#include "api/cursor.h"

#include <assert.h>
#include <sodium.h>

#include "api/list_key.h"
#include "auth/base64url.h"
#include "base/fold.h"

#define VERSION       3
#define DIGEST_LEN    crypto_shorthash_BYTES
#define NUMBER_LEN    8
#define ID_LEN        sizeof(struct uuid)
#define TEXTS_MOST    5120 /* bytes of all keys */
#define PACKED_MOST   (CURSOR_HEAD_LEN + TEXTS_MOST)
#define SPACE_LEN     sizeof(struct uuid)
#define LIST_KEY_MOST ((size_t)1 << 20)

enum { NULLS_AT = 2, DIGEST_AT = 4, ID_AT = DIGEST_AT + DIGEST_LEN, CLOCK_AT = ID_AT + ID_LEN };
_Static_assert(CLOCK_AT + NUMBER_LEN == CURSOR_HEAD_LEN, "the head's parts are its whole");

struct uuid cursor_space(struct uuid epoch, struct uuid space)
{
    /* An epoch is random, so that no two pairs of the same database come to the same. */
    for (size_t i = 0; i < sizeof space.bytes; i++) {
        space.bytes[i] ^= epoch.bytes[i];
    }
    return space;
}

/* Who could find two filters with the same digest would walk a list of their own wrongly. False
 * without memory. */
static bool digest(const struct store_item_list *list, uint8_t out[static DIGEST_LEN])
{
    static const unsigned char key[crypto_shorthash_KEYBYTES] = "a list's filter";
    struct buffer bytes;
    buffer_init(&bytes, LIST_KEY_MOST);
    list_key_add(list, &bytes);
    const bool made = !bytes.failed;
    if (made) {
        crypto_shorthash(out, (const unsigned char *)bytes.data, bytes.len, key);
    }
    buffer_finish(&bytes);
    return made;
}

/* ---- packing ---- */

static void add_number(struct buffer *out, uint64_t number, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        buffer_add_char(out, (char)(number >> (8 * (len - 1 - i))));
    }
}

static void add_text(struct buffer *out, struct slice text)
{
    if (text.len > TEXTS_MOST) {
        out->failed = true;
        return;
    }
    add_number(out, text.len, 2);
    buffer_add(out, text);
}

static void pack(const struct store_item_list *list, int64_t clock,
                 const struct store_position *position, struct buffer *out)
{
    uint8_t head[DIGEST_AT + DIGEST_LEN] = {VERSION, (uint8_t)list->resource->kind};
    for (unsigned i = 0; i < list->order_count; i++) {
        head[NULLS_AT] |= (uint8_t)(position->keys[i].null ? 1U << i : 0);
    }
    out->failed |= !digest(list, head + DIGEST_AT);
    buffer_add(out, (struct slice){(const char *)head, sizeof head});
    buffer_add(out, (struct slice){(const char *)position->id.bytes, ID_LEN});
    add_number(out, (uint64_t)clock, NUMBER_LEN);
    for (unsigned i = 0; i < list->order_count; i++) {
        const struct field_value *key = &position->keys[i];
        if (key->null) {
            continue;
        }
        if (list->orders[i].order == LIST_BY_LIST) {
            add_text(out, position->beside[i]);
        }
        if (field_is_number(list->orders[i].field->type)) {
            add_number(out, (uint64_t)key->number, NUMBER_LEN);
        } else if (list->orders[i].field->type == FIELD_UUID) {
            assert(key->bytes.len == ID_LEN);
            buffer_add(out, key->bytes);
        } else {
            add_text(out, key->bytes);
        }
    }
}

/* ---- unpacking; each cuts what it takes off `*rest` ---- */

static bool take_bytes(struct slice *rest, size_t len, struct slice *bytes)
{
    if (rest->len < len) {
        return false;
    }
    *bytes = (struct slice){rest->ptr, len};
    *rest = slice_from(*rest, len);
    return true;
}

static bool take_number(struct slice *rest, size_t len, uint64_t *number)
{
    struct slice bytes = {0};
    if (!take_bytes(rest, len, &bytes)) {
        return false;
    }
    *number = 0;
    for (size_t i = 0; i < len; i++) {
        *number = *number << 8 | (uint8_t)bytes.ptr[i];
    }
    return true;
}

static bool take_text(struct slice *rest, struct slice *text)
{
    uint64_t len = 0;
    return take_number(rest, 2, &len) && take_bytes(rest, (size_t)len, text);
}

static bool fold_text(struct slice text, struct arena *arena, struct slice *folded)
{
    struct buffer out;
    buffer_init(&out, text.len * FOLD_GROWTH);
    fold_add(&out, text);
    *folded = out.failed ? (struct slice){0} : arena_copy(arena, buffer_slice(&out));
    buffer_finish(&out);
    return folded->ptr != NULL;
}

static bool take_key(struct slice *rest, const struct store_order *order, struct arena *arena,
                     struct field_value *key, struct slice *beside)
{
    const enum field_type type = order->field->type;
    uint64_t number = 0;
    struct when when;
    if (order->order == LIST_BY_LIST && !take_text(rest, beside)) {
        return false;
    }
    if (field_is_number(type)) {
        const bool taken = take_number(rest, NUMBER_LEN, &number);
        key->number = (int64_t)number;
        return taken && (type != FIELD_WHEN || when_unpack(key->number, &when));
    }
    if (type == FIELD_UUID) {
        return take_bytes(rest, ID_LEN, &key->bytes);
    }
    return take_text(rest, &key->bytes) &&
           (order->order != LIST_BY_FOLDED || fold_text(key->bytes, arena, beside));
}

enum cursor_verdict cursor_unpack(struct slice packed, const struct store_item_list *list,
                                  struct arena *arena, struct store_position *position)
{
    const uint8_t *p = (const uint8_t *)packed.ptr;
    uint8_t expected[DIGEST_LEN];
    if (packed.len < CURSOR_HEAD_LEN || p[0] != VERSION || p[NULLS_AT] >= 1U << STORE_ORDERS_MOST ||
        p[NULLS_AT + 1] != 0 || !digest(list, expected)) {
        return CURSOR_BAD;
    }
    if (p[1] != list->resource->kind || memcmp(expected, p + DIGEST_AT, DIGEST_LEN) != 0) {
        return CURSOR_OTHERS;
    }
    struct slice rest = slice_from(packed, CURSOR_HEAD_LEN);
    *position = (struct store_position){0};
    memcpy(position->id.bytes, p + ID_AT, ID_LEN);
    for (unsigned i = 0; i < STORE_ORDERS_MOST; i++) {
        const bool null = (p[NULLS_AT] >> i & 1) != 0;
        const struct store_order *order = i < list->order_count ? &list->orders[i] : NULL;
        if (null && (!order || !(order->field->flags & FIELD_NULLABLE))) {
            return CURSOR_BAD;
        }
        position->keys[i].null = null;
        if (order && !null &&
            !take_key(&rest, order, arena, &position->keys[i], &position->beside[i])) {
            return CURSOR_BAD;
        }
    }
    return rest.len == 0 ? CURSOR_GOOD : CURSOR_BAD;
}

int64_t cursor_clock(struct slice packed)
{
    uint64_t clock = 0;
    if (packed.len < CURSOR_HEAD_LEN || packed.ptr[0] != VERSION) {
        return 0;
    }
    struct slice rest = slice_from(packed, CLOCK_AT);
    return take_number(&rest, NUMBER_LEN, &clock) ? (int64_t)clock : 0;
}

/* ---- as a text ---- */

/* What is authenticated is one run: the space, then the packed form. */
/* Appends what was packed after the space, with its MAC. Finishes `bytes`. */
static void seal(const struct keys *keys, struct buffer *bytes, struct buffer *out)
{
    uint8_t mac[KEYS_MAC_LEN];
    out->failed |= bytes->failed || bytes->len > SPACE_LEN + PACKED_MOST;
    if (!out->failed && keys_mac(keys, KEYS_CURSOR, 0, buffer_slice(bytes), mac)) {
        buffer_add(bytes, (struct slice){(const char *)mac, sizeof mac});
        out->failed |= bytes->failed;
        base64url_add(out, slice_from(buffer_slice(bytes), SPACE_LEN));
    } else {
        out->failed = true;
    }
    buffer_finish(bytes);
}

static struct buffer begin_packed(struct uuid space)
{
    struct buffer bytes;
    buffer_init(&bytes, SPACE_LEN + PACKED_MOST + KEYS_MAC_LEN);
    buffer_add(&bytes, (struct slice){(const char *)space.bytes, SPACE_LEN});
    return bytes;
}

void cursor_make(const struct keys *keys, struct uuid space, const struct store_item_list *list,
                 int64_t clock, const struct store_position *position, struct buffer *out)
{
    struct buffer bytes = begin_packed(space);
    pack(list, clock, position, &bytes);
    seal(keys, &bytes, out);
}

bool cursor_open(const struct keys *keys, struct uuid space, struct slice text, struct arena *arena,
                 struct slice *packed)
{
    uint8_t bytes[SPACE_LEN + PACKED_MOST + KEYS_MAC_LEN];
    size_t len = 0;
    memcpy(bytes, space.bytes, SPACE_LEN);
    if (!base64url_decode(text, bytes + SPACE_LEN, PACKED_MOST + KEYS_MAC_LEN, &len) ||
        len <= KEYS_MAC_LEN) {
        return false;
    }
    len -= KEYS_MAC_LEN;
    if (!keys_verify(keys, KEYS_CURSOR, (struct slice){(const char *)bytes, SPACE_LEN + len},
                     bytes + SPACE_LEN + len)) {
        return false;
    }
    *packed = arena_copy(arena, (struct slice){(const char *)bytes + SPACE_LEN, len});
    return packed->ptr != NULL;
}

enum cursor_verdict cursor_read(const struct keys *keys, struct uuid space, struct slice text,
                                struct arena *arena, struct store_item_list *list)
{
    struct slice packed;
    if (!cursor_open(keys, space, text, arena, &packed)) {
        return CURSOR_BAD;
    }
    const enum cursor_verdict verdict = cursor_unpack(packed, list, arena, &list->position);
    list->after = verdict == CURSOR_GOOD;
    return verdict;
}

/* ---- of labels ---- */

/* Version, 0 where others have their kind, the label. */
static const char label_head[] = {VERSION, 0};

void cursor_make_label(const struct keys *keys, struct uuid space, struct slice after,
                       struct buffer *out)
{
    struct buffer bytes = begin_packed(space);
    assert(after.len > 0);
    buffer_add(&bytes, (struct slice){label_head, sizeof label_head});
    buffer_add(&bytes, after);
    seal(keys, &bytes, out);
}

bool cursor_read_label(const struct keys *keys, struct uuid space, struct slice text,
                       struct arena *arena, struct slice *after)
{
    assert(text.ptr && arena && after);
    if (!cursor_open(keys, space, text, arena, after) || after->len <= sizeof label_head ||
        memcmp(after->ptr, label_head, sizeof label_head) != 0) {
        return false;
    }
    *after = slice_from(*after, sizeof label_head);
    return true;
}

/* ---- of a history ---- */

#define HISTORY_KIND 0xFF /* where others have the kind of their resource */
#define HISTORY_LEN  (2 + ID_LEN + NUMBER_LEN)

void cursor_make_history(const struct keys *keys, struct uuid space, struct uuid id, int64_t before,
                         struct buffer *out)
{
    static const char head[] = {VERSION, (char)HISTORY_KIND};
    struct buffer bytes = begin_packed(space);
    assert(before > 0);
    buffer_add(&bytes, (struct slice){head, sizeof head});
    buffer_add(&bytes, (struct slice){(const char *)id.bytes, ID_LEN});
    add_number(&bytes, (uint64_t)before, NUMBER_LEN);
    seal(keys, &bytes, out);
}

bool cursor_unpack_history(struct slice packed, struct uuid id, int64_t *before)
{
    const uint8_t *p = (const uint8_t *)packed.ptr;
    uint64_t number = 0;
    assert(packed.ptr && before);
    if (packed.len != HISTORY_LEN || p[0] != VERSION || p[1] != HISTORY_KIND ||
        memcmp(p + 2, id.bytes, ID_LEN) != 0) {
        return false;
    }
    struct slice rest = slice_from(packed, 2 + ID_LEN);
    if (!take_number(&rest, NUMBER_LEN, &number) || number == 0 || number > INT64_MAX) {
        return false;
    }
    *before = (int64_t)number;
    return true;
}

bool cursor_read_history(const struct keys *keys, struct uuid space, struct slice text,
                         struct uuid id, struct arena *arena, int64_t *before)
{
    struct slice packed;
    assert(text.ptr && arena);
    return cursor_open(keys, space, text, arena, &packed) &&
           cursor_unpack_history(packed, id, before);
}
