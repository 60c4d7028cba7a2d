// SPDX-License-Identifier: MIT
#include "cli/from/key_map.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define FIRST 64 /* entries */

struct key_digest key_digest_of(const struct slice *parts, size_t count)
{
    assert(parts || count == 0);
    crypto_generichash_state state;
    struct key_digest digest;

    (void)crypto_generichash_init(&state, NULL, 0, KEY_DIGEST);
    for (size_t i = 0; i < count; i++) {
        const uint64_t len = parts[i].len;
        uint8_t prefix[8];
        for (unsigned byte = 0; byte < sizeof prefix; byte++) {
            prefix[byte] = (uint8_t)(len >> (8 * byte));
        }
        (void)crypto_generichash_update(&state, prefix, sizeof prefix);
        if (len > 0) {
            (void)crypto_generichash_update(&state, (const uint8_t *)parts[i].ptr, len);
        }
    }
    (void)crypto_generichash_final(&state, digest.bytes, KEY_DIGEST);
    return digest;
}

bool key_digest_eq(const struct key_digest *a, const struct key_digest *b)
{
    assert(a && b);
    return memcmp(a->bytes, b->bytes, KEY_DIGEST) == 0;
}

void key_map_finish(struct key_map *map)
{
    assert(map);
    free(map->entries);
    *map = (struct key_map){0};
}

/* The entry of a key, or the free one where it belongs. */
static struct key_map_entry *place_of(const struct key_map *map, const struct key_digest *digest)
{
    uint64_t hash;
    memcpy(&hash, digest->bytes, sizeof hash);
    for (size_t at = hash & (map->capacity - 1);; at = (at + 1) & (map->capacity - 1)) {
        struct key_map_entry *entry = &map->entries[at];
        if (!entry->used || key_digest_eq(&entry->digest, digest)) {
            return entry;
        }
    }
}

uint32_t *key_map_find(const struct key_map *map, const struct key_digest *digest)
{
    assert(map && digest);
    if (map->capacity == 0) {
        return NULL;
    }
    struct key_map_entry *entry = place_of(map, digest);
    return entry->used ? &entry->number : NULL;
}

static bool grow(struct key_map *map)
{
    const struct key_map old = *map;
    const size_t capacity = old.capacity ? old.capacity * 2 : FIRST;
    struct key_map_entry *entries = calloc(capacity, sizeof *entries);
    if (!entries) {
        return false;
    }
    *map = (struct key_map){entries, capacity, old.count};
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].used) {
            *place_of(map, &old.entries[i].digest) = old.entries[i];
        }
    }
    free(old.entries);
    return true;
}

bool key_map_put(struct key_map *map, const struct key_digest *digest, uint32_t number)
{
    assert(map && digest && !key_map_find(map, digest));
    if (map->count >= map->capacity / 2 && !grow(map)) {
        return false;
    }
    *place_of(map, digest) = (struct key_map_entry){*digest, number, true};
    map->count++;
    return true;
}
