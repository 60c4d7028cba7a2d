// SPDX-License-Identifier: MIT
#include "model/civil.h"

#include <assert.h>

#define DAYS_OF_400_YEARS 146097
#define DAY_OF_MARCH_1_0  (-719468) /* 0000-03-01 */

/* Counted in years that begin in March, so that the leap day is the last one of a year. */
int32_t civil_to_day(struct civil date)
{
    assert(date.year >= 1 && date.year <= 9999 && date.month >= 1 && date.month <= 12);
    const int32_t year = date.year - (date.month <= 2);
    const int32_t era = year / 400;
    const int32_t of_era = year % 400;
    const int32_t of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
    return era * DAYS_OF_400_YEARS + of_era * 365 + of_era / 4 - of_era / 100 + of_year +
           DAY_OF_MARCH_1_0;
}

struct civil civil_of_day(int32_t day)
{
    const int32_t since = day - DAY_OF_MARCH_1_0;
    assert(since >= 0);
    const int32_t era = since / DAYS_OF_400_YEARS;
    const int32_t of_era = since % DAYS_OF_400_YEARS;
    const int32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const int32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const int32_t month = (5 * of_year + 2) / 153; /* 0 is March */
    return (struct civil){
        .year = year + era * 400 + (month >= 10),
        .month = (uint8_t)(month < 10 ? month + 3 : month - 9),
        .day = (uint8_t)(of_year - (153 * month + 2) / 5 + 1),
    };
}

unsigned civil_weekday(int32_t day)
{
    return (unsigned)(((day + 3) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

bool civil_is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned civil_days_of_month(int32_t year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && civil_is_leap(year) ? 1u : 0u);
}

bool civil_exists(struct civil date)
{
    return date.year >= 1 && date.year <= 9999 && date.month >= 1 && date.month <= 12 &&
           date.day >= 1 && date.day <= civil_days_of_month(date.year, date.month);
}
