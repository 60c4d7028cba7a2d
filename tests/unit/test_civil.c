// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "model/civil.h"

#define DAY_SECONDS 86400

/* Each day of the years 1 to 9999, as the C library counts them. */
static void every_day_is_the_librarys(void **state)
{
    (void)state;
    const int32_t first = civil_to_day((struct civil){1, 1, 1});
    const int32_t last = civil_to_day((struct civil){9999, 12, 31});
    for (int32_t day = first; day <= last; day++) {
        const time_t seconds = (time_t)day * DAY_SECONDS;
        struct tm expected;
        assert_non_null(gmtime_r(&seconds, &expected));
        const struct civil date = civil_of_day(day);
        assert_int_equal(date.year, expected.tm_year + 1900);
        assert_int_equal(date.month, expected.tm_mon + 1);
        assert_int_equal(date.day, expected.tm_mday);
        assert_int_equal(civil_to_day(date), day);
        assert_int_equal(civil_weekday(day), (expected.tm_wday + 6) % 7);
        assert_true(civil_exists(date));
        if (date.day == civil_days_of_month(date.year, date.month))
            assert_int_equal(civil_of_day(day + 1).day, 1);
        else
            assert_int_equal(civil_of_day(day + 1).day, date.day + 1);
    }
    assert_int_equal(civil_to_day((struct civil){1970, 1, 1}), 0);
}

static void some_days_do_not_exist(void **state)
{
    static const struct civil none[] = {
        {2026, 2, 29}, {2100, 2, 29}, {2026, 4, 31}, {2026, 13, 1},  {2026, 0, 1},
        {2026, 1, 0},  {0, 1, 1},     {10000, 1, 1}, {2026, 12, 32},
    };
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(civil_exists(none[i]));
    assert_true(civil_exists((struct civil){2000, 2, 29}));
    assert_true(civil_exists((struct civil){2028, 2, 29}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_is_the_librarys),
        cmocka_unit_test(some_days_do_not_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
