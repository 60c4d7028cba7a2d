// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define MOMENT_LEN   19 /* of `2026-11-22T15:04:05` */
#define MS_A_DAY     INT64_C(86400000)
#define DAYS_400     146097
#define DAYS_TO_1970 719468 /* from 0000-03-01 to 1970-01-01 */

/* 0000-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z. */
#define MS_LEAST INT64_C(-62167219200000)
#define MS_MOST  INT64_C(253402300799999)

static int64_t read_ms(clockid_t clock)
{
    struct timespec now = {0};

    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
    static _Atomic int64_t highest;
    int64_t ms = read_ms(CLOCK_REALTIME);
    int64_t seen = atomic_load_explicit(&highest, memory_order_relaxed);

    if (seen - ms > CLOCK_STEP_MS) {
        /* Set back, or this thread was held up since it read. */
        ms = read_ms(CLOCK_REALTIME);
    }
    while (ms > seen || seen - ms > CLOCK_STEP_MS) {
        if (atomic_compare_exchange_weak_explicit(&highest, &seen, ms, memory_order_relaxed,
                                                  memory_order_relaxed)) {
            return ms;
        }
    }
    return seen;
}

/* What is added to the clock that runs on; STEADY_NONE before the first call. It follows small
 * differences, of the machine's clock or, once there is one, of the database's. */
#define STEADY_NONE INT64_MIN
static _Atomic int64_t steady_offset = STEADY_NONE;
static atomic_bool steady_is_told;

static int64_t follow(int64_t reference_ms, int64_t running_ms)
{
    int64_t offset = atomic_load(&steady_offset);
    const int64_t wanted = reference_ms - running_ms;

    if (offset == STEADY_NONE || llabs(wanted - offset) <= CLOCK_STEP_MS) {
        atomic_store(&steady_offset, wanted);
        offset = wanted;
    }
    return running_ms + offset;
}

int64_t clock_steady_ms(void)
{
    /* It counts while the machine sleeps, too. */
    const int64_t running_ms = read_ms(CLOCK_BOOTTIME);

    return atomic_load(&steady_is_told) ? running_ms + atomic_load(&steady_offset)
                                        : follow(clock_wall_ms(), running_ms);
}

void clock_steady_tell(int64_t reference_ms, int64_t age_most_ms)
{
    assert(age_most_ms >= 0);
    const int64_t running_ms = read_ms(CLOCK_BOOTTIME);
    const int64_t wall_ms = clock_wall_ms();
    const int64_t latest_ms = reference_ms + age_most_ms;
    const int64_t now_ms = wall_ms < reference_ms ? reference_ms
                           : wall_ms > latest_ms  ? latest_ms
                                                  : wall_ms;

    if (!atomic_load(&steady_is_told)) {
        atomic_store(&steady_offset, now_ms - running_ms);
        atomic_store(&steady_is_told, true);
    } else {
        (void)follow(now_ms, running_ms);
    }
}

int64_t clock_mono_us(void)
{
    struct timespec now = {0};

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_mono_ms(void)
{
    return clock_mono_us() / 1000;
}

/* A moment taken apart, in UTC. */
struct civil {
    unsigned year;
    unsigned month;   /* 1 to 12 */
    unsigned day;     /* 1 to 31 */
    unsigned weekday; /* 0 is Sunday */
    unsigned ms;      /* of the day */
};

/* The proleptic Gregorian calendar without loops: counted in years that begin on 1 March, the leap
 * day is the last of its year and the months' lengths follow one straight line, (153 m + 2) / 5. */
static struct civil civil_from_ms(int64_t ms)
{
    const int64_t bounded = ms < MS_LEAST ? MS_LEAST : ms > MS_MOST ? MS_MOST : ms;
    /* Two eras of 400 years are added, so that all that follows is positive. */
    const uint64_t shifted =
        (uint64_t)(bounded + (DAYS_TO_1970 + 2 * (int64_t)DAYS_400) * MS_A_DAY);
    const unsigned days = (unsigned)(shifted / (uint64_t)MS_A_DAY);
    const unsigned era = days / DAYS_400;
    const unsigned day_of_era = days % DAYS_400;
    const unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned month_of_year = (5 * day_of_year + 2) / 153; /* 0 is March */
    const bool next_year = month_of_year >= 10;

    return (struct civil){
        .year = era * 400 + year_of_era + (next_year ? 1 : 0) - 800,
        .month = next_year ? month_of_year - 9 : month_of_year + 3,
        .day = day_of_year - (153 * month_of_year + 2) / 5 + 1,
        .weekday = (days + 3) % 7,
        .ms = (unsigned)(shifted % (uint64_t)MS_A_DAY),
    };
}

static int64_t days_from_civil(unsigned year, unsigned month, unsigned day)
{
    const unsigned shifted = year + 400 - (month <= 2 ? 1 : 0); /* one era more: stays positive */
    const unsigned year_of_era = shifted % 400;
    const unsigned month_of_year = month <= 2 ? month + 9 : month - 3;
    const unsigned day_of_year = (153 * month_of_year + 2) / 5 + day - 1;
    const unsigned day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return ((int64_t)(shifted / 400) - 1) * DAYS_400 + day_of_era - DAYS_TO_1970;
}

/* Two digits of a number below 100. */
static void put_two(char *at, unsigned value)
{
    static const char digits[] = "00010203040506070809101112131415161718192021222324"
                                 "25262728293031323334353637383940414243444546474849"
                                 "50515253545556575859606162636465666768697071727374"
                                 "75767778798081828384858687888990919293949596979899";
    memcpy(at, digits + (size_t)value * 2, 2);
}

/* `15:04:05` */
static void put_time(char *at, unsigned ms)
{
    const unsigned seconds = ms / 1000;

    put_two(at, seconds / 3600);
    at[2] = ':';
    put_two(at + 3, seconds / 60 % 60);
    at[5] = ':';
    put_two(at + 6, seconds % 60);
}

/* Most times that a thread writes one after the other are of one day, so the last one is kept. */
void clock_format_rfc3339(int64_t ms, char text[static CLOCK_RFC3339_LEN])
{
    static _Thread_local struct {
        int64_t begin; /* ms */
        char text[10];
    } day = {0, "1970-01-01"};
    uint64_t of_day = (uint64_t)ms - (uint64_t)day.begin;

    if (of_day >= (uint64_t)MS_A_DAY) {
        const int64_t bounded = ms < MS_LEAST ? MS_LEAST : ms > MS_MOST ? MS_MOST : ms;
        const struct civil civil = civil_from_ms(bounded);
        day.begin = bounded - (int64_t)civil.ms;
        put_two(day.text, civil.year / 100);
        put_two(day.text + 2, civil.year % 100);
        put_two(day.text + 5, civil.month);
        put_two(day.text + 8, civil.day);
        of_day = civil.ms;
    }
    memcpy(text, day.text, sizeof day.text);
    text[10] = 'T';
    put_time(text + 11, (unsigned)of_day);
    text[19] = '.';
    put_two(text + 20, (unsigned)of_day % 1000 / 10);
    text[22] = (char)('0' + of_day % 10);
    text[23] = 'Z';
}

void clock_add_http_date(struct buffer *out, int64_t ms)
{
    assert(out);
    static const char weekdays[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const struct civil civil = civil_from_ms(ms);
    char *end = buffer_reserve(out, CLOCK_HTTP_DATE_LEN);

    if (!end) {
        return;
    }
    memcpy(end, weekdays + (size_t)civil.weekday * 3, 3);
    memcpy(end + 3, ", ", 2);
    put_two(end + 5, civil.day);
    end[7] = ' ';
    memcpy(end + 8, months + ((size_t)civil.month - 1) * 3, 3);
    end[11] = ' ';
    put_two(end + 12, civil.year / 100);
    put_two(end + 14, civil.year % 100);
    end[16] = ' ';
    put_time(end + 17, civil.ms);
    memcpy(end + 25, " GMT", 4);
    out->len += CLOCK_HTTP_DATE_LEN;
}

/* Whether a text of that length has the form of `pattern`: a digit for each 0, the same letter in
 * either case. Adds the digits between other characters up into `numbers`. */
static bool read_numbers(const char *text, const char *pattern, unsigned *numbers)
{
    for (; *pattern; pattern++, text++) {
        if (*pattern == '0' && ascii_is_digit(*text)) {
            *numbers = *numbers * 10 + (unsigned)(*text - '0');
        } else if (*pattern != '0' && ascii_lower(*text) == *pattern) {
            numbers++;
        } else {
            return false;
        }
    }
    return true;
}

/* `2026-11-22T15:04:05`, without regard to an offset. A second 60 is in range. */
static bool read_moment(const char *text, int64_t *ms, bool *leap)
{
    static const unsigned char lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    unsigned number[6] = {0};

    if (!read_numbers(text, "0000-00-00t00:00:00", number)) {
        return false;
    }
    const unsigned year = number[0];
    const unsigned month = number[1];
    const bool leap_day = month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month < 1 || month > 12 || number[2] < 1 ||
        number[2] > lengths[month - 1] + (leap_day ? 1U : 0U) || number[3] > 23 || number[4] > 59 ||
        number[5] > 60) {
        return false;
    }
    *leap = number[5] == 60;
    *ms = days_from_civil(year, month, number[2]) * MS_A_DAY +
          (int64_t)((number[3] * 60 + number[4]) * 60 + number[5]) * 1000;
    return true;
}

/* `Z`, or what must be subtracted from the local time. */
static bool read_offset(struct slice text, int64_t *ms)
{
    unsigned number[2] = {0};

    if (text.len == 1) {
        *ms = 0;
        return ascii_lower(text.ptr[0]) == 'z';
    }
    if (text.len != 6 || !ascii_is_in(text.ptr[0], "+-") ||
        !read_numbers(text.ptr + 1, "00:00", number) || number[0] > 23 || number[1] > 59) {
        return false;
    }
    *ms = (int64_t)(number[0] * 60 + number[1]) * (text.ptr[0] == '-' ? -60000 : 60000);
    return true;
}

bool clock_parse_rfc3339(struct slice text, int64_t *ms)
{
    assert(ms);
    int64_t moment = 0;
    int64_t fraction = 0;
    int64_t offset = 0;
    bool leap = false;

    if (text.len < MOMENT_LEN || !read_moment(text.ptr, &moment, &leap)) {
        return false;
    }
    text = slice_from(text, MOMENT_LEN);
    if (text.len > 0 && text.ptr[0] == '.') {
        int64_t weight = 100;
        size_t len = 1;
        for (; len < text.len && ascii_is_digit(text.ptr[len]); len++, weight /= 10) {
            fraction += (text.ptr[len] - '0') * weight;
        }
        if (len == 1) {
            return false;
        }
        text = slice_from(text, len);
    }
    if (!read_offset(text, &offset)) {
        return false;
    }
    moment += (leap ? -1 : fraction) - offset;
    /* An offset may lead out of the years that have four digits; a leap second ends a day in UTC.
     */
    if (moment < MS_LEAST || moment > MS_MOST || (leap && (moment + 1) % MS_A_DAY != 0)) {
        return false;
    }
    *ms = moment;
    return true;
}
