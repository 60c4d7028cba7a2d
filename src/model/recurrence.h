// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_RECURRENCE_H
#define TASKHOLD_MODEL_RECURRENCE_H

#include "base/slice.h"
#include "model/civil.h"

/* Recurrence rules: the value of an RRULE (RFC 5545, 3.3.10) whose FREQ is a day or longer. Such a
 * rule moves days; the wall clock and its zone are the caller's. Days are numbers as in
 * model/civil.h. Pure functions without allocation. */

#define RECURRENCE_MOST          512 /* bytes of a rule */
#define RECURRENCE_INTERVAL_MOST 1000
#define RECURRENCE_COUNT_MOST    10000
#define RECURRENCE_ORDINAL_MOST  53     /* of BYDAY: weeks of a year */
#define RECURRENCE_POSITION_MOST 366    /* of BYSETPOS */
#define RECURRENCE_DAYS_MOST     146097 /* a search looks at that many days: 400 years */

#define RECURRENCE_PROBLEM_ROOM 256

enum recurrence_frequency {
    RECURRENCE_DAILY,
    RECURRENCE_WEEKLY,
    RECURRENCE_MONTHLY,
    RECURRENCE_YEARLY,
};

enum recurrence_until {
    RECURRENCE_UNTIL_NONE,
    RECURRENCE_UNTIL_DATE,
    RECURRENCE_UNTIL_INSTANT,
};

#define RECURRENCE_SET_WORDS 6 /* 64 bits each: the days of a year */

/* A rule as parsed. All sets are of bits; an empty one means that the part is absent. */
struct recurrence {
    enum recurrence_frequency frequency;
    uint16_t interval; /* in units of the frequency */
    uint16_t count;    /* 0: no COUNT. The present occurrence is one of them. */
    enum recurrence_until until_kind;
    int32_t until_day; /* of a date; inclusive, as is an instant */
    int64_t until_ms;  /* of an instant: milliseconds since 1970 */
    uint8_t week_start;
    uint8_t weekdays;          /* BYDAY without numbers: bit 0 is Monday */
    uint8_t numbered_weekdays; /* those that have a bit in one of the next two */
    uint64_t ordinals[7];      /* of each weekday: bit 0 is the first of them */
    uint64_t ordinals_back[7]; /* bit 0 is the last one */
    uint32_t month_days;       /* bit 0 is the first */
    uint32_t month_days_back;  /* bit 30 is the last day, bit 29 the one before it */
    uint16_t months;           /* bit 1 is January */
    bool positioned;           /* there is a BYSETPOS */
    uint64_t positions[RECURRENCE_SET_WORDS];
    uint64_t positions_back[RECURRENCE_SET_WORDS];
};

/* Reads a rule. `timed`: the task is due at an instant; a task that is due on a date allows no
 * UNTIL that is an instant. False: `problem` says in a sentence which part is wrong and what is
 * allowed, in printable ASCII, and `rule` is not to be used. Nothing of `text` is kept. */
bool recurrence_parse(struct slice text, bool timed, struct recurrence *rule,
                      char problem[static RECURRENCE_PROBLEM_ROOM])
    __attribute__((warn_unused_result));

/* The day that the first instants of 1970 are on, in a zone west of UTC. */
#define RECURRENCE_START_LEAST (-1)

/* The first day of the rule that is after `after`, with `start` (RECURRENCE_START_LEAST to the last
 * day of 2999) as its DTSTART: no day before `start` is one, and `start` itself only where the rule
 * has it. False: none comes
 * within 400 years after the later of `after` and the day before `start`, or none before 3000.
 * COUNT and UNTIL are not looked at. Takes at most about a millisecond, whatever the rule. */
bool recurrence_next(const struct recurrence *rule, int32_t start, int32_t after, int32_t *next)
    __attribute__((warn_unused_result));

/* Whether COUNT or UNTIL ends the series before an occurrence. `taken`: how many occurrences come
 * before it, from 1: that of the present `due` is always one, whether the rule has its day or not.
 * `day` is the occurrence's in the task's zone; `ms` its instant in milliseconds since 1970, which
 * an UNTIL that is a date does not look at. */
bool recurrence_has_ended(const struct recurrence *rule, uint32_t taken, int32_t day, int64_t ms)
    __attribute__((warn_unused_result));

/* The rule as it stands in the next task of a series: `text`, which has been parsed, with COUNT one
 * less and all else byte for byte. A COUNT is at least 2: otherwise recurrence_has_ended() holds.
 * Points into `room`, or is `text` itself where no COUNT is in it. */
struct slice recurrence_count_down(struct slice text, char room[static RECURRENCE_MOST]);

#endif
