// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_DAYS_H
#define TASKHOLD_MODEL_DAYS_H

#include "model/when.h"

/* Dates beside instants, for a database that knows no zone: a question in a zone becomes a
 * comparison of plain numbers. A day's instants are those from its begin up to the begin of the
 * next one (zone_day_begin), so a day that a zone skips is empty and ends where it begins. Instants
 * are milliseconds since 1970, days are numbers as in model/civil.h. Pure functions. */

/* ---- filters ---- */

/* What is before a moment: an instant that is less than `ms`, and a date whose day is less than
 * `day`. All others are from that moment on. */
struct days_limit {
    int64_t ms;
    int32_t day;
};

/* `due` before `ms` (`due.before`, `due.from`, and with the present time `overdue`): an instant
 * that is less, and a date whose day has ended by then. A query that names a date means when_begins
 * of it. */
struct days_limit days_due_limit(const struct zone *zone, int64_t ms);

/* `start` before `ms`: an instant that is less, and a date whose day has begun before. */
struct days_limit days_start_limit(const struct zone *zone, int64_t ms);

/* The latest day that has begun by then: where a zone sets its clocks back over midnight, it stays
 * the new one. */
int32_t days_today(const struct zone *zone, int64_t ms);

/* What is due on that day: it is before `until`, but not before the answer. */
struct days_limit days_of_day(const struct zone *zone, int32_t day, struct days_limit *until);

/* Neither is WHEN_NONE. */
bool days_is_before(const struct when *when, const struct days_limit *limit);

/* The same for numbers of when_pack: an even one is before when it is less than `even`, an odd one
 * when it is less than `odd`. Less than both is before in any case, at least both is not, which is
 * what an index can tell. */
struct days_packed {
    int64_t even;
    int64_t odd;
};

struct days_packed days_pack(const struct days_limit *limit);

/* ---- orders ----
 *
 * Dates among themselves, and instants among themselves, are in order by their numbers in every
 * zone: two walks, one of each, can be merged. Where both have to be compared by the database, the
 * begins of days are this table: the begin of a day is its midnight in UTC less the offset of the
 * last run that begins on or before it, which PostgreSQL finds in an array of their first days by
 * width_bucket, and SQLite by a function of ours. */
struct days_run {
    int32_t day;
    int32_t offset_ms;
};

/* The whole range of dates, with the end of the last one. */
#define DAYS_LEAST 0
#define DAYS_MOST  376200 /* 3000-01-01 */

/* No zone of tzdata has more: Asia/Hebron has 2,101 in the whole range, America/New_York 2,061. Any
 * ten years have 37 at most, and mostly 21. */
#define DAYS_RUNS_MOST 4096

/* Finds the runs of the days `first` to `last`; the first one begins on `first`. Returns how many
 * there are; only the first `most` of them are written. The whole range takes 0.6 ms, so that a
 * query asks for the days that there are. */
size_t days_find_runs(const struct zone *zone, int32_t first, int32_t last, struct days_run *runs,
                      size_t most);

/* zone_day_begin of a day in the runs' range. */
int64_t days_begin(const struct days_run *runs, size_t count, int32_t day);

/* Keys of the orders by `start` and `due`, as twice an instant. A date stands at the begin of its
 * day by `start`, and at the end of it by `due`, which is directly before the first instant of the
 * next one. The runs have to reach to that. Not of WHEN_NONE. */
int64_t days_start_key(const struct when *start, const struct days_run *runs, size_t count);
int64_t days_due_key(const struct when *due, const struct days_run *runs, size_t count);

#endif
