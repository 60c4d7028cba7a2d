// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_ICS_VALUE_H
#define TASKHOLD_CLI_FROM_ICS_VALUE_H

#include "base/slice.h"

/* Values of iCalendar that are dates and durations (RFC 5545, 3.3.4 to 3.3.6). Pure functions. */

/* `20261201` or `20261201T093000`, with a Z where `*utc`. `*ms`: of the day, -1 without a time. A
 * leap second is the one before it. False: anything else, and a day that is not from 1970 to 2999.
 */
bool ics_date_read(struct slice text, int32_t *day, int32_t *ms, bool *utc)
    __attribute__((warn_unused_result));

/* `P1W`, `P2D`, `P1DT12H30M`, not below zero and less than a thousand years; milliseconds. */
bool ics_duration_read(struct slice text, int64_t *ms) __attribute__((warn_unused_result));

#endif
