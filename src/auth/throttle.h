// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_THROTTLE_H
#define TASKHOLD_AUTH_THROTTLE_H

#include "base/slice.h"

/* Token buckets by key, for all loops together: fixed memory, no lock (one atomic word a bucket,
 * GCRA). A table that is full forgets the bucket nearest to full: it errs on the side of letting
 * requests pass, never on that of locking someone out. */
struct throttle;

struct throttle_options {
    const char *name;  /* in the RateLimit fields */
    uint32_t quota;    /* tokens of a full bucket, at most 1,000 for each second of the window */
    uint32_t window_s; /* in which an empty bucket fills up */
    uint32_t buckets;  /* a power of two, 4 or more; 8 bytes each */

    /* What was taken comes back all at once, `window_s` after the first of it, so that no more than
     * `quota` (here at most 15) are taken in that time. Otherwise token by token, so that a window
     * that begins with a full bucket sees up to twice the quota. */
    bool whole;
};

/* NULL without memory. `options.name` must outlive it. */
struct throttle *throttle_create(const struct throttle_options *options);
void throttle_destroy(struct throttle **throttle);

struct throttle_state {
    bool allowed;
    uint32_t remaining;   /* tokens */
    uint32_t reset_s;     /* until the bucket is full again (for RateLimit's t) */
    uint32_t retry_after; /* seconds until `tokens` (at least one) are there; 0 when allowed */
};

/* Takes `tokens` for `key` at `now_ms` (monotonic), all or none. With 0 it takes nothing and
 * `allowed` says whether one token is there. Any thread. */
struct throttle_state throttle_take(struct throttle *throttle, struct slice key, uint32_t tokens,
                                    int64_t now_ms);

/* Puts back one token that was taken and not used; a full bucket stays as it is. `allowed` is true.
 * Any thread. */
struct throttle_state throttle_give(struct throttle *throttle, struct slice key, int64_t now_ms);

/* Gives the key a full bucket again (a login that succeeded). */
void throttle_forget(struct throttle *throttle, struct slice key);

const struct throttle_options *throttle_options_of(const struct throttle *throttle);

#endif
