// SPDX-License-Identifier: MIT
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/recurrence.h"

/* What comes after the first due of a series, for tests/model/test_recurrence.py. A line of the
 * input is `YYYYMMDD RULE` for a due that is a date, or `YYYYMMDDThh RULE` for one at a full hour
 * of UTC. A line of the output is up to MOST days as YYYYMMDD, or `!` and what is wrong. */

#define MOST    50
#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

static unsigned number(struct slice text)
{
    uint64_t value = 0;
    if (!slice_to_u64(text, 10000, &value)) {
        (void)fputs("print_occurrences: no number\n", stderr);
        exit(2);
    }
    return (unsigned)value;
}

static void print_series(const struct recurrence *rule, int32_t start, int64_t hour)
{
    int32_t day = start;
    for (uint32_t taken = 1; taken <= MOST; taken++) {
        int32_t next;
        if (!recurrence_next(rule, start, day, &next) ||
            recurrence_has_ended(rule, taken, next, next * DAY_MS + hour * HOUR_MS))
            break;
        day = next;
        const struct civil date = civil_of_day(day);
        (void)printf("%04" PRId32 "%02u%02u ", date.year, date.month, date.day);
    }
}

static void print_line(struct slice rest)
{
    const struct slice due = slice_next(&rest, ' ');
    const bool timed = due.len == 11;
    struct recurrence rule;
    char problem[RECURRENCE_PROBLEM_ROOM];

    if (!timed && due.len != 8) {
        (void)fputs("print_occurrences: no due\n", stderr);
        exit(2);
    }
    const struct civil date = {
        .year = (int32_t)number((struct slice){due.ptr, 4}),
        .month = (uint8_t)number((struct slice){due.ptr + 4, 2}),
        .day = (uint8_t)number((struct slice){due.ptr + 6, 2}),
    };
    if (recurrence_parse(rest, timed, &rule, problem))
        print_series(&rule, civil_to_day(date), timed ? number(slice_from(due, 9)) : 0);
    else
        (void)printf("! %s", problem);
    (void)putchar('\n');
}

int main(void)
{
    char line[1024];
    while (fgets(line, sizeof line, stdin))
        print_line(slice_strip(slice_of(line)));
    return fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}
