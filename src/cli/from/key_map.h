// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_KEY_MAP_H
#define TASKHOLD_CLI_FROM_KEY_MAP_H

#include "base/slice.h"

/* Numbers by the digest of a key, which is kept in place of the key: nobody finds two keys of one
 * digest, so no file can make the map slow, or two things one. */

#define KEY_DIGEST 16 /* bytes */

struct key_digest {
    uint8_t bytes[KEY_DIGEST];
};

/* Of several parts, each with its length. */
struct key_digest key_digest_of(const struct slice *parts, size_t count);

bool key_digest_eq(const struct key_digest *a, const struct key_digest *b);

struct key_map_entry {
    struct key_digest digest;
    uint32_t number;
    bool used;
};

/* All zero is an empty one. */
struct key_map {
    struct key_map_entry *entries;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void key_map_finish(struct key_map *map);

/* Where the number of a key stands, or NULL. Until the next key_map_put. */
uint32_t *key_map_find(const struct key_map *map, const struct key_digest *digest);

/* Adds a key that is not there. False: no memory. */
bool key_map_put(struct key_map *map, const struct key_digest *digest, uint32_t number)
    __attribute__((warn_unused_result));

#endif
