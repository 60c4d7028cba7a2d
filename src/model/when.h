// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_WHEN_H
#define TASKHOLD_MODEL_WHEN_H

#include "base/clock.h"
#include "model/zone.h"

/* The value of `start` and `due`: a date, which is the same one everywhere and stands for its whole
 * day, or an instant. Which instants a date's day has depends on a zone, and so on who asks. Years
 * 1970 to 2999, those of an instant in UTC. Pure functions. */

enum when_kind {
    WHEN_NONE, /* null */
    WHEN_DATE,
    WHEN_INSTANT,
};

struct when {
    enum when_kind kind;
    union {
        int32_t day; /* WHEN_DATE, as in model/civil.h */
        int64_t ms;  /* WHEN_INSTANT, since 1970 */
    };
};

#define WHEN_MS_LEAST INT64_C(0)
#define WHEN_MS_MOST  INT64_C(32503679999999) /* 2999-12-31T23:59:59.999Z */

/* Reads `2026-12-01` or RFC 3339 with any offset; what is finer than a millisecond is cut. False:
 * anything else, a date with an offset, a second 60 and an hour 24 among it. */
bool when_read(struct slice text, struct when *when) __attribute__((warn_unused_result));

/* The same of a decoded query, where the `+` of an offset has become a blank. */
bool when_read_query(struct slice text, struct when *when) __attribute__((warn_unused_result));

#define WHEN_TEXT_MOST CLOCK_RFC3339_LEN

/* As answers have it: the date, or the instant in UTC with milliseconds. Not of WHEN_NONE. The
 * answer is a part of `room`. */
struct slice when_write(const struct when *when, char room[static WHEN_TEXT_MOST]);

/* One number for a database: an even one is twice an instant, an odd one is one more than twice the
 * midnight, in UTC, of a date. So a date stands directly after the midnight of its day in UTC, and
 * among dates, and among instants, the order is that of time; between the two it is so for a reader
 * in UTC only, and elsewhere off by the offset. Not of WHEN_NONE, which is NULL there. */
int64_t when_pack(const struct when *when);

/* False: no number that when_pack gives, which is damage. */
bool when_unpack(int64_t number, struct when *when) __attribute__((warn_unused_result));

/* ---- in a zone; neither is WHEN_NONE ---- */

/* When it is there: the instant, or the first one of the date. */
int64_t when_begins(const struct when *start, const struct zone *zone);

/* When it has passed: the instant, or the first one after the date. */
int64_t when_ends(const struct when *due, const struct zone *zone);

/* Is `start` not after `due`? Two dates are compared as dates, and two instants as instants; an
 * instant is not after a date as long as that day lasts. */
bool when_in_order(const struct when *start, const struct when *due, const struct zone *zone);

#endif
