// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_POSITION_H
#define TASKHOLD_MODEL_POSITION_H

#include "base/slice.h"

/* Keys of an order that a person makes by hand: sorted by their bytes, and between any two is room
 * for another, so that a move changes only what is moved. Pure functions.
 *
 * A key is a path of whole numbers, each written with characters of `-0-9A-Z_a-z`, so that keys are
 * in order by their bytes as paths are by their numbers: [5] < [5 -3] < [5 0] < [5 0 7] < [6]. A
 * number's first character tells how many follow; -24 to 23 need none, and nine characters reach
 * over 10^14. What is put at an end gets the next number and no longer path; what is put next to
 * the same neighbour again and again has one number more than that one, which counts on. Only what
 * goes between the last two ever deeper makes paths long: a character has room for about five such
 * moves.
 */

#define POSITION_MOST 200

/* Sorted after `before` and before `after`; ptr NULL there: nothing is on that side. The answer is
 * a part of `room`; its ptr is NULL when the key would be longer than POSITION_MOST, or when the
 * two are not keys in this order, which is damage: all siblings have to be given new ones. */
struct slice position_between(struct slice before, struct slice after,
                              char room[static POSITION_MOST]);

/* The key that is one number, 0 or above and below POSITION_INDEX_MOST: of the `index`th of
 * siblings that are all given new ones, or of what is put at the end by the number of a change. One
 * character for the first 24, two for the next 64, three for 4,096 more. The answer is a part of
 * `room`. */
#define POSITION_INDEX_MOST (INT64_C(1) << 47)
struct slice position_nth(int64_t index, char room[static POSITION_MOST]);

/* How a number from 0 on is written, for a database that has to write one: up to
 * POSITION_SMALL_MOST as the digit that is POSITION_ZERO further on. Above, the first character is
 * n more than that of POSITION_SMALL_MOST when n digits follow; they count, on the base of 64, from
 * the first number that needs so many. */
#define POSITION_DIGITS     "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
#define POSITION_DIGIT_BITS 6
#define POSITION_ZERO       32
#define POSITION_SMALL_MOST 23

/* Is it one that the functions above may have made? */
bool position_is_valid(struct slice key);

#endif
