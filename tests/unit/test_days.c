// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/civil.h"
#include "model/days.h"

#define SYSTEM  "/usr/share/zoneinfo"
#define DAY_MS  INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)

/* Half hours, midnights that are skipped or shown twice, days that are not there, and changes that
 * follow the moon. */
static const char *const names[] = {
    "UTC",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Africa/Monrovia",
    "America/Asuncion",
    "America/Havana",
    "America/New_York",
    "America/Nuuk",
    "America/Santiago",
    "America/Sao_Paulo",
    "America/Scoresbysund",
    "America/St_Johns",
    "Antarctica/Troll",
    "Asia/Amman",
    "Asia/Beirut",
    "Asia/Gaza",
    "Asia/Kathmandu",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Etc/GMT+12",
    "Etc/GMT-14",
    "Europe/Berlin",
    "Europe/Dublin",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
};

#define NAMES (sizeof names / sizeof names[0])

static struct zone *find(struct zones *zones, const char *name)
{
    struct zone *zone = NULL;
    return zones_find(zones, slice_of(name), &zone) == ZONE_FOUND ? zone : NULL;
}

/* Zones are from the system; where it has none the test is skipped. */
static int open_system(void **state)
{
    *state = zones_create(SYSTEM, 8, 1 << 20);
    return *state ? 0 : -1;
}

static int close_system(void **state)
{
    struct zones *zones = *state;
    zones_destroy(&zones);
    return 0;
}

static struct zone *need(void **state, const char *name)
{
    struct zone *zone = find(*state, name);
    if (!zone)
        fail_msg("no %s: script/bootstrap test installs tzdata", name);
    return zone;
}

static struct when read(const char *text)
{
    struct when when = {0};
    assert_true(when_read(slice_of(text), &when));
    return when;
}

static int64_t instant(const char *text)
{
    return read(text).ms;
}

static int32_t day(const char *text)
{
    return read(text).day;
}

/* ---- filters ---- */

/* Whether a task is before a moment, as the contract says it. */
static bool due_is_before(const struct zone *zone, const struct when *due, int64_t ms)
{
    return due->kind == WHEN_DATE ? zone_day_begin(zone, due->day + 1) <= ms : due->ms < ms;
}

static bool start_is_before(const struct zone *zone, const struct when *start, int64_t ms)
{
    return start->kind == WHEN_DATE ? zone_day_begin(zone, start->day) < ms : start->ms < ms;
}

static void assert_side(const struct when *when, const struct days_limit *limit, bool before)
{
    const int64_t number = when_pack(when);
    const struct days_packed packed = days_pack(limit);
    assert_int_equal(days_is_before(when, limit), before);
    assert_int_equal(number < (number % 2 ? packed.odd : packed.even), before);
}

/* Asks for dates and instants around `ms`, and on both sides of it. */
static void assert_limits(const struct zone *zone, int64_t ms)
{
    const struct days_limit due = days_due_limit(zone, ms);
    const struct days_limit start = days_start_limit(zone, ms);
    const int32_t middle = (int32_t)(ms / DAY_MS);
    for (int32_t days = -4; days <= 4; days++) {
        struct when when = {.kind = WHEN_DATE, .day = middle + days};
        if (when.day < DAYS_LEAST || when.day >= DAYS_MOST)
            continue;
        assert_side(&when, &due, due_is_before(zone, &when, ms));
        assert_side(&when, &start, start_is_before(zone, &when, ms));
        when = (struct when){.kind = WHEN_INSTANT, .ms = ms + days};
        if (when.ms < WHEN_MS_LEAST || when.ms > WHEN_MS_MOST)
            continue;
        assert_side(&when, &due, due_is_before(zone, &when, ms));
        assert_side(&when, &start, start_is_before(zone, &when, ms));
    }
    const int32_t today = days_today(zone, ms);
    assert_true(zone_day_begin(zone, today) <= ms && ms < zone_day_begin(zone, today + 1));
}

static int64_t random_ms(unsigned *seed)
{
    const int64_t number = (int64_t)rand_r(seed) << 31 | rand_r(seed);
    return number % (WHEN_MS_MOST + 1);
}

static void limits_are_what_each_task_says(void **state)
{
    unsigned seed = 11;
    for (size_t i = 0; i < NAMES; i++) {
        struct zone *zone = need(state, names[i]);
        for (unsigned times = 0; times < 1000; times++)
            assert_limits(zone, random_ms(&seed));
        /* Each change of an offset up to 2060, and the midnights before and after it. */
        for (int64_t ms = 0; ms < 90 * 365 * DAY_MS;) {
            const int64_t until = zone_offset_until(zone, ms);
            const int32_t changed = zone_day_of(zone, until < WHEN_MS_MOST ? until : ms);
            for (int32_t around = changed > 2 ? changed - 2 : 0; around <= changed + 2; around++) {
                const int64_t begin = zone_day_begin(zone, around);
                for (int64_t beside = begin > 2 * HOUR_MS ? -1 : 0; beside <= 1; beside++) {
                    assert_limits(zone, begin + beside);
                    assert_limits(zone, begin + beside * 2 * HOUR_MS);
                }
            }
            if (until > WHEN_MS_MOST)
                break;
            ms = until;
        }
        assert_limits(zone, WHEN_MS_LEAST);
        assert_limits(zone, WHEN_MS_MOST);
        zone_release(&zone);
    }
}

static void a_date_counts_as_its_whole_day(void **state)
{
    struct zone *zone = need(state, "Europe/Berlin");
    const struct when date = read("2026-12-01");
    struct days_limit limit = days_due_limit(zone, when_begins(&date, zone));
    assert_int_equal(limit.ms, instant("2026-11-30T23:00:00Z"));
    assert_int_equal(limit.day, day("2026-12-01")); /* by the end of the day before */
    limit = days_due_limit(zone, limit.ms - 1);
    assert_int_equal(limit.day, day("2026-11-30")); /* which has not ended yet */
    limit = days_due_limit(zone, instant("2026-12-01T12:00:00Z"));
    assert_int_equal(limit.day, day("2026-12-01"));
    limit = days_start_limit(zone, when_begins(&date, zone));
    assert_int_equal(limit.day, day("2026-12-01"));
    limit = days_start_limit(zone, limit.ms + 1);
    assert_int_equal(limit.day, day("2026-12-02")); /* has begun before */
    zone_release(&zone);
}

static void a_day_that_is_not_there_is_empty(void **state)
{
    struct zone *zone = need(state, "Pacific/Apia"); /* without 2011-12-30 */
    const int64_t begin = instant("2011-12-30T10:00:00Z");
    assert_int_equal(days_today(zone, begin - 1), day("2011-12-29"));
    assert_int_equal(days_today(zone, begin), day("2011-12-31"));
    assert_int_equal(days_due_limit(zone, begin).day, day("2011-12-31"));
    assert_int_equal(days_start_limit(zone, begin).day, day("2011-12-30"));
    assert_int_equal(days_start_limit(zone, begin + 1).day, day("2012-01-01"));
    struct days_limit until;
    const struct days_limit from = days_of_day(zone, day("2011-12-30"), &until);
    assert_int_equal(from.ms, begin);
    assert_int_equal(until.ms, begin);
    assert_int_equal(from.day, day("2011-12-30"));
    assert_int_equal(until.day, day("2011-12-31"));
    zone_release(&zone);
}

static void a_midnight_comes_once(void **state)
{
    /* At 00:01 of 2006-10-29 it became 23:01 of the day before. */
    struct zone *zone = need(state, "America/St_Johns");
    const int64_t begin = instant("2006-10-29T02:30:00Z");
    assert_int_equal(days_today(zone, begin - 1), day("2006-10-28"));
    assert_int_equal(days_today(zone, begin), day("2006-10-29"));
    assert_int_equal(zone_day_of(zone, begin + HOUR_MS / 2), day("2006-10-28"));
    assert_int_equal(days_today(zone, begin + HOUR_MS / 2), day("2006-10-29"));
    zone_release(&zone);
}

static void what_is_due_today(void **state)
{
    struct zone *zone = need(state, "America/Sao_Paulo"); /* 2018-11-04 began at one o'clock */
    struct days_limit until;
    const struct days_limit from = days_of_day(zone, day("2018-11-04"), &until);
    static const struct {
        const char *due;
        bool is_due;
    } cases[] = {
        {"2018-11-03", false},           {"2018-11-04", true},
        {"2018-11-05", false},           {"2018-11-04T02:59:59.999Z", false},
        {"2018-11-04T03:00:00Z", true},  {"2018-11-05T01:59:59.999Z", true},
        {"2018-11-05T02:00:00Z", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct when due = read(cases[i].due);
        assert_int_equal(!days_is_before(&due, &from) && days_is_before(&due, &until),
                         cases[i].is_due);
    }
    zone_release(&zone);
}

/* ---- orders ---- */

static void each_day_begins_where_its_run_says(void **state)
{
    static struct days_run runs[DAYS_RUNS_MOST];
    static struct days_run part[DAYS_RUNS_MOST];
    const int32_t last = 70 * 366; /* up to 2040 each day; after that each of 53 */
    for (size_t i = 0; i < NAMES; i++) {
        struct zone *zone = need(state, names[i]);
        const size_t count = days_find_runs(zone, DAYS_LEAST, DAYS_MOST, runs, DAYS_RUNS_MOST);
        assert_true(count > 0 && count <= DAYS_RUNS_MOST);
        assert_int_equal(runs[0].day, DAYS_LEAST);
        for (int32_t d = DAYS_LEAST; d <= DAYS_MOST; d += d < last ? 1 : 53) {
            if (days_begin(runs, count, d) != zone_day_begin(zone, d))
                fail_msg("day %d in %s", d, names[i]);
        }
        for (size_t k = 1; k < count; k++) {
            assert_true(runs[k].day > runs[k - 1].day && runs[k].day <= DAYS_MOST);
            assert_int_not_equal(runs[k].offset_ms, runs[k - 1].offset_ms);
            for (int32_t d = runs[k].day - 1; d <= runs[k].day + 1 && d <= DAYS_MOST; d++)
                assert_int_equal(days_begin(runs, count, d), zone_day_begin(zone, d));
        }
        const size_t few = days_find_runs(zone, 10000, 12000, part, DAYS_RUNS_MOST);
        assert_int_equal(part[0].day, 10000);
        for (int32_t d = 10000; d <= 12000; d++)
            assert_int_equal(days_begin(part, few, d), zone_day_begin(zone, d));
        zone_release(&zone);
    }
}

static void runs_are_counted_without_room(void **state)
{
    struct days_run runs[4] = {{0}, {0}, {0}, {.day = 7}};
    struct zone *zone = need(state, "Europe/Berlin");
    const int32_t first = day("2026-01-01");
    assert_int_equal(days_find_runs(zone, first, first + 364, NULL, 0), 3);
    assert_int_equal(days_find_runs(zone, first, first + 364, runs, 2), 3);
    assert_int_equal(runs[2].day, 0);
    assert_int_equal(days_find_runs(zone, first, first + 364, runs, 4), 3);
    assert_int_equal(runs[3].day, 7);
    assert_int_equal(runs[0].day, first);
    assert_int_equal(runs[0].offset_ms, HOUR_MS);
    assert_int_equal(runs[1].day, day("2026-03-30")); /* the day after the change */
    assert_int_equal(runs[1].offset_ms, 2 * HOUR_MS);
    assert_int_equal(runs[2].day, day("2026-10-26"));
    assert_int_equal(runs[2].offset_ms, HOUR_MS);
    assert_int_equal(days_find_runs(zone, first, first, runs, 4), 1);
    assert_int_equal(days_find_runs(zone_utc(), DAYS_LEAST, DAYS_MOST, runs, 4), 1);
    assert_int_equal(runs[0].offset_ms, 0);
    zone_release(&zone);
}

/* Each before the next one in that order. */
static void assert_order(void **state, const char *name, const char *const *texts, size_t count,
                         bool by_due)
{
    struct days_run runs[32];
    struct zone *zone = need(state, name);
    const size_t found = days_find_runs(zone, day("2011-01-01"), day("2018-12-31"), runs, 32);
    int64_t before = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        const struct when when = read(texts[i]);
        const int64_t key =
            by_due ? days_due_key(&when, runs, found) : days_start_key(&when, runs, found);
        if (key <= before)
            fail_msg("%s in %s", texts[i], name);
        before = key;
        /* What is before a moment comes first, in every order. */
        const struct days_limit limit =
            by_due ? days_due_limit(zone, key / 2) : days_start_limit(zone, key / 2);
        for (size_t k = 0; k < count; k++) {
            const struct when other = read(texts[k]);
            assert_true(!days_is_before(&other, &limit) || k < i);
        }
    }
    zone_release(&zone);
}

static void a_date_stands_at_the_begin_or_the_end_of_its_day(void **state)
{
    static const char *const by_due[] = {
        "2018-11-03T03:00:00Z", "2018-11-04T02:59:59.999Z", "2018-11-03",
        "2018-11-04T03:00:00Z", "2018-11-05T01:59:59.999Z", "2018-11-04",
        "2018-11-05T02:00:00Z",
    };
    static const char *const by_start[] = {
        "2018-11-03",
        "2018-11-04T02:59:59.999Z",
        "2018-11-04",
        "2018-11-04T03:00:00.001Z",
        "2018-11-05T01:59:59.999Z",
        "2018-11-05",
    };
    assert_order(state, "America/Sao_Paulo", by_due, sizeof by_due / sizeof *by_due, true);
    assert_order(state, "America/Sao_Paulo", by_start, sizeof by_start / sizeof *by_start, false);
    /* Without 2011-12-30. */
    static const char *const skipped[] = {"2011-12-28", "2011-12-30T09:59:59.999Z", "2011-12-29",
                                          "2011-12-30T10:00:00Z", "2011-12-31"};
    assert_order(state, "Pacific/Apia", skipped, sizeof skipped / sizeof *skipped, true);
}

#define WITH_SYSTEM(test) cmocka_unit_test_setup_teardown(test, open_system, close_system)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(limits_are_what_each_task_says),
        WITH_SYSTEM(a_date_counts_as_its_whole_day),
        WITH_SYSTEM(a_day_that_is_not_there_is_empty),
        WITH_SYSTEM(a_midnight_comes_once),
        WITH_SYSTEM(what_is_due_today),
        WITH_SYSTEM(each_day_begins_where_its_run_says),
        WITH_SYSTEM(runs_are_counted_without_room),
        WITH_SYSTEM(a_date_stands_at_the_begin_or_the_end_of_its_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
