// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>

#include "model/days.h"

/* Dates and instants in a zone, for tests/model/test_days.py. A line of the input is `ZONE date DAY
 * MS` or `ZONE instant MS MS`: the value of a task, and a moment. A line of the output is whether a
 * due and a start of that value are before the moment, their places in an order, and which day the
 * moment is on. */

#define AROUND 5 /* days on either side that the runs reach */

static void print_answer(const struct zone *zone, const struct when *when, int64_t ms)
{
    struct days_run runs[2 * AROUND + 1];
    const int32_t day = when->kind == WHEN_DATE ? when->day : (int32_t)(when->ms / 86400000);
    const int32_t first = day - AROUND > DAYS_LEAST ? day - AROUND : DAYS_LEAST;
    const int32_t last = day + AROUND < DAYS_MOST ? day + AROUND : DAYS_MOST;
    const size_t count = days_find_runs(zone, first, last, runs, 2 * AROUND + 1);
    const struct days_limit due = days_due_limit(zone, ms);
    const struct days_limit start = days_start_limit(zone, ms);
    (void)printf("%d %d %" PRId64 " %" PRId64 " %" PRId32 "\n", days_is_before(when, &due),
                 days_is_before(when, &start), days_due_key(when, runs, count),
                 days_start_key(when, runs, count), days_today(zone, ms));
}

/* One that is not below 0. */
static bool take_number(struct slice *rest, int64_t *number)
{
    uint64_t value = 0;
    const bool good = slice_to_u64(slice_next(rest, ' '), WHEN_MS_MOST, &value);
    *number = (int64_t)value;
    return good;
}

static bool print_line(struct zones *zones, struct slice rest)
{
    struct zone *zone = NULL;
    const struct slice name = slice_next(&rest, ' ');
    const bool is_date = slice_eq(slice_next(&rest, ' '), SLICE("date"));
    struct when when = {.kind = is_date ? WHEN_DATE : WHEN_INSTANT};
    int64_t value;
    int64_t ms;
    if (!take_number(&rest, &value) || !take_number(&rest, &ms) ||
        zones_find(zones, name, &zone) != ZONE_FOUND)
        return false;
    if (is_date)
        when.day = (int32_t)value;
    else
        when.ms = value;
    print_answer(zone, &when, ms);
    zone_release(&zone);
    return true;
}

int main(void)
{
    struct zones *zones = zones_create(NULL, 64, 1 << 22);
    char line[200];
    bool good = zones != NULL;
    while (good && fgets(line, sizeof line, stdin))
        good = print_line(zones, slice_strip(slice_of(line)));
    zones_destroy(&zones);
    return good && fflush(stdout) == 0 ? 0 : 1;
}
