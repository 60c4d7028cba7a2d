// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_SPOKEN_H
#define TASKHOLD_CLI_FROM_SPOKEN_H

#include "cli/from/stamp.h"
#include "model/recurrence.h"

/* Dates in the English that Todoist's files have them in: `1 Dec 2026 at 9am`, `every 2 weeks on
 * mon, fri`, `every! month`, `every last workday starting 2026-12-01`. The forms are those of
 * Todoist's help page "Introduction to recurring dates"; what is not understood whole is refused
 * whole, and so is what no RRULE says exactly. Pure functions. */

struct spoken {
    bool has_day;
    int32_t day;          /* of a rule: not before it */
    int32_t ms;           /* of that day; -1: all day */
    bool recurs;          /* also where the answer is false: it begins like a rule */
    bool from_completion; /* `every!` and `after` */
    bool same_day;        /* the rule says a month or year, and no day of it */
    size_t rule_len;
    char rule[RECURRENCE_MOST];
};

/* `today`: what dates without a year are after. False: not understood. */
bool spoken_read(struct slice text, int32_t today, struct spoken *spoken)
    __attribute__((warn_unused_result));

#endif
