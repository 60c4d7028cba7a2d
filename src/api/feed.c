// SPDX-License-Identifier: MIT
#include "api/feed.h"

#include <assert.h>
#include <string.h>

#include "api/respond.h"
#include "auth/base64url.h"

/* ---- cursors ---- */

#define VERSION 1
#define ID_LEN  sizeof(struct uuid)

enum {
    FORM_AT = 1,
    EPOCH_AT = 2,
    REVISION_AT = EPOCH_AT + ID_LEN,
    AFTER_LEN = REVISION_AT + 8,
    KIND_AT = AFTER_LEN,
    CREATED_AT = KIND_AT + 1,
    ITEM_AT = CREATED_AT + 8,
};
static_assert(ITEM_AT + ID_LEN == FEED_PACKED_MOST, "the parts are the whole");
static_assert(BASE64URL_LEN(FEED_PACKED_MOST + KEYS_MAC_LEN) <= FEED_CURSOR_MOST,
              "what clients are promised");

enum form { FORM_WALKING = 1, FORM_AFTER = 2 };

static void put_number(uint8_t *at, int64_t number)
{
    for (int i = 0; i < 8; i++) {
        at[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    }
}

static int64_t take_number(const uint8_t *at)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | at[i];
    }
    return (int64_t)number;
}

size_t feed_cursor_pack(struct uuid epoch, const struct store_changes_place *place,
                        uint8_t packed[static FEED_PACKED_MOST])
{
    const bool walking = place->from == STORE_CHANGES_WALKING;
    assert(walking || place->from == STORE_CHANGES_AFTER);
    assert(place->revision >= 0);
    packed[0] = VERSION;
    packed[FORM_AT] = walking ? FORM_WALKING : FORM_AFTER;
    memcpy(packed + EPOCH_AT, epoch.bytes, ID_LEN);
    put_number(packed + REVISION_AT, place->revision);
    if (!walking) {
        return AFTER_LEN;
    }
    packed[KIND_AT] = (uint8_t)place->resource->kind;
    put_number(packed + CREATED_AT, place->created_at);
    memcpy(packed + ITEM_AT, place->id.bytes, ID_LEN);
    return FEED_PACKED_MOST;
}

enum feed_cursor feed_cursor_unpack(struct slice packed, struct uuid epoch,
                                    struct store_changes_place *place)
{
    const uint8_t *p = (const uint8_t *)packed.ptr;
    if (packed.len < AFTER_LEN || p[0] != VERSION) {
        return FEED_CURSOR_BAD;
    }
    const bool walking = p[FORM_AT] == FORM_WALKING;
    if ((!walking && p[FORM_AT] != FORM_AFTER) ||
        packed.len != (walking ? FEED_PACKED_MOST : AFTER_LEN)) {
        return FEED_CURSOR_BAD;
    }
    *place = (struct store_changes_place){
        .from = walking ? STORE_CHANGES_WALKING : STORE_CHANGES_AFTER,
        .revision = take_number(p + REVISION_AT),
    };
    if (walking) {
        place->resource = resource_of_kind(p[KIND_AT]);
        place->created_at = take_number(p + CREATED_AT);
        memcpy(place->id.bytes, p + ITEM_AT, ID_LEN);
    }
    if (place->revision < 0 || (walking && !place->resource)) {
        return FEED_CURSOR_BAD;
    }
    return memcmp(p + EPOCH_AT, epoch.bytes, ID_LEN) == 0 ? FEED_CURSOR_GOOD : FEED_CURSOR_GONE;
}

/* What is authenticated is one run: the user, then the packed form. Cursors of lists begin with
 * another version, so that none is good in place of the other. */
struct sealed {
    uint8_t user[ID_LEN];
    uint8_t packed[FEED_PACKED_MOST + KEYS_MAC_LEN];
};
static_assert(sizeof(struct sealed) == ID_LEN + FEED_PACKED_MOST + KEYS_MAC_LEN, "no holes");

static struct slice authenticated(const struct sealed *sealed, size_t packed)
{
    return (struct slice){(const char *)sealed, ID_LEN + packed};
}

void feed_cursor_make(const struct keys *keys, struct uuid epoch, struct uuid user,
                      const struct store_changes_place *place, struct buffer *out)
{
    struct sealed sealed;
    assert(keys && place && out);
    memcpy(sealed.user, user.bytes, ID_LEN);
    const size_t len = feed_cursor_pack(epoch, place, sealed.packed);
    if (!keys_mac(keys, KEYS_CURSOR, 0, authenticated(&sealed, len), sealed.packed + len)) {
        out->failed = true;
        return;
    }
    base64url_add(out, (struct slice){(const char *)sealed.packed, len + KEYS_MAC_LEN});
}

enum feed_cursor feed_cursor_read(const struct keys *keys, struct uuid epoch, struct uuid user,
                                  struct slice text, struct store_changes_place *place)
{
    struct sealed sealed;
    size_t len = 0;
    assert(keys && text.ptr && place);
    memcpy(sealed.user, user.bytes, ID_LEN);
    if (!base64url_decode(text, sealed.packed, sizeof sealed.packed, &len) || len <= KEYS_MAC_LEN) {
        return FEED_CURSOR_BAD;
    }
    len -= KEYS_MAC_LEN;
    if (!keys_verify(keys, KEYS_CURSOR, authenticated(&sealed, len), sealed.packed + len)) {
        return FEED_CURSOR_BAD;
    }
    return feed_cursor_unpack((struct slice){(const char *)sealed.packed, len}, epoch, place);
}

void feed_add_gone(struct buffer *out, int64_t keep_seconds)
{
    assert(out && keep_seconds > 0);
    char kept[RESPOND_SECONDS_MOST];
    buffer_add_format(out,
                      "The cursor is older than changes are kept (%s), or from before the database "
                      "was restored. Begin again with GET /v1/changes without a cursor, and drop "
                      "what does not come.",
                      respond_seconds(keep_seconds, kept));
}

/* ---- what is sent ---- */

#define CHANGE_MOST 256 /* bytes of a change, without its item */

void feed_write_change(struct json_writer *w, const struct store_change *change)
{
    char id[UUID_TEXT_LEN];
    assert(w && change && change->resource);
    uuid_format(change->id, id);
    jw_open_object(w);
    respond_member(w, SLICE("kind"), change->resource->name);
    respond_member(w, SLICE("op"), change->item ? SLICE("put") : SLICE("delete"));
    respond_member(w, SLICE("id"), (struct slice){id, UUID_TEXT_LEN});
    jw_name(w, SLICE("revision"));
    jw_i64(w, change->revision);
    jw_name(w, SLICE("at"));
    jw_time(w, change->at);
    if (change->item) {
        jw_name(w, change->resource->name);
        resource_encode(change->resource, change->item, RESOURCE_ALL, w);
    }
    jw_close_object(w);
}

size_t feed_change_most(const struct resource *resource)
{
    return resource_json_most(resource) + CHANGE_MOST;
}
