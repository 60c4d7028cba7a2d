// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_TOKEN_CACHE_H
#define TASKHOLD_AUTH_TOKEN_CACHE_H

#include "auth/jwt.h"

/* Tells every loop at once that sessions of a user ended: a fixed array of counters by user. A loop
 * that remembers a verified token remembers its counter too, and asks the store again when the
 * counter has moved. Any thread; no lock. */
struct revocations;

struct revocations *revocations_create(void);
void revocations_destroy(struct revocations **revocations);

/* Called after the commit and before anyone is told. */
void revocations_add(struct revocations *revocations, struct uuid user);

/* The user's counter now. Read it before asking the store, never after. */
uint64_t revocations_of(const struct revocations *revocations, struct uuid user);

/* Verified tokens of one loop: fixed memory, no lock. A token is found only byte for byte, before
 * its expiry, while no session of its user has ended since it was put in, and not longer than
 * `lifetime_ms` after that: the bound for what another process may have ended unheard. */
struct token_cache;

/* `entries` is a power of two. `lifetime_ms` 0: no bound. NULL without memory. */
struct token_cache *token_cache_create(const struct revocations *revocations, size_t entries,
                                       unsigned lifetime_ms);
void token_cache_destroy(struct token_cache **cache);

/* Forgets all, because the keys have changed. */
void token_cache_clear(struct token_cache *cache);

/* `now` in seconds. Returns NULL when the token is not there, expired, or must be checked again.
 * The answer lives until the next put. */
const struct jwt_claims *token_cache_find(struct token_cache *cache, struct slice token,
                                          int64_t now);

/* `counter` is revocations_of(user) as it was before the store was asked. */
void token_cache_put(struct token_cache *cache, struct slice token, const struct jwt_claims *claims,
                     uint64_t counter);

#endif
