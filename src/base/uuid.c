// SPDX-License-Identifier: MIT
#include "base/uuid.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <sodium.h>

#include "base/clock.h"

#define POOL_SIZE    4096
#define COUNTER_BITS 12
#define COUNTER_MAX  0xfffU

/* The time and the counter of the last id, in one number: milliseconds, and then the 12 bits of
 * rand_a. Of all threads, for ids that are in order, and of one, for the others. */
static _Atomic uint64_t last_of_all;
static _Thread_local uint64_t last_of_thread;

static _Thread_local struct {
    size_t left; /* random bytes at the start of `pool` that were not used yet */
    unsigned char pool[POOL_SIZE];
} maker;

/* Random bytes by the pool: one system call serves hundreds of ids. What is used is wiped, so that
 * a look into the memory tells nothing of ids made before. */
static void take_random(void *out, size_t size)
{
    if (maker.left < size) {
        /* Aborts by itself when the kernel has no randomness; an id must never be guessable. */
        if (sodium_init() < 0) {
            abort();
        }
        randombytes_buf(maker.pool, sizeof maker.pool);
        maker.left = sizeof maker.pool;
    }
    maker.left -= size;
    memcpy(out, maker.pool + maker.left, size);
    sodium_memzero(maker.pool + maker.left, size);
}

/* What follows `last`: within one millisecond the counter, which began at a random number, goes up,
 * and when it runs over the time is borrowed from the future (RFC 9562 section 6.2, method 1). A
 * clock that was set back by more than CLOCK_STEP_MS is followed, as clock_wall_ms does. */
static uint64_t step(uint64_t last)
{
    const int64_t now = clock_wall_ms();
    const int64_t then = (int64_t)(last >> COUNTER_BITS);
    uint16_t seed = 0;

    if (now <= then && then - now <= CLOCK_STEP_MS) {
        return last + 1;
    }
    take_random(&seed, sizeof seed);
    return (uint64_t)now << COUNTER_BITS | (seed & COUNTER_MAX);
}

static struct uuid make(uint64_t time_and_counter)
{
    const uint64_t ms = time_and_counter >> COUNTER_BITS;
    const unsigned counter = (unsigned)(time_and_counter & COUNTER_MAX);
    struct uuid id;

    for (unsigned i = 0; i < 6; i++) {
        id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
    }
    id.bytes[6] = (uint8_t)(0x70 | counter >> 8);
    id.bytes[7] = (uint8_t)counter;
    take_random(id.bytes + 8, 8);
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

struct uuid uuid_make_v7(void)
{
    uint64_t last = atomic_load(&last_of_all);
    uint64_t next = step(last);

    while (!atomic_compare_exchange_weak(&last_of_all, &last, next)) {
        next = step(last);
    }
    return make(next);
}

struct uuid uuid_make_v7_unordered(void)
{
    last_of_thread = step(last_of_thread);
    return make(last_of_thread);
}

struct uuid uuid_make_v8(const uint8_t digest[static 16])
{
    struct uuid id;

    assert(digest);
    memcpy(id.bytes, digest, sizeof id.bytes);
    id.bytes[6] = (uint8_t)(0x80 | (id.bytes[6] & 0x0f));
    id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

int64_t uuid_time_ms(struct uuid id)
{
    int64_t ms = 0;
    for (unsigned i = 0; i < 6; i++) {
        ms = ms << 8 | id.bytes[i];
    }
    return ms;
}

/* Where the two digits of each byte stand. */
static const unsigned char places[16] = {0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34};

#define HEX_ROW(h)                                                                                 \
    h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"

void uuid_format(struct uuid id, char text[static UUID_TEXT_LEN])
{
    assert(text);
    static const char pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4")
        HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b")
            HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");

    for (size_t i = 0; i < sizeof places; i++) {
        memcpy(text + places[i], pairs + (size_t)id.bytes[i] * 2, 2);
    }
    text[8] = text[13] = text[18] = text[23] = '-';
}

enum { DIGIT = 0x10, UPPER = 0x20 };

/* The value of each hexadecimal digit, with DIGIT; 0: it is none. */
static const unsigned char hex_digits[256] = {
    ['0'] = DIGIT | 0,          ['1'] = DIGIT | 1,          ['2'] = DIGIT | 2,
    ['3'] = DIGIT | 3,          ['4'] = DIGIT | 4,          ['5'] = DIGIT | 5,
    ['6'] = DIGIT | 6,          ['7'] = DIGIT | 7,          ['8'] = DIGIT | 8,
    ['9'] = DIGIT | 9,          ['a'] = DIGIT | 10,         ['b'] = DIGIT | 11,
    ['c'] = DIGIT | 12,         ['d'] = DIGIT | 13,         ['e'] = DIGIT | 14,
    ['f'] = DIGIT | 15,         ['A'] = DIGIT | UPPER | 10, ['B'] = DIGIT | UPPER | 11,
    ['C'] = DIGIT | UPPER | 12, ['D'] = DIGIT | UPPER | 13, ['E'] = DIGIT | UPPER | 14,
    ['F'] = DIGIT | UPPER | 15,
};

/* `fold`: digits above 9 may be in upper case. */
static bool parse(struct slice text, bool fold, struct uuid *id)
{
    struct uuid parsed;
    unsigned all = DIGIT;
    unsigned any = 0;

    if (text.len != UUID_TEXT_LEN || text.ptr[8] != '-' || text.ptr[13] != '-' ||
        text.ptr[18] != '-' || text.ptr[23] != '-') {
        return false;
    }
    for (size_t i = 0; i < sizeof places; i++) {
        const unsigned high = hex_digits[(unsigned char)text.ptr[places[i]]];
        const unsigned low = hex_digits[(unsigned char)text.ptr[places[i] + 1]];
        all &= high & low;
        any |= high | low;
        parsed.bytes[i] = (uint8_t)(high << 4 | (low & 0xf));
    }
    if (all != DIGIT || (any & UPPER && !fold)) {
        return false;
    }
    *id = parsed;
    return true;
}

bool uuid_parse(struct slice text, struct uuid *id)
{
    assert(id);
    return parse(text, false, id);
}

bool uuid_parse_any_case(struct slice text, struct uuid *id)
{
    assert(id);
    return parse(text, true, id);
}

bool uuid_eq(struct uuid a, struct uuid b)
{
    return memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
}
