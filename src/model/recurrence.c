// SPDX-License-Identifier: MIT
#include "model/recurrence.h"

#include <assert.h>
#include <stdio.h>

#define DAY_MS  86400000
#define WEEK    7
#define ALLOWED "FREQ, INTERVAL, COUNT, UNTIL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS and WKST"

/* ---- parsing ---- */

/* Digits after an optional sign, at most as many as `most` has: "3", "+03", "-3"; never 0. */
static bool read_signed(struct slice text, unsigned most, int *number)
{
    const bool minus = slice_starts(text, SLICE("-"));
    uint64_t value;

    if (minus || slice_starts(text, SLICE("+")))
        text = slice_from(text, 1);
    if (text.len > (most > 99 ? 3 : 2) || !slice_to_u64(text, most, &value) || value == 0)
        return false;
    *number = minus ? -(int)value : (int)value;
    return true;
}

/* 0 is Monday. */
static bool read_weekday(struct slice text, unsigned *weekday)
{
    static const char names[] = "MOTUWETHFRSASU";
    for (*weekday = 0; *weekday < WEEK; ++*weekday) {
        if (slice_eq_nocase(text, (struct slice){names + (size_t)2 * *weekday, 2}))
            return true;
    }
    return false;
}

static bool read_frequency(struct slice value, struct recurrence *rule)
{
    static const char *const names[] = {
        [RECURRENCE_DAILY] = "DAILY",
        [RECURRENCE_WEEKLY] = "WEEKLY",
        [RECURRENCE_MONTHLY] = "MONTHLY",
        [RECURRENCE_YEARLY] = "YEARLY",
    };
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (slice_eq_nocase(value, slice_of(names[i]))) {
            rule->frequency = (enum recurrence_frequency)i;
            return true;
        }
    }
    return false;
}

static bool read_interval(struct slice value, struct recurrence *rule)
{
    uint64_t number;
    if (!slice_to_u64(value, RECURRENCE_INTERVAL_MOST, &number) || number == 0)
        return false;
    rule->interval = (uint16_t)number;
    return true;
}

static bool read_count(struct slice value, struct recurrence *rule)
{
    uint64_t number;
    if (!slice_to_u64(value, RECURRENCE_COUNT_MOST, &number) || number == 0)
        return false;
    rule->count = (uint16_t)number;
    return true;
}

/* `len` digits at `at`, of which none may be absent. */
static bool read_digits(struct slice text, size_t at, size_t len, unsigned most, unsigned *number)
{
    uint64_t value;
    if (text.len < at + len || !slice_to_u64((struct slice){text.ptr + at, len}, most, &value))
        return false;
    *number = (unsigned)value;
    return true;
}

static bool read_until(struct slice value, struct recurrence *rule)
{
    unsigned year, month, day, hour, minute, second;

    if (!read_digits(value, 0, 4, CIVIL_YEAR_MOST, &year) || year < CIVIL_YEAR_LEAST ||
        !read_digits(value, 4, 2, 12, &month) || !read_digits(value, 6, 2, 31, &day))
        return false;
    const struct civil date = {(int32_t)year, (uint8_t)month, (uint8_t)day};
    if (!civil_exists(date))
        return false;
    rule->until_day = civil_to_day(date);
    rule->until_kind = RECURRENCE_UNTIL_DATE;
    if (value.len == 8)
        return true;
    if (value.len != 16 || ascii_lower(value.ptr[8]) != 't' || ascii_lower(value.ptr[15]) != 'z' ||
        !read_digits(value, 9, 2, 23, &hour) || !read_digits(value, 11, 2, 59, &minute) ||
        !read_digits(value, 13, 2, 59, &second))
        return false;
    rule->until_kind = RECURRENCE_UNTIL_INSTANT;
    rule->until_ms =
        rule->until_day * (int64_t)DAY_MS + (hour * 3600 + minute * 60 + second) * INT64_C(1000);
    return true;
}

static bool read_by_day(struct slice value, struct recurrence *rule)
{
    while (value.ptr) {
        const struct slice item = slice_next(&value, ',');
        unsigned weekday;
        int number;
        if (item.len < 2 || !read_weekday(slice_from(item, item.len - 2), &weekday))
            return false;
        if (item.len == 2) {
            rule->weekdays |= (uint8_t)(1u << weekday);
            continue;
        }
        if (!read_signed((struct slice){item.ptr, item.len - 2}, RECURRENCE_ORDINAL_MOST, &number))
            return false;
        rule->numbered_weekdays |= (uint8_t)(1u << weekday);
        if (number > 0)
            rule->ordinals[weekday] |= UINT64_C(1) << (number - 1);
        else
            rule->ordinals_back[weekday] |= UINT64_C(1) << (-number - 1);
    }
    return true;
}

static bool read_by_month_day(struct slice value, struct recurrence *rule)
{
    while (value.ptr) {
        int number;
        if (!read_signed(slice_next(&value, ','), 31, &number))
            return false;
        if (number > 0)
            rule->month_days |= UINT32_C(1) << (number - 1);
        else
            rule->month_days_back |= UINT32_C(1) << (31 + number);
    }
    return true;
}

static bool read_by_month(struct slice value, struct recurrence *rule)
{
    while (value.ptr) {
        const struct slice item = slice_next(&value, ',');
        uint64_t number;
        if (item.len > 2 || !slice_to_u64(item, 12, &number) || number == 0)
            return false;
        rule->months |= (uint16_t)(1u << number);
    }
    return true;
}

static bool read_by_position(struct slice value, struct recurrence *rule)
{
    rule->positioned = true;
    while (value.ptr) {
        int number;
        if (!read_signed(slice_next(&value, ','), RECURRENCE_POSITION_MOST, &number))
            return false;
        uint64_t *set = number > 0 ? rule->positions : rule->positions_back;
        const unsigned bit = (unsigned)(number > 0 ? number : -number) - 1;
        set[bit / 64] |= UINT64_C(1) << bit % 64;
    }
    return true;
}

static bool read_week_start(struct slice value, struct recurrence *rule)
{
    unsigned weekday;
    if (!read_weekday(value, &weekday))
        return false;
    rule->week_start = (uint8_t)weekday;
    return true;
}

static const struct part {
    const char *name;
    bool (*read)(struct slice value, struct recurrence *rule);
    const char *allowed;
} parts[] = {
    {"FREQ", read_frequency, "DAILY, WEEKLY, MONTHLY or YEARLY"},
    {"INTERVAL", read_interval, "a number from 1 to 1000"},
    {"COUNT", read_count, "a number from 1 to 10000"},
    {"UNTIL", read_until,
     "a date such as 20261231, or an instant in UTC such as 20261231T170000Z, in the years 1970 to "
     "2999"},
    {"BYDAY", read_by_day,
     "a list of MO, TU, WE, TH, FR, SA and SU, each alone or after a number from 1 to 53 or from "
     "-53 to -1, such as MO,-1FR"},
    {"BYMONTHDAY", read_by_month_day,
     "a list of numbers from 1 to 31 or from -31 to -1, such as 1,15,-1"},
    {"BYMONTH", read_by_month, "a list of numbers from 1 to 12, such as 3,6,9,12"},
    {"BYSETPOS", read_by_position,
     "a list of numbers from 1 to 366 or from -366 to -1, such as 1,-1"},
    {"WKST", read_week_start, "MO, TU, WE, TH, FR, SA or SU"},
};

#define PART_COUNT (sizeof parts / sizeof parts[0])

/* A name is repeated only where it is one: the text may hold anything. */
static bool is_shown(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.ptr[i]) && name.ptr[i] != '-')
            return false;
    }
    return name.len > 0 && name.len <= 40;
}

/* Reads one part of a rule; `order` is its place, from 1. `*seen` has a bit for each row of
 * `parts`. */
static bool read_part(struct slice text, unsigned order, unsigned *seen, struct recurrence *rule,
                      char problem[static RECURRENCE_PROBLEM_ROOM])
{
    struct slice value = text;
    const struct slice name = slice_next(&value, '=');
    char place[16] = "";
    size_t i = 0;

    (void)snprintf(place, sizeof place, "Part %u", order);
    const struct slice shown = is_shown(name) ? name : slice_of(place);
    if (!value.ptr) {
        (void)snprintf(problem, RECURRENCE_PROBLEM_ROOM,
                       "%.*s must be NAME=VALUE, with one semicolon between two parts and none at "
                       "the end.",
                       (int)shown.len, shown.ptr);
        return false;
    }
    while (i < PART_COUNT && !slice_eq_nocase(name, slice_of(parts[i].name)))
        i++;
    if (i == PART_COUNT) {
        (void)snprintf(problem, RECURRENCE_PROBLEM_ROOM, "%.*s is not supported. Allowed are %s.",
                       (int)shown.len, shown.ptr, ALLOWED);
        return false;
    }
    if (*seen & 1u << i) {
        (void)snprintf(problem, RECURRENCE_PROBLEM_ROOM, "%s must be there only once.",
                       parts[i].name);
        return false;
    }
    *seen |= 1u << i;
    if (!parts[i].read(value, rule)) {
        (void)snprintf(problem, RECURRENCE_PROBLEM_ROOM, "%s must be %s.", parts[i].name,
                       parts[i].allowed);
        return false;
    }
    return true;
}

/* What two parts together, or a part and the task, do not allow; NULL: nothing. */
static const char *find_conflict(const struct recurrence *rule, bool timed)
{
    const bool long_frequency =
        rule->frequency == RECURRENCE_MONTHLY || rule->frequency == RECURRENCE_YEARLY;
    const bool by_month_day = rule->month_days != 0 || rule->month_days_back != 0;

    if (rule->count != 0 && rule->until_kind != RECURRENCE_UNTIL_NONE)
        return "COUNT must not stand beside UNTIL: one of them ends the series.";
    if (rule->until_kind == RECURRENCE_UNTIL_INSTANT && !timed)
        return "UNTIL must be a date such as 20261231, because `due` is a date.";
    if (rule->numbered_weekdays != 0 && !long_frequency)
        return "BYDAY must have no numbers unless FREQ is MONTHLY or YEARLY.";
    if (rule->numbered_weekdays != 0 && by_month_day)
        return "BYDAY must have no numbers beside BYMONTHDAY.";
    if (by_month_day && rule->frequency == RECURRENCE_WEEKLY)
        return "BYMONTHDAY must not stand beside FREQ=WEEKLY: use DAILY, MONTHLY or YEARLY.";
    if (rule->positioned && !by_month_day && rule->months == 0 && rule->weekdays == 0 &&
        rule->numbered_weekdays == 0)
        return "BYSETPOS must stand beside BYDAY, BYMONTHDAY or BYMONTH.";
    return NULL;
}

bool recurrence_parse(struct slice text, bool timed, struct recurrence *rule,
                      char problem[static RECURRENCE_PROBLEM_ROOM])
{
    static const struct slice property = {"RRULE:", 6};
    unsigned seen = 0;
    const char *wrong = NULL;

    assert(rule && problem && (text.ptr || text.len == 0));
    memset(rule, 0, sizeof *rule);
    rule->interval = 1;
    if (text.len == 0) {
        wrong = "FREQ must be there: DAILY, WEEKLY, MONTHLY or YEARLY.";
    } else if (text.len > RECURRENCE_MOST) {
        wrong = "A rule must have at most 512 bytes.";
    } else if (text.len >= property.len &&
               slice_eq_nocase((struct slice){text.ptr, property.len}, property)) {
        wrong = "RRULE: must be left out; a rule begins with its first part, as in FREQ=DAILY.";
    }
    for (unsigned order = 1; !wrong && text.ptr; order++) {
        if (!read_part(slice_next(&text, ';'), order, &seen, rule, problem))
            return false;
    }
    if (!wrong && !(seen & 1))
        wrong = "FREQ must be there: DAILY, WEEKLY, MONTHLY or YEARLY.";
    if (!wrong)
        wrong = find_conflict(rule, timed);
    if (wrong)
        (void)snprintf(problem, RECURRENCE_PROBLEM_ROOM, "%s", wrong);
    return !wrong;
}

/* ---- the end of a series ---- */

bool recurrence_has_ended(const struct recurrence *rule, uint32_t taken, int32_t day, int64_t ms)
{
    assert(rule && taken > 0);
    if (rule->count != 0 && taken >= rule->count)
        return true;
    switch (rule->until_kind) {
    case RECURRENCE_UNTIL_DATE: return day > rule->until_day;
    case RECURRENCE_UNTIL_INSTANT: return ms > rule->until_ms;
    case RECURRENCE_UNTIL_NONE: break;
    }
    return false;
}

struct slice recurrence_count_down(struct slice text, char room[static RECURRENCE_MOST])
{
    struct slice rest = text;
    uint64_t count = 0;
    char number[SLICE_DECIMAL_MOST];

    assert(text.ptr && text.len <= RECURRENCE_MOST);
    while (rest.ptr) {
        struct slice value = slice_next(&rest, ';');
        if (!slice_eq_nocase(slice_next(&value, '='), SLICE("COUNT")))
            continue;
        const bool is_number = slice_to_u64(value, RECURRENCE_COUNT_MOST, &count);
        assert(is_number && count > 1);
        const struct slice less = slice_decimal_u64(count - 1, number);
        const size_t before = (size_t)(value.ptr - text.ptr);
        const size_t after = text.len - before - value.len;
        memcpy(room, text.ptr, before);
        memcpy(room + before, less.ptr, less.len);
        memcpy(room + before + less.len, value.ptr + value.len, after);
        return (struct slice){room, before + less.len + after};
    }
    return text;
}

/* ---- the days of a rule ---- */

/* The days of one interval of a rule; of DAILY, those of one month. Bit 0 is the day `first`. */
struct day_set {
    int32_t first;
    unsigned words; /* of `bits` that are in use */
    uint64_t bits[RECURRENCE_SET_WORDS];
};

/* A rule with what it takes from its DTSTART. */
struct walk {
    const struct recurrence *rule;
    int32_t start;
    struct civil date; /* of `start` */
    uint16_t months;   /* bit 1 is January */
};

/* `days` (31 bits) from the bit `offset` on. */
static void add_days(struct day_set *set, unsigned offset, uint32_t days)
{
    const unsigned shift = offset % 64;
    set->bits[offset / 64] |= (uint64_t)days << shift;
    if (shift > 32 && offset / 64 + 1 < set->words)
        set->bits[offset / 64 + 1] |= (uint64_t)days >> (64 - shift);
}

/* The numbered weekdays of a month or a year of `length` days from the bit `offset` on. A number
 * that is above the last one never comes. */
static void add_numbered(struct day_set *set, unsigned offset, unsigned length,
                         const struct recurrence *rule)
{
    const unsigned first = civil_weekday(set->first + (int32_t)offset);
    for (unsigned weekday = 0; weekday < WEEK; weekday++) {
        if (!(rule->numbered_weekdays & 1u << weekday))
            continue;
        const unsigned at = (weekday + WEEK - first) % WEEK;
        const unsigned count = (length - at + WEEK - 1) / WEEK;
        for (unsigned i = 0; i < count; i++) {
            if ((rule->ordinals[weekday] >> i | rule->ordinals_back[weekday] >> (count - 1 - i)) &
                1)
                add_days(set, offset + at + i * WEEK, 1);
        }
    }
}

/* Bit 0 is a month's first day, on the weekday `first`. */
static uint32_t repeat_weekdays(unsigned weekdays, unsigned first)
{
    const uint64_t week = (weekdays >> first | weekdays << (WEEK - first)) & 0x7f;
    return (uint32_t)(week | week << 7 | week << 14 | week << 21 | week << 28);
}

/* The days of a month that the parts about days leave, or DTSTART's where there is none. */
static void add_month(struct day_set *set, const struct walk *walk, int32_t year, unsigned month)
{
    const struct recurrence *rule = walk->rule;
    const int32_t first = civil_to_day((struct civil){year, (uint8_t)month, 1});
    const unsigned length = civil_days_of_month(year, month);
    const unsigned offset = (unsigned)(first - set->first);
    const uint32_t whole = UINT32_MAX >> (32 - length);
    uint32_t days;

    if (!(walk->months & 1u << month))
        return;
    const uint32_t weekdays = repeat_weekdays(rule->weekdays, civil_weekday(first));
    if (rule->month_days != 0 || rule->month_days_back != 0) {
        days = rule->month_days | rule->month_days_back >> (31 - length);
        if (rule->weekdays != 0)
            days &= weekdays;
    } else if (rule->weekdays != 0 || rule->numbered_weekdays != 0) {
        days = weekdays;
        if (rule->frequency == RECURRENCE_MONTHLY || rule->months != 0)
            add_numbered(set, offset, length, rule);
    } else {
        days = rule->frequency == RECURRENCE_DAILY ? whole : 1u << (walk->date.day - 1);
    }
    add_days(set, offset, days & whole);
}

/* Only each INTERVAL-th day of a month, from DTSTART on. */
static void keep_interval(struct day_set *set, const struct walk *walk)
{
    const int32_t interval = walk->rule->interval;
    const int32_t past = (walk->start - set->first) % interval;
    uint64_t kept = 0;
    for (int32_t i = past < 0 ? past + interval : past; i < 31; i += interval)
        kept |= UINT64_C(1) << i;
    set->bits[0] &= kept;
}

static void add_week(struct day_set *set, const struct walk *walk)
{
    const struct recurrence *rule = walk->rule;
    const unsigned weekdays = rule->weekdays ? rule->weekdays : 1u << civil_weekday(walk->start);
    const struct civil first = civil_of_day(set->first);
    const unsigned in_first = civil_days_of_month(first.year, first.month) - first.day + 1u;
    const uint32_t days = repeat_weekdays(weekdays, rule->week_start) & 0x7f;
    const uint32_t of_first = in_first < WEEK ? (1u << in_first) - 1 : 0x7f;

    if (walk->months & 1u << first.month)
        add_days(set, 0, days & of_first);
    if (walk->months & 1u << (first.month % 12 + 1))
        add_days(set, 0, days & ~of_first);
}

/* Has one of the first `total` bits? */
static bool has_bit_below(const uint64_t *bits, unsigned total)
{
    for (unsigned i = 0; i < total / 64; i++) {
        if (bits[i] != 0)
            return true;
    }
    return total % 64 != 0 && bits[total / 64] << (64 - total % 64) != 0;
}

/* Only the days whose place in the set is one of BYSETPOS. */
static void keep_positions(struct day_set *set, const struct recurrence *rule)
{
    unsigned total = 0;
    unsigned at = 0;
    for (unsigned i = 0; i < set->words; i++)
        total += (unsigned)__builtin_popcountll(set->bits[i]);
    /* A rule that no interval has enough days for would look at each day of 400 years. */
    if (!has_bit_below(rule->positions, total) && !has_bit_below(rule->positions_back, total)) {
        memset(set->bits, 0, sizeof set->bits);
        return;
    }
    for (unsigned i = 0; i < set->words; i++) {
        uint64_t kept = 0;
        for (uint64_t rest = set->bits[i]; rest != 0; rest &= rest - 1, at++) {
            const unsigned back = total - 1 - at;
            if ((rule->positions[at / 64] >> at % 64 |
                 rule->positions_back[back / 64] >> back % 64) &
                1)
                kept |= rest & -rest;
        }
        set->bits[i] = kept;
    }
}

/* Days from the last first day of a week that is before 1970 to 1970-01-01. */
static int32_t week_shift(const struct recurrence *rule)
{
    return (int32_t)((civil_weekday(0) + WEEK - 1 - rule->week_start) % WEEK + 1);
}

/* Intervals are counted in units: weeks or months since 1970, or years. */
static int32_t unit_of_day(const struct recurrence *rule, int32_t day)
{
    if (rule->frequency == RECURRENCE_WEEKLY)
        return (day + week_shift(rule)) / WEEK;
    const struct civil date = civil_of_day(day);
    return rule->frequency == RECURRENCE_YEARLY ? date.year : date.year * 12 + date.month - 1;
}

static void fill_interval(struct day_set *set, const struct walk *walk, int32_t unit)
{
    const struct recurrence *rule = walk->rule;

    *set =
        (struct day_set){.words = rule->frequency == RECURRENCE_YEARLY ? RECURRENCE_SET_WORDS : 1};
    switch (rule->frequency) {
    case RECURRENCE_WEEKLY:
        set->first = unit * WEEK - week_shift(rule);
        add_week(set, walk);
        break;
    case RECURRENCE_DAILY:
    case RECURRENCE_MONTHLY: {
        const unsigned month = (unsigned)(unit % 12 + 1);
        set->first = civil_to_day((struct civil){unit / 12, (uint8_t)month, 1});
        add_month(set, walk, unit / 12, month);
        break;
    }
    case RECURRENCE_YEARLY:
        set->first = civil_to_day((struct civil){unit, 1, 1});
        for (unsigned month = 1; month <= 12; month++)
            add_month(set, walk, unit, month);
        if (rule->months == 0)
            add_numbered(set, 0, civil_is_leap(unit) ? 366 : 365, rule);
        break;
    }
    /* The interval of DAILY is a day: it has the first place, which is the last one too, or none.
     */
    if (rule->frequency == RECURRENCE_DAILY) {
        keep_interval(set, walk);
        if (rule->positioned && !((rule->positions[0] | rule->positions_back[0]) & 1))
            set->bits[0] = 0;
    } else if (rule->positioned) {
        keep_positions(set, rule);
    }
}

/* The first day of the set that is not before `from`. */
static bool find_day(const struct day_set *set, int32_t from, int32_t *day)
{
    const unsigned skipped = from > set->first ? (unsigned)(from - set->first) : 0;
    for (unsigned i = skipped / 64; i < set->words; i++) {
        uint64_t bits = set->bits[i];
        if (i == skipped / 64)
            bits &= UINT64_MAX << skipped % 64;
        if (bits != 0) {
            *day = set->first + (int32_t)(i * 64) + __builtin_ctzll(bits);
            return true;
        }
    }
    return false;
}

bool recurrence_next(const struct recurrence *rule, int32_t start, int32_t after, int32_t *next)
{
    const int32_t last_of_all = civil_to_day((struct civil){CIVIL_YEAR_MOST, 12, 31});

    assert(rule && rule->interval > 0 && next && start >= RECURRENCE_START_LEAST &&
           start <= last_of_all);
    const bool by_day = rule->weekdays != 0 || rule->numbered_weekdays != 0 ||
                        rule->month_days != 0 || rule->month_days_back != 0;
    struct walk walk = {rule, start, civil_of_day(start), rule->months};
    struct day_set set;

    if (after >= last_of_all)
        return false;
    /* `FREQ=YEARLY` alone is DTSTART's day of DTSTART's month. */
    if (walk.months == 0)
        walk.months = rule->frequency == RECURRENCE_YEARLY && !by_day
                          ? (uint16_t)(1u << walk.date.month)
                          : UINT16_MAX;
    const int32_t from = after < start ? start : after + 1;
    const int32_t last =
        last_of_all - from < RECURRENCE_DAYS_MOST ? last_of_all : from - 1 + RECURRENCE_DAYS_MOST;
    const int32_t step = rule->frequency == RECURRENCE_DAILY ? 1 : rule->interval;
    const int32_t first_unit = unit_of_day(rule, start);
    const int32_t ahead = unit_of_day(rule, from) - first_unit;
    int32_t unit = first_unit + (ahead + step - 1) / step * step;
    for (;; unit += step) {
        fill_interval(&set, &walk, unit);
        if (set.first > last)
            return false;
        if (find_day(&set, from, next)) {
            assert(*next >= start && *next > after);
            return *next <= last;
        }
    }
}
