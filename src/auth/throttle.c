// SPDX-License-Identifier: MIT
#include "auth/throttle.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <sodium.h>

/* The generic cell rate algorithm. A bucket is one word: 24 bits that tell keys of one set apart,
 * and the time at which the bucket will be full again, as 40 bits of 1/16 milliseconds. Time goes
 * round every two years of uptime, so it is only ever compared by difference. Where tokens come
 * back all at once, that time is in whole milliseconds, and the 4 bits left say how many are out.
 */
#define WAYS        4
#define TIME_BITS   40
#define TIME_MASK   ((UINT64_C(1) << TIME_BITS) - 1)
#define TIME_HALF   (UINT64_C(1) << (TIME_BITS - 1))
#define UNITS_A_MS  16 /* a power of two */
#define UNITS_A_S   (UINT64_C(1000) * UNITS_A_MS)
#define COUNT_MASK  ((uint64_t)UNITS_A_MS - 1)
#define CLOCK_SLACK (60 * UNITS_A_S) /* how far the clocks of two loops may lie apart */
#define EMPTY       UINT64_C(0)      /* no key: a full bucket */

struct throttle {
    struct throttle_options options;
    uint64_t interval; /* in which one token comes */
    uint64_t burst;    /* quota x interval: what a bucket may owe at most */
    size_t sets;
    unsigned char secret[crypto_shorthash_KEYBYTES]; /* nobody can choose colliding keys */
    _Atomic uint64_t buckets[];                      /* sets x WAYS */
};

struct throttle *throttle_create(const struct throttle_options *options)
{
    struct throttle *throttle = NULL;

    assert(options->buckets >= WAYS && (options->buckets & (options->buckets - 1)) == 0);
    assert(options->quota >= 1 && options->window_s >= 1);
    assert(options->quota <= options->window_s * UINT64_C(1000));
    assert(!options->whole || options->quota <= COUNT_MASK);
    if (sodium_init() < 0) {
        return NULL;
    }
    throttle = calloc(1, sizeof *throttle + options->buckets * sizeof *throttle->buckets);
    if (throttle) {
        throttle->options = *options;
        throttle->interval = options->window_s * UNITS_A_S / options->quota;
        throttle->burst = throttle->interval * options->quota;
        throttle->sets = options->buckets / WAYS;
        crypto_shorthash_keygen(throttle->secret);
    }
    return throttle;
}

void throttle_destroy(struct throttle **throttle)
{
    assert(throttle);
    free(*throttle);
    *throttle = NULL;
}

const struct throttle_options *throttle_options_of(const struct throttle *throttle)
{
    assert(throttle);
    return &throttle->options;
}

/* Where a key's bucket may stand. */
struct place {
    _Atomic uint64_t *set;
    uint64_t tag; /* never 0; in its place in the word */
};

static struct place place_of(struct throttle *throttle, struct slice key)
{
    uint64_t hash = 0;
    unsigned char bytes[crypto_shorthash_BYTES];

    crypto_shorthash(bytes, (const unsigned char *)key.ptr, key.len, throttle->secret);
    memcpy(&hash, bytes, sizeof hash);
    const uint64_t tag = hash >> TIME_BITS;
    return (struct place){
        .set = &throttle->buckets[(size_t)(hash & TIME_MASK) % throttle->sets * WAYS],
        .tag = (tag ? tag : 1) << TIME_BITS,
    };
}

/* What a bucket owes: the time until it is full. One that lies further ahead than any bucket can
 * is old, from before time went round: full. */
static uint64_t debt_of(const struct throttle *throttle, uint64_t word, uint64_t now)
{
    const uint64_t time = word & TIME_MASK & ~(throttle->options.whole ? COUNT_MASK : 0);
    const uint64_t ahead = (time - now) & TIME_MASK;

    if (word == EMPTY || ahead >= TIME_HALF || ahead > throttle->burst + CLOCK_SLACK) {
        return 0;
    }
    return ahead;
}

/* What one look at a set found: the key's bucket, or the one to give up for it. */
struct found {
    _Atomic uint64_t *bucket;
    uint64_t word;
    uint64_t debt; /* of the key */
};

/* How much a bucket that owes `debt` has to lose: the one with the least gives way. */
static uint64_t worth_of(const struct throttle *throttle, uint64_t word, uint64_t debt)
{
    const uint64_t out = throttle->options.whole && debt > 0 ? word & COUNT_MASK : 0;

    return out << TIME_BITS | debt;
}

static struct found look(const struct throttle *throttle, struct place place, uint64_t now)
{
    struct found spare = {NULL, EMPTY, 0};
    uint64_t least = UINT64_MAX;

    for (size_t way = 0; way < WAYS; way++) {
        const uint64_t word = atomic_load_explicit(&place.set[way], memory_order_relaxed);
        const uint64_t debt = debt_of(throttle, word, now);
        if ((word & ~TIME_MASK) == place.tag) {
            return (struct found){&place.set[way], word, debt};
        }
        if (worth_of(throttle, word, debt) < least) {
            least = worth_of(throttle, word, debt);
            spare = (struct found){&place.set[way], word, 0};
        }
    }
    return spare;
}

static uint32_t seconds(uint64_t units)
{
    return (uint32_t)((units + UNITS_A_S - 1) / UNITS_A_S);
}

/* What a bucket is after `change`: so many tokens taken, -1 one given back, 0 nothing. */
struct change {
    struct throttle_state state;
    uint64_t time; /* the bucket's */
};

/* Tokens that come back one by one. */
static struct change drip(const struct throttle *throttle, const struct found *found,
                          int64_t change, uint64_t now)
{
    const uint64_t interval = throttle->interval;
    const uint64_t cost = interval * (uint64_t)(change > 0 ? change : 1);
    uint64_t debt = found->debt;
    assert(interval > 0);
    const bool allowed = change < 0 || debt + cost <= throttle->burst;

    if (change < 0) {
        debt -= debt < interval ? debt : interval;
    } else if (allowed && change > 0) {
        debt += cost;
    }
    const uint64_t room = debt < throttle->burst ? throttle->burst - debt : 0;
    const uint64_t most = cost < throttle->burst ? cost : throttle->burst;
    return (struct change){
        .time = now + debt,
        .state = {.allowed = allowed,
                  .remaining = (uint32_t)(room / interval),
                  .reset_s = seconds(debt),
                  .retry_after = allowed       ? 0
                                 : most > room ? seconds(most - room)
                                               : 1},
    };
}

/* Tokens that come back all at once. */
static struct change whole(const struct throttle *throttle, const struct found *found,
                           int64_t change, uint64_t now)
{
    const uint64_t left = found->debt > 0 ? found->debt : throttle->burst;
    const int64_t quota = throttle->options.quota;
    int64_t out = found->debt > 0 ? (int64_t)(found->word & COUNT_MASK) : 0;
    const bool allowed = change < 0 || (change > 0 ? change : 1) <= quota - out;

    if (allowed && out + change >= 0) {
        out += change;
    }
    const uint32_t reset_s = out > 0 ? seconds(left) : 0;
    return (struct change){
        .time = out > 0 ? (now + left) | (uint64_t)out : now,
        .state = {.allowed = allowed,
                  .remaining = (uint32_t)(quota - out),
                  .reset_s = reset_s,
                  .retry_after = allowed       ? 0
                                 : reset_s > 0 ? reset_s
                                               : 1},
    };
}

/* Changes the key's bucket, unless nothing is to be taken or given back; again when another thread
 * was first. */
static struct throttle_state change_bucket(struct throttle *throttle, struct slice key,
                                           int64_t tokens, int64_t now_ms)
{
    const uint64_t now = (uint64_t)now_ms * UNITS_A_MS & TIME_MASK;
    const struct place place = place_of(throttle, key);

    for (;;) {
        struct found found = look(throttle, place, now);
        const struct change change =
            (throttle->options.whole ? whole : drip)(throttle, &found, tokens, now);
        const bool changes = tokens < 0 ? found.debt > 0 : change.state.allowed && tokens > 0;
        if (!changes || atomic_compare_exchange_weak_explicit(
                            found.bucket, &found.word, place.tag | (change.time & TIME_MASK),
                            memory_order_relaxed, memory_order_relaxed)) {
            return change.state;
        }
    }
}

struct throttle_state throttle_take(struct throttle *throttle, struct slice key, uint32_t tokens,
                                    int64_t now_ms)
{
    assert(throttle && key.ptr && now_ms >= 0);
    return change_bucket(throttle, key, tokens, now_ms);
}

struct throttle_state throttle_give(struct throttle *throttle, struct slice key, int64_t now_ms)
{
    assert(throttle && key.ptr && now_ms >= 0);
    return change_bucket(throttle, key, -1, now_ms);
}

void throttle_forget(struct throttle *throttle, struct slice key)
{
    assert(throttle && key.ptr);
    const struct place place = place_of(throttle, key);

    for (size_t way = 0; way < WAYS; way++) {
        uint64_t word = atomic_load_explicit(&place.set[way], memory_order_relaxed);
        while ((word & ~TIME_MASK) == place.tag &&
               !atomic_compare_exchange_weak_explicit(&place.set[way], &word, EMPTY,
                                                      memory_order_relaxed, memory_order_relaxed)) {
        }
    }
}
