// SPDX-License-Identifier: MIT
#include "http/addresses.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/client_key.h"

struct entry {
    uint8_t key[CLIENT_KEY_LEN];
    size_t count; /* 0: free */
};

/* Open addressing with linear probing, at most half full. */
struct addresses {
    pthread_mutex_t lock;
    size_t most;
    size_t mask;
    struct entry *entries;
};

struct addresses *addresses_create(size_t most, size_t connections)
{
    struct addresses *addresses = calloc(1, sizeof *addresses);
    size_t size = 64;
    while (size < connections * 2) {
        size *= 2;
    }
    if (addresses) {
        addresses->entries = calloc(size, sizeof *addresses->entries);
    }
    if (!addresses || !addresses->entries || pthread_mutex_init(&addresses->lock, NULL) != 0) {
        if (addresses) {
            free(addresses->entries);
        }
        free(addresses);
        return NULL;
    }
    addresses->most = most;
    addresses->mask = size - 1;
    return addresses;
}

void addresses_destroy(struct addresses **addresses)
{
    if (!*addresses) {
        return;
    }
    pthread_mutex_destroy(&(*addresses)->lock);
    free((*addresses)->entries);
    free(*addresses);
    *addresses = NULL;
}

static size_t home_of(const struct addresses *addresses, const uint8_t *key)
{
    uint64_t halves[2];
    memcpy(halves, key, sizeof halves);
    uint64_t mixed = (halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15U)) * 0xbf58476d1ce4e5b9U;
    return (size_t)(mixed >> 32) & addresses->mask;
}

/* The entry of `key`, or the free one where it belongs; NULL when the table is full. */
static struct entry *find(struct addresses *addresses, const uint8_t *key)
{
    size_t at = home_of(addresses, key);
    for (size_t i = 0; i <= addresses->mask; i++) {
        struct entry *entry = &addresses->entries[(at + i) & addresses->mask];
        if (entry->count == 0 || memcmp(entry->key, key, sizeof entry->key) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* Frees a slot and moves back what was pushed after it, so that no search stops too early. */
static void vacate(struct addresses *addresses, size_t hole)
{
    size_t at = hole;
    for (;;) {
        at = (at + 1) & addresses->mask;
        struct entry *entry = &addresses->entries[at];
        if (entry->count == 0) {
            break;
        }
        size_t distance = (at - home_of(addresses, entry->key)) & addresses->mask;
        if (distance >= ((at - hole) & addresses->mask)) {
            addresses->entries[hole] = *entry;
            hole = at;
        }
    }
    addresses->entries[hole].count = 0;
}

bool addresses_enter(struct addresses *addresses, const struct in6_addr *address)
{
    uint8_t key[CLIENT_KEY_LEN];
    client_key(address, key);
    pthread_mutex_lock(&addresses->lock);
    struct entry *entry = find(addresses, key);
    bool room = entry && entry->count < addresses->most;
    if (room) {
        memcpy(entry->key, key, sizeof key);
        entry->count++;
    }
    pthread_mutex_unlock(&addresses->lock);
    return room;
}

void addresses_leave(struct addresses *addresses, const struct in6_addr *address)
{
    uint8_t key[CLIENT_KEY_LEN];
    client_key(address, key);
    pthread_mutex_lock(&addresses->lock);
    struct entry *entry = find(addresses, key);
    assert(entry && entry->count > 0);
    if (entry->count == 1) {
        vacate(addresses, (size_t)(entry - addresses->entries));
    } else {
        entry->count--;
    }
    pthread_mutex_unlock(&addresses->lock);
}
