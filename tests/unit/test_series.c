// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "series_fixture.h"

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])

/* ---- whole series ---- */

/* Each one completed when it is due: in `dates`, and as one makes the next, with its rule. */
static void check_series(const char *zone_name, const char *due, const char *rule,
                         const char *const *expected, size_t count, bool ends)
{
    struct zone *zone = series_zone(zone_name);
    struct task task = series_task("", due, rule);
    int64_t dates[SERIES_DATES_MOST];
    struct series_step step;

    const size_t listed = series_list_dates(&task, zone, ends ? count + 1 : count, dates);
    assert_int_equal(listed, count);
    for (size_t i = 0; i < count; i++) {
        series_must_be(dates[i], expected[i], rule);
        const struct task before = task;
        assert_true(series_find_next(&before, zone, SERIES_IN_TIME, 0, &step));
        assert_true(series_skip(&before, zone, &step, series_arena, &task));
        series_must_be(task.due, expected[i], rule);
    }
    assert_int_equal(series_find_next(&task, zone, SERIES_IN_TIME, 0, &step), !ends);
    zone_release(&zone);
}

#define CHECK_SERIES(zone, due, rule, ends, ...)                                                   \
    do {                                                                                           \
        static const char *const expected[] = {__VA_ARGS__};                                       \
        check_series(zone, due, rule, expected, COUNT(expected), ends);                            \
    } while (0)

static void a_skipped_time_moves_by_the_gap_and_is_the_old_one_again(void **state)
{
    (void)state;
    CHECK_SERIES("Europe/Berlin", "2027-03-27T01:30:00Z", "FREQ=DAILY", false,
                 "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z", "2027-03-30T00:30:00Z");
    /* half an hour */
    CHECK_SERIES("Australia/Lord_Howe", "2026-10-02T15:45:00Z", "FREQ=DAILY", false,
                 "2026-10-03T15:45:00Z", "2026-10-04T15:15:00Z");
    /* whole midnights */
    CHECK_SERIES("America/Sao_Paulo", "2018-11-03T03:10:00Z", "FREQ=DAILY", false,
                 "2018-11-04T03:10:00Z", "2018-11-05T02:10:00Z");
    /* winter is the time that is moved (negative DST) */
    CHECK_SERIES("Europe/Dublin", "2027-03-27T01:30:00Z", "FREQ=DAILY", false,
                 "2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z");
    /* what the client wrote into the same hour is kept */
    CHECK_SERIES("Europe/Berlin", "2027-03-28T01:30:00Z", "FREQ=DAILY", false,
                 "2027-03-29T01:30:00Z");
}

static void a_time_that_comes_twice_is_the_first(void **state)
{
    (void)state;
    CHECK_SERIES("Europe/Berlin", "2026-10-24T00:30:00Z", "FREQ=DAILY", false,
                 "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
    /* also after the second */
    CHECK_SERIES("Europe/Berlin", "2026-10-25T01:30:00Z", "FREQ=DAILY", false,
                 "2026-10-26T01:30:00Z");
}

static void a_missing_day_makes_two_occurrences_one(void **state)
{
    (void)state;
    CHECK_SERIES("Pacific/Apia", "2011-12-29T19:00:00Z", "FREQ=DAILY;COUNT=4", true,
                 "2011-12-30T19:00:00Z", "2011-12-31T19:00:00Z", "2012-01-01T19:00:00Z");
    /* a date is no instant */
    CHECK_SERIES("Pacific/Apia", "2011-12-29", "FREQ=DAILY;COUNT=3", true, "2011-12-30",
                 "2011-12-31");
    /* the day of the month is the one that was meant */
    CHECK_SERIES("Pacific/Apia", "2011-11-30T19:00:00Z", "FREQ=MONTHLY", false,
                 "2011-12-30T19:00:00Z", "2012-01-29T19:00:00Z");
}

static void a_series_ends(void **state)
{
    (void)state;
    CHECK_SERIES("UTC", "2026-12-01", "FREQ=DAILY;COUNT=3", true, "2026-12-02", "2026-12-03");
    CHECK_SERIES("UTC", "2026-12-01", "FREQ=DAILY;UNTIL=20261203", true, "2026-12-02",
                 "2026-12-03");
    CHECK_SERIES("UTC", "2026-12-01T09:00:00Z", "FREQ=DAILY;UNTIL=20261203T090000Z", true,
                 "2026-12-02T09:00:00Z", "2026-12-03T09:00:00Z");
    CHECK_SERIES("UTC", "2026-12-01T09:00:00Z", "FREQ=DAILY;UNTIL=20261203T085959Z", true,
                 "2026-12-02T09:00:00Z");
    /* the end of the day in the task's zone: 22:00 of the 3rd in New York */
    CHECK_SERIES("America/New_York", "2026-12-02T03:00:00Z", "FREQ=DAILY;UNTIL=20261203", true,
                 "2026-12-03T03:00:00Z", "2026-12-04T03:00:00Z");
    CHECK_SERIES("UTC", "2999-12-30", "FREQ=DAILY", true, "2999-12-31");
    CHECK_SERIES("UTC", "2999-12-30T09:00:00Z", "FREQ=DAILY", true, "2999-12-31T09:00:00Z");
    /* still the year 2999 in New York */
    CHECK_SERIES("America/New_York", "2999-12-31T02:00:00Z", "FREQ=DAILY", true);
}

/* Their days are a day outside of the years. */
static void the_first_and_the_last_instants(void **state)
{
    (void)state;
    CHECK_SERIES("America/New_York", "1970-01-01T00:00:00Z", "FREQ=WEEKLY;WKST=TH", false,
                 "1970-01-08T00:00:00Z");
    CHECK_SERIES("America/New_York", "1970-01-01T00:00:00Z", "FREQ=DAILY;INTERVAL=3;BYMONTH=1,12",
                 false, "1970-01-04T00:00:00Z");
    CHECK_SERIES("America/New_York", "1970-01-01T00:00:00Z", "FREQ=MONTHLY;INTERVAL=2", false,
                 "1970-08-31T23:00:00Z"); /* February, April and June have no 31st */
    CHECK_SERIES("Asia/Tokyo", "2999-12-31T23:00:00Z", "FREQ=DAILY", true);
    CHECK_SERIES("Asia/Tokyo", "2999-12-30T23:00:00Z", "FREQ=DAILY", true);
}

/* ---- one step ---- */

static void what_comes_next(void **state)
{
    static const struct {
        const char *zone;
        const char *due;
        const char *rule;
        enum series_cause cause;
        enum task_anchor anchor;
        const char *completed;
        const char *now;
        const char *next; /* "": none */
    } rows[] = {
        /* not before today, which is due */
        {"UTC", "2026-11-01", "FREQ=DAILY", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T08:00:00Z", "2026-12-01"},
        /* not before now */
        {"UTC", "2026-11-01T09:00:00Z", "FREQ=DAILY", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T09:00:00Z", "2026-12-01T09:00:00Z"},
        {"UTC", "2026-11-01T09:00:00Z", "FREQ=DAILY", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T09:00:01Z", "2026-12-02T09:00:00Z"},
        /* in time: after the due */
        {"UTC", "2026-12-10", "FREQ=DAILY", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T08:00:00Z", "2026-12-11"},
        /* which day it is depends on the zone */
        {"Pacific/Kiritimati", "2026-11-01", "FREQ=DAILY", SERIES_COMPLETED, 0,
         "2026-12-01T12:00:00Z", "2026-12-01T12:00:00Z", "2026-12-02"},
        {"America/New_York", "2026-11-01", "FREQ=DAILY", SERIES_COMPLETED, 0,
         "2026-12-01T03:00:00Z", "2026-12-01T03:00:00Z", "2026-11-30"},
        /* the interval still counts from the due */
        {"UTC", "2026-11-02", "FREQ=WEEKLY;INTERVAL=2", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T08:00:00Z", "2026-12-14"},
        {"UTC", "2026-11-02", "FREQ=WEEKLY;INTERVAL=2", SERIES_COMPLETED, TASK_ANCHOR_COMPLETION,
         "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z", "2026-12-15"},
        /* done offline at nine, days ago */
        {"UTC", "2026-11-02", "FREQ=DAILY;INTERVAL=3", SERIES_COMPLETED, TASK_ANCHOR_COMPLETION,
         "2026-11-20T09:00:00Z", "2026-12-01T08:00:00Z", "2026-11-23"},
        {"America/New_York", "2026-11-02", "FREQ=DAILY;INTERVAL=3", SERIES_COMPLETED,
         TASK_ANCHOR_COMPLETION, "2026-11-20T03:00:00Z", "2026-12-01T08:00:00Z", "2026-11-22"},
        /* with the wall clock of the due, over a change of offset */
        {"Europe/Berlin", "2027-03-20T08:00:00Z", "FREQ=DAILY;INTERVAL=5", SERIES_COMPLETED,
         TASK_ANCHOR_COMPLETION, "2027-03-26T22:00:00Z", "2027-03-26T22:00:00Z",
         "2027-03-31T07:00:00Z"},
        /* early: even before the due, or on it */
        {"UTC", "2026-12-20", "FREQ=DAILY", SERIES_COMPLETED, TASK_ANCHOR_COMPLETION,
         "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z", "2026-12-02"},
        /* a completion before 1970 */
        {"UTC", "2026-12-20", "FREQ=DAILY", SERIES_COMPLETED, TASK_ANCHOR_COMPLETION,
         "1970-01-01T00:00:00Z", "2026-12-01T08:00:00Z", "1970-01-02"},
        /* skipping counts from the due */
        {"UTC", "2026-11-02", "FREQ=WEEKLY;INTERVAL=2", SERIES_SKIPPED, TASK_ANCHOR_COMPLETION,
         "1970-01-01T00:00:00Z", "2026-12-01T08:00:00Z", "2026-12-14"},
        {"UTC", "2026-12-20", "FREQ=DAILY", SERIES_SKIPPED, 0, "1970-01-01T00:00:00Z",
         "2026-12-01T08:00:00Z", "2026-12-21"},
        /* dates passed over take none of COUNT, and none comes after UNTIL */
        {"UTC", "2026-11-01", "FREQ=DAILY;COUNT=2", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T08:00:00Z", "2026-12-01"},
        {"UTC", "2026-11-01", "FREQ=DAILY;COUNT=1", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T08:00:00Z", ""},
        {"UTC", "2026-11-01", "FREQ=DAILY;UNTIL=20261130", SERIES_COMPLETED, 0,
         "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z", ""},
        /* never */
        {"UTC", "2026-11-01", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", SERIES_COMPLETED, 0,
         "2026-12-01T08:00:00Z", "2026-12-01T08:00:00Z", ""},
        /* what no version wrote */
        {"UTC", "2026-11-01", "FREQ=SOMETIMES", SERIES_COMPLETED, 0, "2026-12-01T08:00:00Z",
         "2026-12-01T08:00:00Z", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone *zone = series_zone(rows[i].zone);
        struct task task = series_task("", rows[i].due, rows[i].rule);
        struct series_step step = {.due = FIELD_NULL_NUMBER};
        char what[200];
        task.recurrence_anchor = rows[i].anchor;
        task.completed_at = series_instant(rows[i].completed);
        (void)snprintf(what, sizeof what, "row %zu: %s from %s", i, rows[i].rule, rows[i].due);
        if (!series_find_next(&task, zone, rows[i].cause, series_instant(rows[i].now), &step))
            step.due = FIELD_NULL_NUMBER;
        series_must_be(step.due, rows[i].next, what);
        zone_release(&zone);
    }
}

/* Each at its own wall clock, by as many days. */
static void the_start_moves_along(void **state)
{
    static const struct {
        const char *zone;
        const char *start;
        const char *due;
        int32_t days;
        const char *next_start;
        const char *next_due;
    } rows[] = {
        {"UTC", "2026-11-28", "2026-12-01", 7, "2026-12-05", "2026-12-08"},
        {"UTC", "", "2026-12-01", 7, "", "2026-12-08"},
        {"UTC", "2026-12-01", "", -31, "2026-10-31", ""},
        {"Europe/Berlin", "2027-03-26", "2027-03-27T08:00:00Z", 1, "2027-03-27",
         "2027-03-28T07:00:00Z"},
        {"Europe/Berlin", "2027-03-26T08:00:00Z", "2027-03-29T07:00:00Z", 1, "2027-03-27T08:00:00Z",
         "2027-03-30T07:00:00Z"},
        {"Europe/Berlin", "2027-03-27T01:10:00Z", "2027-03-27T01:30:00Z", 1, "2027-03-28T01:10:00Z",
         "2027-03-28T01:30:00Z"},
        {"UTC", "1970-01-02", "2026-12-01", -5, "1970-01-01", "2026-11-26"},
        {"UTC", "1970-01-02T03:00:00Z", "2999-12-31T05:00:00Z", -5, "1970-01-01T00:00:00Z",
         "2999-12-26T05:00:00Z"},
        {"UTC", "2999-12-30", "2999-12-31T05:00:00Z", 376200, "2999-12-31", "2999-12-31T23:59:59Z"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct zone *zone = series_zone(rows[i].zone);
        struct task task = series_task(rows[i].start, rows[i].due, NULL);
        series_move_dates(&task, zone, rows[i].days);
        series_must_be(task.start, rows[i].next_start, "start");
        series_must_be(task.due, rows[i].next_due, "due");
        zone_release(&zone);
    }
}

/* A start and a due that were both moved by a gap come back, and what a client writes stays. */
static void what_a_gap_has_moved_is_remembered(void **state)
{
    struct zone *zone = series_zone("Europe/Berlin");
    struct zone *elsewhere = series_zone("Asia/Tokyo");
    struct task task = series_task("2027-03-27T01:10:00Z", "2027-03-27T01:30:00Z", "FREQ=DAILY");
    const unsigned anchors =
        1U << (resource_field(&task_resource, SLICE("recurrence_anchor")) - task_resource.fields);
    const unsigned dues =
        1U << (resource_field(&task_resource, SLICE("due")) - task_resource.fields);
    (void)state;
    task.recurrence_anchor = TASK_ANCHOR_COMPLETION;
    series_move_dates(&task, zone, 1);
    assert_int_equal(task.recurrence_anchor,
                     TASK_ANCHOR_COMPLETION | TASK_DUE_MOVED | TASK_START_MOVED);
    struct task moved = task;
    series_move_dates(&moved, zone, 1);
    series_must_be(moved.start, "2027-03-29T00:10:00Z", "start");
    series_must_be(moved.due, "2027-03-29T00:30:00Z", "due");
    assert_int_equal(moved.recurrence_anchor, TASK_ANCHOR_COMPLETION);

    /* in a zone without that gap it is what the clock shows */
    moved = task;
    series_move_dates(&moved, elsewhere, 1);
    series_must_be(moved.due, "2027-03-29T01:30:00Z", "due elsewhere");

    /* a client sees and sets the anchor alone */
    struct task values = task;
    values.recurrence_anchor = TASK_ANCHOR_COMPLETION;
    assert_int_equal(resource_apply(&task_resource, &task, &values, anchors | dues), 0);
    values.recurrence_anchor = TASK_ANCHOR_DUE;
    moved = task;
    assert_int_equal(resource_apply(&task_resource, &moved, &values, anchors), anchors);
    assert_int_equal(moved.recurrence_anchor, TASK_DUE_MOVED | TASK_START_MOVED);
    series_settle(&task, &moved);
    assert_int_equal(moved.recurrence_anchor, TASK_DUE_MOVED | TASK_START_MOVED);

    /* a due that it writes is where it is meant to be */
    values.due = series_date("2027-03-28T01:45:00Z");
    moved = task;
    assert_int_equal(resource_apply(&task_resource, &moved, &values, dues), dues);
    series_settle(&task, &moved);
    assert_int_equal(moved.recurrence_anchor, TASK_ANCHOR_COMPLETION | TASK_START_MOVED);
    series_move_dates(&moved, zone, 1);
    series_must_be(moved.due, "2027-03-29T01:45:00Z", "due written");
    zone_release(&zone);
    zone_release(&elsewhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_skipped_time_moves_by_the_gap_and_is_the_old_one_again),
        cmocka_unit_test(a_time_that_comes_twice_is_the_first),
        cmocka_unit_test(a_missing_day_makes_two_occurrences_one),
        cmocka_unit_test(a_series_ends),
        cmocka_unit_test(the_first_and_the_last_instants),
        cmocka_unit_test(what_comes_next),
        cmocka_unit_test(the_start_moves_along),
        cmocka_unit_test(what_a_gap_has_moved_is_remembered),
    };
    return cmocka_run_group_tests(tests, series_set_up, series_tear_down);
}
