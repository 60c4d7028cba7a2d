// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_STAMP_H
#define TASKHOLD_CLI_FROM_STAMP_H

#include "model/civil.h"
#include "model/when.h"

/* Dates and times as files have them. Pure functions. */

#define STAMP_DAY_MS 86400000

/* `2026-12-01`, and with a time: `2026-12-01T09:30`, a blank for the T, seconds, a fraction, and
 * `Z`, `+01:00` or `+0100`. Without an offset it is a wall clock of `zone`. False: anything else,
 * and years that we do not have. */
bool stamp_read(struct slice text, const struct zone *zone, struct when *when)
    __attribute__((warn_unused_result));

/* The day and the wall clock that a text shows, whatever its offset: `ms` -1 without a time. */
bool stamp_read_wall(struct slice text, int32_t *day, int32_t *ms)
    __attribute__((warn_unused_result));

/* The instant of a wall clock; false: outside the years that we have. `ms` below 0: the date. */
bool stamp_of_wall(const struct zone *zone, int32_t day, int32_t ms, struct when *when)
    __attribute__((warn_unused_result));

/* False: there is no such day from 1970 to 2999. */
bool stamp_day(int64_t year, unsigned month, unsigned day, int32_t *number)
    __attribute__((warn_unused_result));

#endif
