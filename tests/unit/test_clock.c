// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "base/clock.h"

#define FIRST_DAY INT64_C(-719528) /* 0000-01-01 */
#define LAST_DAY  INT64_C(2932896) /* 9999-12-31 */

static void formats_known_moments(void **state)
{
    static const struct {
        int64_t ms;
        const char *rfc3339;
        const char *http;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {784111777000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1795359845123, "2026-11-22T15:04:05.123Z", "Sun, 22 Nov 2026 15:04:05 GMT"},
        {4107542399999, "2100-02-28T23:59:59.999Z", "Sun, 28 Feb 2100 23:59:59 GMT"},
        {-62167219200000, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
        {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    struct buffer out;

    (void)state;
    buffer_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[CLOCK_RFC3339_LEN];
        clock_format_rfc3339(cases[i].ms, text);
        assert_true(slice_eq((struct slice){text, sizeof text}, slice_of(cases[i].rfc3339)));
        buffer_clear(&out);
        clock_add_http_date(&out, cases[i].ms);
        assert_true(slice_eq(buffer_slice(&out), slice_of(cases[i].http)));
    }
    buffer_finish(&out);
}

/* Every day of ten thousand years, at another time each, against the C library and back. */
static void agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = FIRST_DAY; day <= LAST_DAY; day++) {
        const int64_t ms = day * 86400000 + (day - FIRST_DAY) * 7919 % 86400000;
        const time_t seconds = (time_t)(ms >= 0 ? ms / 1000 : -((999 - ms) / 1000));
        char text[CLOCK_RFC3339_LEN];
        char expected[100];
        struct tm tm;
        int64_t parsed = 0;

        clock_format_rfc3339(ms, text);
        assert_true(clock_parse_rfc3339((struct slice){text, sizeof text}, &parsed));
        assert_int_equal(parsed, ms);
        if (day % 5 == 0) {
            assert_non_null(gmtime_r(&seconds, &tm));
            (void)snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                           tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                           tm.tm_sec, (int)(ms - (int64_t)seconds * 1000));
            assert_memory_equal(text, expected, sizeof text);
        }
    }
}

/* Whatever was written before: the day is kept from one call to the next. */
static void times_of_one_day_and_the_next(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {1795305600000, "2026-11-22T00:00:00.000Z"},
        {1795391999999, "2026-11-22T23:59:59.999Z"},
        {1795392000000, "2026-11-23T00:00:00.000Z"},
        {1795391999999, "2026-11-22T23:59:59.999Z"},
        {1795305599999, "2026-11-21T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {0, "1970-01-01T00:00:00.000Z"},
    };
    const size_t count = sizeof cases / sizeof *cases;

    (void)state;
    for (size_t before = 0; before < count; before++) {
        for (size_t i = 0; i < count; i++) {
            char text[CLOCK_RFC3339_LEN];

            clock_format_rfc3339(cases[before].ms, text);
            clock_format_rfc3339(cases[i].ms, text);
            assert_memory_equal(text, cases[i].text, sizeof text);
        }
    }
}

static void parses_what_rfc_3339_allows(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1985-04-12T23:20:50.52Z", 482196050520},
        {"1996-12-19T16:39:57-08:00", 851042397000},
        {"1996-12-20T00:39:57Z", 851042397000},
        {"1990-12-31T23:59:60Z", 662687999999},
        {"1990-12-31T15:59:60-08:00", 662687999999},
        {"1990-12-31T15:59:60.5-08:00", 662687999999},
        {"1937-01-01T12:00:27.87+00:20", -1041337172130},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"1970-01-01T00:00:00.0019999999999999999999999Z", 1},
        {"1970-01-01T23:59:00+23:59", 0},
        {"1969-12-31T00:01:00-23:59", 0},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"2024-02-29T00:00:00Z", 1709164800000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 0;
        assert_true(clock_parse_rfc3339(slice_of(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
}

static void refuses_everything_else(void **state)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T15:04:05",
        "2026-11-22 15:04:05Z",
        "2026-11-22T15:04Z",
        "2026-11-22T15:04:05.Z",
        "2026-11-22T15:04:05,5Z",
        "2026-11-22T15:04:05Z ",
        " 2026-11-22T15:04:05Z",
        "2026-11-22T15:04:05ZZ",
        "2026-11-22T15:04:05+0100",
        "2026-11-22T15:04:05+01",
        "2026-11-22T15:04:05+24:00",
        "2026-11-22T15:04:05+01:60",
        "2026-00-22T15:04:05Z",
        "2026-13-22T15:04:05Z",
        "2026-11-00T15:04:05Z",
        "2026-11-31T15:04:05Z",
        "2026-02-29T15:04:05Z",
        "1900-02-29T15:04:05Z",
        "2024-02-30T15:04:05Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T23:60:00Z",
        "2026-11-22T23:59:61Z",
        "2026-11-22T12:00:60Z",
        "1990-12-31T23:59:60-08:00",
        "+026-11-22T15:04:05Z",
        "12026-11-22T15:04:05Z",
        "2026-1-22T15:04:05Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-11-22T15:04:05.1\xff",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ms = 42;
        assert_false(clock_parse_rfc3339(slice_of(cases[i]), &ms));
        assert_int_equal(ms, 42);
    }
    assert_false(clock_parse_rfc3339((struct slice){0}, &(int64_t){0}));
}

/* No start of a good text is good, and none reads past its end (ASan looks on). */
static void refuses_every_cut(void **state)
{
    const struct slice whole = SLICE("2026-11-22T15:04:05.123+01:00");

    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        char *copy = test_malloc(len + 1);
        memcpy(copy, whole.ptr, len);
        assert_false(clock_parse_rfc3339((struct slice){copy, len}, &(int64_t){0}));
        test_free(copy);
    }
}

static void clocks_go_forward(void **state)
{
    int64_t wall = clock_wall_ms();
    int64_t mono = clock_mono_us();

    (void)state;
    assert_true(wall > INT64_C(1700000000000));
    for (unsigned i = 0; i < 10000; i++) {
        const int64_t next_wall = clock_wall_ms();
        const int64_t next_mono = clock_mono_us();
        assert_true(next_wall >= wall);
        assert_true(next_mono >= mono);
        wall = next_wall;
        mono = next_mono;
    }
    assert_true(clock_mono_ms() >= mono / 1000);
}

/* Of the machine's clock as much is believed as another one leaves open. */
static void a_shared_clock_sets_the_steady_one(void **state)
{
    static const struct {
        int64_t reference; /* after the machine's clock */
        int64_t age_most;
        int64_t steady; /* after the machine's clock, by then */
    } told[] = {{-10, 50, 0},    {100, 20, 100},
                {-100, 20, -80}, {-3, 3, 0},
                {-5, 0, -5},     {CLOCK_STEP_MS * 2, 10, -5} /* a step: not believed */,
                {0, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        const int64_t began = clock_wall_ms();
        clock_steady_tell(began + told[i].reference, told[i].age_most);
        const int64_t before = clock_wall_ms();
        const int64_t steady = clock_steady_ms();
        const int64_t after = clock_wall_ms();
        /* Each clock is cut to milliseconds; what this thread was held up makes the other older. */
        assert_true(steady >= before + told[i].steady - 2 - (before - began));
        assert_true(steady <= after + told[i].steady + 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_known_moments),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(times_of_one_day_and_the_next),
        cmocka_unit_test(parses_what_rfc_3339_allows),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(refuses_every_cut),
        cmocka_unit_test(clocks_go_forward),
        cmocka_unit_test(a_shared_clock_sets_the_steady_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
