// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_TOKEN_CACHE_H
#define TASKHOLD_AUTH_TOKEN_CACHE_H

#include "base/slice.h"
#include "base/uuid.h"

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

/* A counter that moves with each of them, and before it: for whoever learns from the store itself
 * whose token it is. If this one is the same before the question and after revocations_of, that
 * counter is as good as one that was read before. */
uint64_t revocations_of_all(const struct revocations *revocations);

/* Who a token that verified stands for. */
struct bearer {
    struct uuid user;
    struct uuid session;      /* all zero: a script's */
    struct uuid script_token; /* all zero: a session's */
    unsigned scopes;          /* of a script's; 0: a session's, which may do everything */
    int64_t issued_at;        /* seconds; of a script's when it was looked up */
    int64_t expires_at;       /* seconds; 0: never */
    int64_t used_at;          /* of a script's: the last use that was noted, in milliseconds */
};

/* A script's is asked for again after so many seconds, whenever it expires: it would not leave the
 * cache else. */
#define TOKEN_CACHE_SCRIPT_SECONDS 900

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
 * The answer lives until the next put, and its `used_at` may be set. */
struct bearer *token_cache_find(struct token_cache *cache, struct slice token, int64_t now);

/* `counter` is revocations_of(user) as it was before the store was asked. */
void token_cache_put(struct token_cache *cache, struct slice token, const struct bearer *bearer,
                     uint64_t counter);

#endif
