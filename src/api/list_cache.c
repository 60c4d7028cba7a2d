// SPDX-License-Identifier: MIT
#include "api/list_cache.h"

#include <stdlib.h>

#include <sodium.h>

_Static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "a hash is one number");

#define GRAIN ((size_t)1024) /* sizes of memory, so that the next version of a page fits too */

struct slot {
    struct uuid user;
    int64_t revision;
    char *bytes; /* the query, the fields, the body; NULL: empty */
    size_t room; /* bytes taken for it */
    size_t query_len;
    size_t fields_len;
    size_t body_len;
};

struct list_cache {
    size_t count;
    size_t most;
    size_t used; /* bytes, the sum of all rooms */
    size_t hand; /* the slot to be emptied next */
    struct slot *slots;
    unsigned char hash_key[crypto_shorthash_KEYBYTES]; /* nobody can aim at another's slot */
};

struct list_cache *list_cache_create(size_t slots, size_t most)
{
    struct list_cache *cache = sodium_init() < 0 ? NULL : calloc(1, sizeof *cache);
    if (!cache) {
        return NULL;
    }
    cache->count = slots;
    cache->most = most;
    cache->slots = calloc(slots, sizeof *cache->slots);
    if (!cache->slots) {
        list_cache_destroy(&cache);
        return NULL;
    }
    crypto_shorthash_keygen(cache->hash_key);
    return cache;
}

static void empty(struct list_cache *cache, struct slot *slot)
{
    cache->used -= slot->room;
    free(slot->bytes);
    *slot = (struct slot){0};
}

void list_cache_clear(struct list_cache *cache)
{
    for (size_t i = 0; cache->slots && i < cache->count; i++) {
        empty(cache, &cache->slots[i]);
    }
}

void list_cache_destroy(struct list_cache **cache)
{
    if (!*cache) {
        return;
    }
    list_cache_clear(*cache);
    free((*cache)->slots);
    free(*cache);
    *cache = NULL;
}

/* The revision is no part of it: a newer page takes the place of the older one. */
static struct slot *slot_of(const struct list_cache *cache, const struct list_cache_key *key)
{
    uint64_t user = 0;
    uint64_t query = 0;
    crypto_shorthash((unsigned char *)&user, key->user.bytes, sizeof key->user.bytes,
                     cache->hash_key);
    crypto_shorthash((unsigned char *)&query, (const unsigned char *)key->query.ptr, key->query.len,
                     cache->hash_key);
    return &cache->slots[(user + query) % cache->count];
}

bool list_cache_find(const struct list_cache *cache, const struct list_cache_key *key,
                     struct list_cache_page *page)
{
    const struct slot *slot = slot_of(cache, key);
    if (!slot->bytes || slot->revision != key->revision || !uuid_eq(slot->user, key->user) ||
        !slice_eq((struct slice){slot->bytes, slot->query_len}, key->query)) {
        return false;
    }
    page->fields = (struct slice){slot->bytes + slot->query_len, slot->fields_len};
    page->body = (struct slice){page->fields.ptr + slot->fields_len, slot->body_len};
    return true;
}

/* Gives the slot `room` bytes or more, and empties others for them. */
static bool make_room(struct list_cache *cache, struct slot *slot, size_t room)
{
    if (slot->room >= room && slot->room / 2 <= room) {
        return true;
    }
    empty(cache, slot);
    if (room > cache->most) {
        return false;
    }
    while (cache->most - cache->used < room) {
        empty(cache, &cache->slots[cache->hand]);
        cache->hand = (cache->hand + 1) % cache->count;
    }
    slot->bytes = malloc(room);
    if (!slot->bytes) {
        return false;
    }
    slot->room = room;
    cache->used += room;
    return true;
}

static char *put(char *at, struct slice s)
{
    if (s.len > 0) {
        memcpy(at, s.ptr, s.len);
    }
    return at + s.len;
}

void list_cache_put(struct list_cache *cache, const struct list_cache_key *key,
                    const struct list_cache_page *page)
{
    const size_t len = key->query.len + page->fields.len + page->body.len;
    const size_t room = (len / GRAIN + 1) * GRAIN;
    struct slot *slot = slot_of(cache, key);
    if (len > LIST_CACHE_PAGE_MOST || !make_room(cache, slot, room)) {
        return;
    }
    char *at = put(slot->bytes, key->query);
    at = put(at, page->fields);
    put(at, page->body);
    slot->user = key->user;
    slot->revision = key->revision;
    slot->query_len = key->query.len;
    slot->fields_len = page->fields.len;
    slot->body_len = page->body.len;
}
