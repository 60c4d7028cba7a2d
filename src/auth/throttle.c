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
    free(*throttle);
    *throttle = NULL;
}

const struct throttle_options *throttle_options_of(const struct throttle *throttle)
{
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
    uint64_t tag = 0;

    crypto_shorthash(bytes, (const unsigned char *)key.ptr, key.len, throttle->secret);
    memcpy(&hash, bytes, sizeof hash);
    tag = hash >> TIME_BITS;
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

/* ---- tokens that come back one by one ---- */

/* `debt` as it is after what was taken; `tokens` at least one. */
static struct throttle_state drip_state(const struct throttle *throttle, bool allowed,
                                        uint64_t debt, uint32_t tokens)
{
    const uint64_t cost = throttle->interval * tokens;
    const uint64_t room = debt < throttle->burst ? throttle->burst - debt : 0;
    const uint64_t most = cost < throttle->burst ? cost : throttle->burst;
    struct throttle_state state = {
        .allowed = allowed,
        .remaining = (uint32_t)(room / throttle->interval),
        .reset_s = seconds(debt),
    };

    if (!allowed) {
        state.retry_after = most > room ? seconds(most - room) : 1;
    }
    return state;
}

/* `*time`: the bucket's after that. */
static struct throttle_state drip_take(const struct throttle *throttle, const struct found *found,
                                       uint32_t tokens, uint64_t now, uint64_t *time)
{
    const uint32_t needed = tokens ? tokens : 1;
    const bool allowed = found->debt + throttle->interval * needed <= throttle->burst;
    const uint64_t debt = found->debt + (allowed ? throttle->interval * tokens : 0);

    *time = now + debt;
    return drip_state(throttle, allowed, debt, needed);
}

static struct throttle_state drip_give(const struct throttle *throttle, const struct found *found,
                                       uint64_t now, uint64_t *time)
{
    const uint64_t debt = found->debt > throttle->interval ? found->debt - throttle->interval : 0;

    *time = now + debt;
    return drip_state(throttle, true, debt, 1);
}

/* ---- tokens that come back all at once ---- */

static uint32_t out_of(const struct found *found)
{
    return found->debt > 0 ? (uint32_t)(found->word & COUNT_MASK) : 0;
}

/* `out` tokens are out; `*time`: the bucket's with that. */
static struct throttle_state whole_state(const struct throttle *throttle, const struct found *found,
                                         uint32_t out, uint64_t now, uint64_t *time)
{
    const uint64_t left = found->debt > 0 ? found->debt : throttle->burst;

    *time = out > 0 ? (now + left) | out : now;
    return (struct throttle_state){
        .allowed = true,
        .remaining = throttle->options.quota - out,
        .reset_s = out > 0 ? seconds(left) : 0,
    };
}

static struct throttle_state whole_take(const struct throttle *throttle, const struct found *found,
                                        uint32_t tokens, uint64_t now, uint64_t *time)
{
    const uint32_t out = out_of(found);
    const uint32_t needed = tokens ? tokens : 1;
    const bool allowed = needed <= throttle->options.quota - out;
    struct throttle_state state =
        whole_state(throttle, found, allowed ? out + tokens : out, now, time);

    if (!allowed) {
        state.allowed = false;
        state.retry_after = state.reset_s > 0 ? state.reset_s : 1;
    }
    return state;
}

static struct throttle_state whole_give(const struct throttle *throttle, const struct found *found,
                                        uint64_t now, uint64_t *time)
{
    const uint32_t out = out_of(found);

    return whole_state(throttle, found, out > 0 ? out - 1 : 0, now, time);
}

/* ---- both ---- */

static uint64_t time_of(int64_t now_ms)
{
    return (uint64_t)now_ms * UNITS_A_MS & TIME_MASK;
}

/* Gives the bucket that `found` says the key and another time. False: another thread was first. */
static bool put(struct found *found, uint64_t tag, uint64_t time)
{
    return atomic_compare_exchange_weak_explicit(found->bucket, &found->word,
                                                 tag | (time & TIME_MASK), memory_order_relaxed,
                                                 memory_order_relaxed);
}

struct throttle_state throttle_take(struct throttle *throttle, struct slice key, uint32_t tokens,
                                    int64_t now_ms)
{
    const uint64_t now = time_of(now_ms);
    const struct place place = place_of(throttle, key);
    struct throttle_state state;
    struct found found;
    uint64_t time = 0;

    do {
        found = look(throttle, place, now);
        state = throttle->options.whole ? whole_take(throttle, &found, tokens, now, &time)
                                        : drip_take(throttle, &found, tokens, now, &time);
    } while (state.allowed && tokens > 0 && !put(&found, place.tag, time));
    return state;
}

struct throttle_state throttle_give(struct throttle *throttle, struct slice key, int64_t now_ms)
{
    const uint64_t now = time_of(now_ms);
    const struct place place = place_of(throttle, key);
    struct throttle_state state;
    struct found found;
    uint64_t time = 0;

    do {
        found = look(throttle, place, now);
        state = throttle->options.whole ? whole_give(throttle, &found, now, &time)
                                        : drip_give(throttle, &found, now, &time);
    } while (found.debt > 0 && !put(&found, place.tag, time));
    return state;
}

void throttle_forget(struct throttle *throttle, struct slice key)
{
    const struct place place = place_of(throttle, key);

    for (size_t way = 0; way < WAYS; way++) {
        uint64_t word = atomic_load_explicit(&place.set[way], memory_order_relaxed);
        while ((word & ~TIME_MASK) == place.tag &&
               !atomic_compare_exchange_weak_explicit(&place.set[way], &word, EMPTY,
                                                      memory_order_relaxed, memory_order_relaxed)) {
        }
    }
}
