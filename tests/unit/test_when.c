// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "model/civil.h"
#include "model/when.h"

static void assert_text(const struct when *when, const char *expected)
{
    char room[WHEN_TEXT_MOST];
    const struct slice text = when_write(when, room);
    if (!slice_eq(text, slice_of(expected)))
        fail_msg("%.*s, not %s", (int)text.len, text.ptr, expected);
}

static void dates_and_instants_are_read(void **state)
{
    static const struct {
        const char *text;
        enum when_kind kind;
        const char *written;
    } cases[] = {
        {"1970-01-01", WHEN_DATE, "1970-01-01"},
        {"2026-12-01", WHEN_DATE, "2026-12-01"},
        {"2028-02-29", WHEN_DATE, "2028-02-29"},
        {"2999-12-31", WHEN_DATE, "2999-12-31"},
        {"1970-01-01T00:00:00Z", WHEN_INSTANT, "1970-01-01T00:00:00.000Z"},
        {"2026-12-01T00:00:00Z", WHEN_INSTANT, "2026-12-01T00:00:00.000Z"},
        {"2026-12-01t10:00:00z", WHEN_INSTANT, "2026-12-01T10:00:00.000Z"},
        {"2026-12-01T10:00:00.123999999+05:45", WHEN_INSTANT, "2026-12-01T04:15:00.123Z"},
        {"2026-12-01T10:00:00-00:00", WHEN_INSTANT, "2026-12-01T10:00:00.000Z"},
        {"2999-12-31T23:59:59.9999Z", WHEN_INSTANT, "2999-12-31T23:59:59.999Z"},
        /* The year counts in UTC. */
        {"3000-01-01T00:59:59+01:00", WHEN_INSTANT, "2999-12-31T23:59:59.000Z"},
        {"1969-12-31T23:00:00-01:00", WHEN_INSTANT, "1970-01-01T00:00:00.000Z"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct when when = {0};
        if (!when_read(slice_of(cases[i].text), &when))
            fail_msg("refused: %s", cases[i].text);
        assert_int_equal(when.kind, cases[i].kind);
        assert_text(&when, cases[i].written);
    }
}

static void everything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-12",
        "2026-1-01",
        "2026-12-1",
        "26-12-01",
        "02026-12-01",
        "20261201",
        "2026-12-00",
        "2026-12-32",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "2026/12/01",
        "2026-12-01Z",
        "2026-12-01+01:00",
        "2026-12-01T",
        " 2026-12-01",
        "2026-12-01 ",
        "2026-W49-2",
        "2026-335",
        "1969-12-31",
        "3000-01-01",
        "0000-01-01",
        "today",
        "2026-12-01T10:00",
        "2026-12-01T10:00Z",
        "2026-12-01T10:00:00",
        "2026-12-01 10:00:00Z",
        "2026-12-01T24:00:00Z",
        "2026-12-01T10:60:00Z",
        "2026-12-01T23:59:60Z",
        "2026-12-31T23:59:60Z",
        "2026-12-31T22:59:60-01:00",
        "2026-12-31T23:59:60.5Z",
        "2026-12-01T10:00:00.Z",
        "2026-12-01T10:00:00,5Z",
        "2026-12-01T10:00:00+24:00",
        "2026-12-01T10:00:00+0100",
        "2026-12-01T10:00:00 01:00",
        "2026-12-01T10:00:00Z\n",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+00:01",
        "3000-01-01T00:00:00Z",
        "2999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:59Z",
    };
    struct when when = {.kind = WHEN_NONE};
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (when_read(slice_of(texts[i]), &when))
            fail_msg("taken: %s", texts[i]);
    }
    assert_false(when_read((struct slice){0}, &when));
    assert_false(when_read(SLICE("2026-12-0\0"), &when));
    assert_int_equal(when.kind, WHEN_NONE);
}

/* No start of a good text reads after its end (ASan looks on). */
static void every_cut_is_refused_or_a_date(void **state)
{
    const struct slice whole = SLICE("2026-11-22T15:04:05.123+01:00");
    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        char *copy = malloc(len + (len == 0));
        struct when when;
        assert_non_null(copy);
        memcpy(copy, whole.ptr, len);
        assert_int_equal(when_read((struct slice){copy, len}, &when), len == 10);
        free(copy);
    }
}

static void every_day_is_packed_and_written(void **state)
{
    const int32_t last = civil_to_day((struct civil){CIVIL_YEAR_MOST, 12, 31});
    int64_t before = -1;
    (void)state;
    for (int32_t day = 0; day <= last; day++) {
        const struct when date = {.kind = WHEN_DATE, .day = day};
        const struct when midnight = {.kind = WHEN_INSTANT, .ms = day * INT64_C(86400000)};
        const struct when next = {.kind = WHEN_INSTANT, .ms = midnight.ms + 1};
        char room[WHEN_TEXT_MOST];
        struct when again;
        assert_true(when_read(when_write(&date, room), &again));
        assert_int_equal(again.kind, WHEN_DATE);
        assert_int_equal(again.day, day);
        assert_true(when_unpack(when_pack(&date), &again));
        assert_int_equal(again.kind, WHEN_DATE);
        assert_int_equal(again.day, day);
        assert_true(when_unpack(when_pack(&next), &again));
        assert_int_equal(again.kind, WHEN_INSTANT);
        assert_int_equal(again.ms, next.ms);
        assert_true(before < when_pack(&midnight));
        assert_true(when_pack(&midnight) < when_pack(&date));
        assert_true(when_pack(&date) < when_pack(&next));
        before = when_pack(&next);
    }
    assert_int_equal(last, WHEN_MS_MOST / 86400000);
}

static void damage_is_seen(void **state)
{
    static const int64_t numbers[] = {
        -1, -2, INT64_MIN, INT64_MAX, 2 * WHEN_MS_MOST + 1, 2 * WHEN_MS_MOST + 2, 3, 86400001};
    struct when when;
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        assert_false(when_unpack(numbers[i], &when));
    assert_true(when_unpack(2 * WHEN_MS_MOST, &when));
    assert_true(when_unpack(1, &when));
    assert_true(when_unpack(0, &when));
}

static void a_query_has_a_blank_for_plus(void **state)
{
    struct when when;
    (void)state;
    assert_true(when_read_query(SLICE("2026-12-01T10:00:00 01:00"), &when));
    assert_text(&when, "2026-12-01T09:00:00.000Z");
    assert_true(when_read_query(SLICE("2026-12-01T10:00:00.5+01:00"), &when));
    assert_text(&when, "2026-12-01T09:00:00.500Z");
    assert_true(when_read_query(SLICE("2026-12-01"), &when));
    assert_true(when_read_query(SLICE("2026-12-01T10:00:00Z"), &when));
    assert_false(when_read_query(SLICE("2026-12-01 10:00:00Z"), &when));
    assert_false(when_read_query(SLICE("2026-12-01 01:00"), &when));
    assert_false(when_read_query(SLICE("2026-12-01T10:00 01:00"), &when));
    assert_false(when_read_query(SLICE(" 01:00"), &when));
    assert_false(when_read_query(SLICE("2026-12-01T10:00:00 24:00"), &when));
    char longest[100];
    memset(longest, ' ', sizeof longest);
    assert_false(when_read_query((struct slice){longest, sizeof longest}, &when));
}

static void start_is_not_after_due(void **state)
{
    static const struct {
        const char *start;
        const char *due;
        bool in_order;
    } cases[] = {
        {"2026-12-01", "2026-12-01", true},
        {"2026-12-02", "2026-12-01", false},
        {"2026-12-01T10:00:00Z", "2026-12-01T10:00:00Z", true},
        {"2026-12-01T10:00:00.001Z", "2026-12-01T10:00:00Z", false},
        {"2026-12-01", "2026-12-01T00:00:00Z", true},
        {"2026-12-01", "2026-11-30T23:59:59.999Z", false},
        {"2026-12-01T23:59:59.999Z", "2026-12-01", true},
        {"2026-12-02T00:00:00Z", "2026-12-01", false},
        {"2999-12-31T23:59:59.999Z", "2999-12-31", true},
        {"1970-01-01", "1970-01-01T00:00:00Z", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct when start;
        struct when due;
        assert_true(when_read(slice_of(cases[i].start), &start));
        assert_true(when_read(slice_of(cases[i].due), &due));
        if (when_in_order(&start, &due, zone_utc()) != cases[i].in_order)
            fail_msg("%s and %s", cases[i].start, cases[i].due);
    }
}

/* The day of a date is that of the zone which is asked for. */
static void a_date_begins_and_ends_in_a_zone(void **state)
{
    struct zones *zones = zones_create(NULL, 4, 100000);
    struct zone *zone = NULL;
    struct when date;
    struct when instant;
    (void)state;
    assert_non_null(zones);
    if (zones_find(zones, SLICE("America/Sao_Paulo"), &zone) != ZONE_FOUND)
        fail_msg("no zones: script/bootstrap test installs tzdata");
    assert_true(when_read(SLICE("2018-11-04"), &date)); /* it had no 00:00 */
    assert_true(when_read(SLICE("2018-11-04T03:00:00Z"), &instant));
    assert_int_equal(when_begins(&date, zone), instant.ms);
    assert_int_equal(when_ends(&date, zone), instant.ms + INT64_C(23) * 3600000);
    assert_int_equal(when_begins(&instant, zone), instant.ms);
    assert_int_equal(when_ends(&instant, zone), instant.ms);
    assert_true(when_in_order(&date, &instant, zone));
    instant.ms--;
    assert_false(when_in_order(&date, &instant, zone));
    zone_release(&zone);
    zones_destroy(&zones);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_and_instants_are_read),
        cmocka_unit_test(everything_else_is_refused),
        cmocka_unit_test(every_cut_is_refused_or_a_date),
        cmocka_unit_test(every_day_is_packed_and_written),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(a_query_has_a_blank_for_plus),
        cmocka_unit_test(start_is_not_after_due),
        cmocka_unit_test(a_date_begins_and_ends_in_a_zone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
