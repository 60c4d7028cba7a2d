// SPDX-License-Identifier: MIT
#include "api/cursor.h"

#include "auth/base64url.h"

#define VERSION     1
#define KEY_LEN     8                     /* of a number */
#define TITLE_MOST  (4 * TASK_TITLE_MOST) /* bytes */
#define PACKED_MOST (CURSOR_HEAD_LEN + TITLE_MOST)
#define SPACE_LEN   sizeof(struct uuid)

struct uuid cursor_space(struct uuid epoch, struct uuid user)
{
    /* An epoch is random, so that no two pairs of the same database come to the same. */
    for (size_t i = 0; i < sizeof user.bytes; i++) {
        user.bytes[i] ^= epoch.bytes[i];
    }
    return user;
}

static bool is_text(enum store_sort sort)
{
    return sort == STORE_SORT_TITLE;
}

/* Returns the length, 0 when the title is longer than a title can be. */
static size_t pack(const struct cursor *cursor, uint8_t out[static PACKED_MOST])
{
    out[0] = VERSION;
    out[1] = (uint8_t)cursor->sort;
    out[2] = cursor->descending;
    out[3] = (uint8_t)cursor->statuses;
    memcpy(out + 4, cursor->position.id.bytes, sizeof cursor->position.id.bytes);
    uint8_t *key = out + CURSOR_HEAD_LEN;
    if (is_text(cursor->sort)) {
        struct slice text = cursor->position.text;
        if (text.len > TITLE_MOST) {
            return 0;
        }
        memcpy(key, text.ptr, text.len);
        return CURSOR_HEAD_LEN + text.len;
    }
    uint64_t number = (uint64_t)cursor->position.number;
    for (size_t i = 0; i < KEY_LEN; i++) {
        key[i] = (uint8_t)(number >> (8 * (KEY_LEN - 1 - i)));
    }
    return CURSOR_HEAD_LEN + KEY_LEN;
}

bool cursor_unpack(struct slice bytes, struct cursor *cursor)
{
    const uint8_t *p = (const uint8_t *)bytes.ptr;
    if (bytes.len < CURSOR_HEAD_LEN || p[0] != VERSION || p[1] >= STORE_SORT_COUNT || p[2] > 1 ||
        p[3] >= 1U << TASK_STATUS_COUNT) {
        return false;
    }
    *cursor =
        (struct cursor){.sort = (enum store_sort)p[1], .descending = p[2] == 1, .statuses = p[3]};
    memcpy(cursor->position.id.bytes, p + 4, sizeof cursor->position.id.bytes);
    struct slice key = {bytes.ptr + CURSOR_HEAD_LEN, bytes.len - CURSOR_HEAD_LEN};
    if (is_text(cursor->sort)) {
        cursor->position.text = key;
        return key.len > 0 && key.len <= TITLE_MOST;
    }
    if (key.len != KEY_LEN) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < KEY_LEN; i++) {
        number = number << 8 | p[CURSOR_HEAD_LEN + i];
    }
    cursor->position.number = (int64_t)number;
    return true;
}

/* `bytes` has SPACE_LEN free bytes in front of the packed cursor, so that what is authenticated is
 * one run. */
void cursor_make(const struct keys *keys, struct uuid space, const struct cursor *cursor,
                 struct buffer *out)
{
    uint8_t bytes[SPACE_LEN + PACKED_MOST + KEYS_MAC_LEN];
    memcpy(bytes, space.bytes, SPACE_LEN);
    size_t len = pack(cursor, bytes + SPACE_LEN);
    if (len == 0 ||
        !keys_mac(keys, KEYS_CURSOR, 0, (struct slice){(const char *)bytes, SPACE_LEN + len},
                  bytes + SPACE_LEN + len)) {
        out->failed = true;
        return;
    }
    len += KEYS_MAC_LEN;
    base64url_add(out, (struct slice){(const char *)bytes + SPACE_LEN, len});
}

bool cursor_parse(const struct keys *keys, struct uuid space, struct slice text,
                  struct arena *arena, struct cursor *cursor)
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
                     bytes + SPACE_LEN + len) ||
        !cursor_unpack((struct slice){(const char *)bytes + SPACE_LEN, len}, cursor)) {
        return false;
    }
    if (is_text(cursor->sort)) {
        cursor->position.text = arena_copy(arena, cursor->position.text);
        return cursor->position.text.ptr != NULL;
    }
    return true;
}
