// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_CIVIL_H
#define TASKHOLD_MODEL_CIVIL_H

#include <stdbool.h>
#include <stdint.h>

/* Dates of the proleptic Gregorian calendar, which know no zone. A day is a number: days since
 * 1970-01-01, which is 0. Pure functions. */

#define CIVIL_YEAR_LEAST 1970
#define CIVIL_YEAR_MOST  2999

struct civil {
    int32_t year;
    uint8_t month; /* 1 to 12 */
    uint8_t day;   /* 1 to 31 */
};

/* Any year from 1 to 9999. */
int32_t civil_to_day(struct civil date);
struct civil civil_of_day(int32_t day);

/* 0 is Monday. */
unsigned civil_weekday(int32_t day);

bool civil_is_leap(int32_t year);
unsigned civil_days_of_month(int32_t year, unsigned month);

/* Is there such a day? Any year. */
bool civil_exists(struct civil date);

#endif
