// SPDX-License-Identifier: MIT
#include "auth/token_cache.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <sodium.h>

#include "auth/jwt.h"
#include "base/clock.h"

#define WAYS          4
#define TOKEN_ROOM    512 /* longer ones (an issuer above some 90 bytes) are verified each time */
#define SIGNATURE_LEN 43

/* ---- revocations ---- */

/* Users that share a counter only cost one another a look at the store. */
#define COUNTERS 4096

struct revocations {
    _Atomic uint64_t all;
    _Atomic uint64_t counters[COUNTERS];
};

/* The last bytes of a UUIDv7 are random. */
static size_t counter_of(struct uuid user)
{
    return ((size_t)user.bytes[14] << 8 | user.bytes[15]) % COUNTERS;
}

struct revocations *revocations_create(void)
{
    return calloc(1, sizeof(struct revocations));
}

void revocations_destroy(struct revocations **revocations)
{
    assert(revocations);
    free(*revocations);
    *revocations = NULL;
}

void revocations_add(struct revocations *revocations, struct uuid user)
{
    assert(revocations);
    atomic_fetch_add_explicit(&revocations->all, 1, memory_order_acq_rel);
    atomic_fetch_add_explicit(&revocations->counters[counter_of(user)], 1, memory_order_acq_rel);
}

/* Acquire: the question to the store that follows cannot move before this read, so an end of a
 * session that the store did not yet know moves the counter afterwards. */
uint64_t revocations_of(const struct revocations *revocations, struct uuid user)
{
    assert(revocations);
    return atomic_load_explicit(&revocations->counters[counter_of(user)], memory_order_acquire);
}

uint64_t revocations_of_all(const struct revocations *revocations)
{
    assert(revocations);
    return atomic_load_explicit(&revocations->all, memory_order_acquire);
}

/* ---- the cache ---- */

struct entry {
    struct bearer bearer;
    uint64_t counter;
    int64_t put_ms; /* monotonic */
    size_t len;
    char token[TOKEN_ROOM];
};

struct token_cache {
    const struct revocations *revocations;
    unsigned lifetime_ms;
    size_t sets;
    size_t mapped;         /* bytes */
    struct entry *entries; /* sets x WAYS; the kernel gives a page when it is first used */
    uint64_t *tags;        /* of the entries; 0: empty */
};

struct token_cache *token_cache_create(const struct revocations *revocations, size_t entries,
                                       unsigned lifetime_ms)
{
    assert(revocations && (entries & (entries - 1)) == 0);
    struct token_cache *cache = calloc(1, sizeof *cache);
    void *memory = MAP_FAILED;

    if (!cache) {
        return NULL;
    }
    cache->revocations = revocations;
    cache->lifetime_ms = lifetime_ms;
    cache->sets = entries > WAYS ? entries / WAYS : 1;
    cache->mapped = cache->sets * WAYS * (sizeof *cache->entries + sizeof *cache->tags);
    memory = mmap(NULL, cache->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        free(cache);
        return NULL;
    }
    cache->entries = memory;
    cache->tags = (uint64_t *)(cache->entries + cache->sets * WAYS);
    return cache;
}

void token_cache_destroy(struct token_cache **cache)
{
    assert(cache);
    if (*cache) {
        sodium_memzero((*cache)->entries, (*cache)->mapped);
        munmap((*cache)->entries, (*cache)->mapped);
    }
    free(*cache);
    *cache = NULL;
}

void token_cache_clear(struct token_cache *cache)
{
    assert(cache);
    /* The pages read as zeros afterwards, and take no memory until they are used again. */
    if (madvise(cache->entries, cache->mapped, MADV_DONTNEED) != 0) {
        sodium_memzero(cache->entries, cache->mapped);
    }
}

static bool fits(struct slice token)
{
    return token.len > SIGNATURE_LEN && token.len <= TOKEN_ROOM;
}

/* 8 characters out of the signature: as good as random for every token that verified. */
static uint64_t tag_of(struct slice token)
{
    uint64_t tag = 0;

    memcpy(&tag, token.ptr + token.len - sizeof tag - 1, sizeof tag);
    return tag;
}

/* The set's first entry. */
static size_t set_of(const struct token_cache *cache, uint64_t tag)
{
    return (size_t)((tag * 0x9e3779b97f4a7c15U) >> 32) % cache->sets * WAYS;
}

/* In constant time, by functions of fixed lengths, which overlap: sodium_memcmp reads byte by byte.
 */
static bool is_same_signature(const char *a, const char *b)
{
    const size_t rest = SIGNATURE_LEN - crypto_verify_16_BYTES;
    const int first = crypto_verify_32((const uint8_t *)a, (const uint8_t *)b);
    return (first | crypto_verify_16((const uint8_t *)a + rest, (const uint8_t *)b + rest)) == 0;
}

/* The signature, or all of a script's token, is what a forger lacks, so it is compared in constant
 * time. */
static bool holds(const struct entry *entry, struct slice token)
{
    const size_t open = token.len - SIGNATURE_LEN;

    return entry->len == token.len && memcmp(entry->token, token.ptr, open) == 0 &&
           is_same_signature(entry->token + open, token.ptr + open);
}

/* The way of the set that holds the token, or WAYS. */
static size_t way_of(const struct token_cache *cache, size_t set, uint64_t tag, struct slice token)
{
    size_t way = 0;

    while (way < WAYS &&
           !(cache->tags[set + way] == tag && holds(&cache->entries[set + way], token))) {
        way++;
    }
    return way;
}

/* When it leaves at the latest, in seconds. */
static int64_t end_of(const struct bearer *bearer)
{
    const int64_t most = bearer->issued_at + TOKEN_CACHE_SCRIPT_SECONDS;
    const bool shorter = bearer->expires_at != 0 && bearer->expires_at < most;
    return bearer->scopes == 0 || shorter ? bearer->expires_at : most;
}

struct bearer *token_cache_find(struct token_cache *cache, struct slice token, int64_t now)
{
    assert(cache && token.ptr);
    if (!fits(token)) {
        return NULL;
    }
    const uint64_t tag = tag_of(token);
    const size_t set = set_of(cache, tag);
    const size_t way = way_of(cache, set, tag, token);
    if (way == WAYS) {
        return NULL;
    }
    struct entry *entry = &cache->entries[set + way];
    const int64_t lifetime_ms = cache->lifetime_ms;
    const bool old = lifetime_ms > 0 && clock_mono_ms() - entry->put_ms >= lifetime_ms;
    /* One that is from ahead, since the clock was set back, would live too long: jwt_verify refuses
     * it. */
    if (now >= end_of(&entry->bearer) || entry->bearer.issued_at > now + JWT_SKEW_SECONDS || old ||
        revocations_of(cache->revocations, entry->bearer.user) != entry->counter) {
        return NULL;
    }
    return &entry->bearer;
}

/* An empty way, or the one whose token ends first. */
static size_t way_to_replace(const struct token_cache *cache, size_t set)
{
    size_t chosen = 0;

    for (size_t way = 0; way < WAYS; way++) {
        if (cache->tags[set + way] == 0) {
            return way;
        }
        if (end_of(&cache->entries[set + way].bearer) <
            end_of(&cache->entries[set + chosen].bearer)) {
            chosen = way;
        }
    }
    return chosen;
}

void token_cache_put(struct token_cache *cache, struct slice token, const struct bearer *bearer,
                     uint64_t counter)
{
    assert(cache && token.ptr && bearer);
    if (!fits(token)) {
        return;
    }
    const uint64_t tag = tag_of(token);
    const size_t set = set_of(cache, tag);
    size_t way = way_of(cache, set, tag, token);
    if (way == WAYS) {
        way = way_to_replace(cache, set);
    }
    struct entry *entry = &cache->entries[set + way];
    entry->bearer = *bearer;
    entry->counter = counter;
    entry->put_ms = cache->lifetime_ms > 0 ? clock_mono_ms() : 0;
    entry->len = token.len;
    memcpy(entry->token, token.ptr, token.len);
    cache->tags[set + way] = tag;
}
