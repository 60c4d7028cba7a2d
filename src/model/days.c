// SPDX-License-Identifier: MIT
#include "model/days.h"

#include <assert.h>

#define DAY_MS INT64_C(86400000)

/* ---- filters ---- */

/* A wall clock that was set back over midnight shows the day before once more. */
int32_t days_today(const struct zone *zone, int64_t ms)
{
    int32_t day = zone_day_of(zone, ms);

    assert(zone_day_begin(zone, day) <= ms);
    while (zone_day_begin(zone, day + 1) <= ms) {
        day++;
    }
    return day;
}

/* All days before the latest that has begun have ended. */
struct days_limit days_due_limit(const struct zone *zone, int64_t ms)
{
    return (struct days_limit){.ms = ms, .day = days_today(zone, ms)};
}

struct days_limit days_start_limit(const struct zone *zone, int64_t ms)
{
    int32_t day = days_today(zone, ms) + 1;

    while (zone_day_begin(zone, day - 1) == ms) {
        day--;
    }
    return (struct days_limit){.ms = ms, .day = day};
}

struct days_limit days_of_day(const struct zone *zone, int32_t day, struct days_limit *until)
{
    assert(until);
    *until = (struct days_limit){.ms = zone_day_begin(zone, day + 1), .day = day + 1};
    return (struct days_limit){.ms = zone_day_begin(zone, day), .day = day};
}

bool days_is_before(const struct when *when, const struct days_limit *limit)
{
    assert(when && when->kind != WHEN_NONE && limit);
    return when->kind == WHEN_DATE ? when->day < limit->day : when->ms < limit->ms;
}

struct days_packed days_pack(const struct days_limit *limit)
{
    assert(limit);
    return (struct days_packed){.even = limit->ms * 2, .odd = limit->day * DAY_MS * 2 + 1};
}

/* ---- orders ---- */

static int64_t round_down(int64_t number, int64_t by)
{
    return number / by - (number % by < 0);
}

/* The next day after `day`, which begins at `begin`, whose begin may have another offset. */
static int64_t next_to_ask(const struct zone *zone, int32_t day, int64_t begin)
{
    const int64_t offset = day * DAY_MS - begin;
    const int64_t until = zone_offset_until(zone, begin);

    if (offset != zone_offset(zone, begin) * INT64_C(1000)) {
        return (int64_t)day + 1; /* it begins after a midnight that is skipped */
    }
    return until == INT64_MAX ? until : round_down(until - 1 + offset, DAY_MS) + 1;
}

size_t days_find_runs(const struct zone *zone, int32_t first, int32_t last, struct days_run *runs,
                      size_t most)
{
    struct days_run run = {0};
    size_t count = 0;

    assert(zone && first >= DAYS_LEAST && first <= last && last <= DAYS_MOST && (runs || !most));
    for (int64_t day = first; day <= last;) {
        const int64_t begin = zone_day_begin(zone, (int32_t)day);
        const int64_t offset_ms = day * DAY_MS - begin;
        if (count == 0 || offset_ms != run.offset_ms) {
            run = (struct days_run){.day = (int32_t)day, .offset_ms = (int32_t)offset_ms};
            if (count < most) {
                runs[count] = run;
            }
            count++;
        }
        const int64_t next = next_to_ask(zone, (int32_t)day, begin);
        assert(next > day);
        day = next;
    }
    return count;
}

int64_t days_begin(const struct days_run *runs, size_t count, int32_t day)
{
    size_t low = 0;
    size_t high = count;

    assert(runs && count > 0 && day >= runs[0].day);
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        if (runs[middle].day <= day) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return day * DAY_MS - runs[low].offset_ms;
}

int64_t days_start_key(const struct when *start, const struct days_run *runs, size_t count)
{
    assert(start && start->kind != WHEN_NONE);
    return 2 * (start->kind == WHEN_DATE ? days_begin(runs, count, start->day) : start->ms);
}

int64_t days_due_key(const struct when *due, const struct days_run *runs, size_t count)
{
    assert(due && due->kind != WHEN_NONE);
    return due->kind == WHEN_DATE ? 2 * days_begin(runs, count, due->day + 1) - 1 : 2 * due->ms;
}
