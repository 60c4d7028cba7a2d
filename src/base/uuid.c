#include "base/uuid.h"

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

#define HEX_ROW(h)                                                                                 \
    h "0" h "1" h "2" h "3" h "4" h "5" h "6" h "7" h "8" h "9" h "a" h "b" h "c" h "d" h "e" h "f"

void uuid_format(struct uuid id, char text[static UUID_TEXT_LEN])
{
    static const char pairs[] = HEX_ROW("0") HEX_ROW("1") HEX_ROW("2") HEX_ROW("3") HEX_ROW("4")
        HEX_ROW("5") HEX_ROW("6") HEX_ROW("7") HEX_ROW("8") HEX_ROW("9") HEX_ROW("a") HEX_ROW("b")
            HEX_ROW("c") HEX_ROW("d") HEX_ROW("e") HEX_ROW("f");
    static const unsigned char places[16] = {0,  2,  4,  6,  9,  11, 14, 16,
                                             19, 21, 24, 26, 28, 30, 32, 34};

    for (size_t i = 0; i < sizeof places; i++) {
        memcpy(text + places[i], pairs + (size_t)id.bytes[i] * 2, 2);
    }
    text[8] = text[13] = text[18] = text[23] = '-';
}

/* The value of a lower-case hexadecimal digit, or 16; with `fold`, of one in any case. */
static unsigned nibble(char c, bool fold)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    c = fold ? (char)(c | 0x20) : c;
    return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* `fold`: digits above 9 may be in upper case. */
static bool parse(struct slice text, bool fold, struct uuid *id)
{
    struct uuid parsed;
    size_t at = 0;

    if (text.len != UUID_TEXT_LEN) {
        return false;
    }
    for (size_t i = 0; i < sizeof parsed.bytes; i++) {
        if (at == 8 || at == 13 || at == 18 || at == 23) {
            if (text.ptr[at] != '-') {
                return false;
            }
            at++;
        }
        const unsigned high = nibble(text.ptr[at], fold);
        const unsigned low = nibble(text.ptr[at + 1], fold);
        if ((high | low) > 15) {
            return false;
        }
        parsed.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *id = parsed;
    return true;
}

bool uuid_parse(struct slice text, struct uuid *id)
{
    return parse(text, false, id);
}

bool uuid_parse_any_case(struct slice text, struct uuid *id)
{
    return parse(text, true, id);
}
