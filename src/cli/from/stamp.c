// SPDX-License-Identifier: MIT
#include "cli/from/stamp.h"

#include <assert.h>

bool stamp_day(int64_t year, unsigned month, unsigned day, int32_t *number)
{
    assert(number);
    if (year < CIVIL_YEAR_LEAST || year > CIVIL_YEAR_MOST || month < 1 || month > 12 || day < 1 ||
        day > 31) {
        return false;
    }
    const struct civil date = {(int32_t)year, (uint8_t)month, (uint8_t)day};
    if (!civil_exists(date)) {
        return false;
    }
    *number = civil_to_day(date);
    return true;
}

bool stamp_of_wall(const struct zone *zone, int32_t day, int32_t ms, struct when *when)
{
    assert(zone && when && ms < STAMP_DAY_MS);
    *when = (struct when){.kind = WHEN_DATE, .day = day};
    if (ms >= 0) {
        const int64_t instant = zone_instant_of(zone, (struct zone_wall){day, ms});
        *when = (struct when){.kind = WHEN_INSTANT, .ms = instant};
        return instant >= WHEN_MS_LEAST && instant <= WHEN_MS_MOST;
    }
    return true;
}

/* `count` digits at the front. */
static bool take_number(struct slice *text, size_t count, unsigned *number)
{
    uint64_t value = 0;
    if (text->len < count || !slice_to_u64((struct slice){text->ptr, count}, 9999, &value)) {
        return false;
    }
    *number = (unsigned)value;
    *text = slice_from(*text, count);
    return true;
}

static bool take_char(struct slice *text, const char *set)
{
    if (text->len == 0 || !ascii_is_in(text->ptr[0], set)) {
        return false;
    }
    *text = slice_from(*text, 1);
    return true;
}

static bool take_day(struct slice *text, int32_t *day)
{
    unsigned part[3] = {0};
    return take_number(text, 4, &part[0]) && take_char(text, "-") &&
           take_number(text, 2, &part[1]) && take_char(text, "-") &&
           take_number(text, 2, &part[2]) && stamp_day(part[0], part[1], part[2], day);
}

/* Hours and minutes, and seconds with a fraction if they are there. */
static bool take_time(struct slice *text, int32_t *ms)
{
    unsigned hour = 0;
    unsigned minute = 0;
    unsigned second = 0;
    int32_t fraction = 0;

    if (!take_number(text, 2, &hour) || !take_char(text, ":") || !take_number(text, 2, &minute)) {
        return false;
    }
    if (take_char(text, ":")) {
        if (!take_number(text, 2, &second)) {
            return false;
        }
        if (take_char(text, ".")) {
            int32_t unit = 100;
            while (text->len > 0 && ascii_is_digit(text->ptr[0])) {
                fraction += (text->ptr[0] - '0') * unit;
                unit /= 10;
                *text = slice_from(*text, 1);
            }
        }
    }
    *ms = (int32_t)((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return hour < 24 && minute < 60 && second < 60;
}

/* False: what is left is no offset. `*minutes`: ahead of UTC. */
static bool take_offset(struct slice *text, bool *there, int32_t *minutes)
{
    unsigned hour = 0;
    unsigned minute = 0;

    *minutes = 0;
    *there = text->len > 0;
    if (!*there || take_char(text, "Zz")) {
        return text->len == 0;
    }
    const bool west = text->ptr[0] == '-';
    if (!take_char(text, "+-") || !take_number(text, 2, &hour)) {
        return false;
    }
    (void)take_char(text, ":");
    if (!take_number(text, 2, &minute) || hour > 23 || minute > 59) {
        return false;
    }
    *minutes = (int32_t)(hour * 60 + minute) * (west ? -1 : 1);
    return text->len == 0;
}

struct stamp {
    int32_t day;
    int32_t ms; /* -1: no time */
    bool has_offset;
    int32_t minutes;
};

static bool read_parts(struct slice text, struct stamp *stamp)
{
    *stamp = (struct stamp){.ms = -1};
    text = slice_strip(text);
    if (!take_day(&text, &stamp->day)) {
        return false;
    }
    return text.len == 0 || (take_char(&text, "Tt ") && take_time(&text, &stamp->ms) &&
                             take_offset(&text, &stamp->has_offset, &stamp->minutes));
}

bool stamp_read_wall(struct slice text, int32_t *day, int32_t *ms)
{
    assert(day && ms);
    struct stamp stamp;
    if (!read_parts(text, &stamp)) {
        return false;
    }
    *day = stamp.day;
    *ms = stamp.ms;
    return true;
}

bool stamp_read(struct slice text, const struct zone *zone, struct when *when)
{
    assert(zone && when);
    struct stamp stamp;
    if (!read_parts(text, &stamp)) {
        return false;
    }
    if (!stamp.has_offset) {
        return stamp_of_wall(zone, stamp.day, stamp.ms, when);
    }
    const int64_t ms =
        stamp.day * (int64_t)STAMP_DAY_MS + stamp.ms - stamp.minutes * INT64_C(60000);
    *when = (struct when){.kind = WHEN_INSTANT, .ms = ms};
    return ms >= WHEN_MS_LEAST && ms <= WHEN_MS_MOST;
}
