// SPDX-License-Identifier: MIT
#include "model/position.h"

#include <assert.h>

/* In the order of ASCII. */
#define DIGITS      POSITION_DIGITS
#define DIGIT_BITS  POSITION_DIGIT_BITS
#define DIGITS_MOST 8 /* after the first character */

/* A number of one character is it less ZERO. Those further away from 0 have a first character that
 * is further away too, and then that many digits. */
#define ZERO        POSITION_ZERO
#define SMALL_LEAST (-24)
#define SMALL_MOST  POSITION_SMALL_MOST

/* Inside a path numbers are given in steps, so that between two there is room for more before the
 * path has to become longer. */
#define STEP 16

/* All that eight digits can say, and a step less. */
#define NUMBER_MOST (INT64_C(1) << (DIGITS_MOST * DIGIT_BITS))

static int digit_of(char c)
{
    const char *found = c ? strchr(DIGITS, c) : NULL;

    return found ? (int)(found - DIGITS) : -1;
}

/* How many numbers have fewer digits than `digits` and the same sign, the small ones left out. */
static int64_t numbers_before(unsigned digits)
{
    int64_t count = 0;

    for (unsigned i = 1; i < digits; i++) {
        count += INT64_C(1) << (i * DIGIT_BITS);
    }
    return count;
}

/* Cuts the first number off. False: there is none. */
static bool take_number(struct slice *key, int64_t *number)
{
    int64_t rest = 0;

    if (key->len == 0 || digit_of(key->ptr[0]) < 0) {
        return false;
    }
    const int first = digit_of(key->ptr[0]) - ZERO;
    if (first >= SMALL_LEAST && first <= SMALL_MOST) {
        *number = first;
        *key = slice_from(*key, 1);
        return true;
    }
    const bool negative = first < 0;
    const unsigned digits = (unsigned)(negative ? SMALL_LEAST - first : first - SMALL_MOST);
    if (key->len < 1 + digits) {
        return false;
    }
    for (unsigned i = 1; i <= digits; i++) {
        const int digit = digit_of(key->ptr[i]);
        if (digit < 0) {
            return false;
        }
        rest = rest << DIGIT_BITS | (negative ? 63 - digit : digit);
    }
    rest += numbers_before(digits);
    *number = negative ? SMALL_LEAST - 1 - rest : SMALL_MOST + 1 + rest;
    *key = slice_from(*key, 1 + digits);
    return true;
}

/* Appends a number to the `len` bytes of a path in `room`. An answer without bytes: no room. */
static struct slice append(char *room, size_t len, int64_t number)
{
    const bool negative = number < 0;
    const bool small = number >= SMALL_LEAST && number <= SMALL_MOST;
    int64_t rest = negative ? SMALL_LEAST - 1 - number : number - SMALL_MOST - 1;
    unsigned digits = small ? 0 : 1;

    if (number > NUMBER_MOST || number < -NUMBER_MOST) {
        return (struct slice){0};
    }
    while (!small && rest >= numbers_before(digits + 1)) {
        digits++;
    }
    if (len + 1 + digits > POSITION_MOST) {
        return (struct slice){0};
    }
    rest -= numbers_before(digits);
    const int64_t first = small      ? number
                          : negative ? SMALL_LEAST - (int)digits
                                     : SMALL_MOST + (int)digits;
    room[len] = DIGITS[first + ZERO];
    for (unsigned i = digits; i > 0; i--, rest >>= DIGIT_BITS) {
        const int64_t digit = rest & 63;
        room[len + i] = DIGITS[negative ? 63 - digit : digit];
    }
    return (struct slice){room, len + 1 + digits};
}

/* Without what stands before `rest`, its end: the path up to there goes to `room`. */
static size_t copy_up_to(struct slice key, struct slice rest, char *room)
{
    const size_t len = key.len - rest.len;

    memcpy(room, key.ptr, len);
    return len;
}

/* Between two that are there. Both rests begin after the numbers that the paths share. */
static struct slice between(struct slice before, struct slice after, char *room)
{
    struct slice low_rest = before;
    struct slice high_rest = after;
    int64_t low = 0;
    int64_t high = 0;
    size_t len = 0;

    do {
        len = copy_up_to(before, low_rest, room);
        if (!take_number(&high_rest, &high)) {
            return (struct slice){0};
        }
        if (low_rest.len == 0) {
            return append(room, len, high - STEP); /* `after` goes on where `before` ends */
        }
        if (!take_number(&low_rest, &low)) {
            return (struct slice){0};
        }
    } while (low == high);
    if (high < low) {
        return (struct slice){0};
    }
    if (high - low > 1) {
        return append(room, len, low + (high - low) / 2);
    }
    len = copy_up_to(before, low_rest, room);
    if (low_rest.len == 0) {
        return append(room, len, 0);
    }
    return take_number(&low_rest, &low) ? append(room, len, low + STEP) : (struct slice){0};
}

struct slice position_between(struct slice before, struct slice after,
                              char room[static POSITION_MOST])
{
    int64_t number = 0;

    if (before.len > POSITION_MOST || after.len > POSITION_MOST) {
        return (struct slice){0};
    }
    if (before.ptr && after.ptr) {
        return between(before, after, room);
    }
    if (before.ptr) {
        return take_number(&before, &number) ? append(room, 0, number + 1) : (struct slice){0};
    }
    if (after.ptr) {
        return take_number(&after, &number) ? append(room, 0, number - 1) : (struct slice){0};
    }
    return append(room, 0, 0);
}

struct slice position_nth(int64_t index, char room[static POSITION_MOST])
{
    assert(index >= 0 && index < POSITION_INDEX_MOST);
    const struct slice key = append(room, 0, index);

    assert(key.ptr);
    return key;
}

bool position_is_valid(struct slice key)
{
    const bool filled = key.len > 0 && key.len <= POSITION_MOST;
    int64_t number = 0;

    while (key.len > 0 && take_number(&key, &number)) {
    }
    return filled && key.len == 0;
}
