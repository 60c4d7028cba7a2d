// SPDX-License-Identifier: MIT
#include "cli/from/spoken.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define TEXT_MOST  200
#define WORDS_MOST 40
#define LIST_MOST  16
#define HALF_YEAR  183 /* days */

struct words {
    struct slice list[WORDS_MOST];
    size_t count;
    size_t at;
    int32_t today;
    bool yearless; /* the latest date had no year */
    struct spoken *said;
};

/* ---- words ---- */

/* In lower case; a comma is `and`. */
static bool split(struct slice text, char room[static TEXT_MOST], struct words *words)
{
    if (text.len == 0 || text.len > TEXT_MOST) {
        return false;
    }
    struct slice rest = slice_lower(text, room);
    while (rest.len > 0) {
        size_t len = 0;
        if (words->count == WORDS_MOST) {
            return false;
        }
        if (rest.ptr[0] == ' ' || rest.ptr[0] == '\t') {
            rest = slice_from(rest, 1);
            continue;
        }
        if (rest.ptr[0] == ',') {
            words->list[words->count++] = SLICE("and");
            rest = slice_from(rest, 1);
            continue;
        }
        while (len < rest.len && !ascii_is_in(rest.ptr[len], " \t,")) {
            len++;
        }
        words->list[words->count++] = (struct slice){rest.ptr, len};
        rest = slice_from(rest, len);
    }
    return words->count > 0;
}

static struct slice peek(const struct words *words)
{
    return words->at < words->count ? words->list[words->at] : (struct slice){0};
}

/* One of several words, which blanks separate. */
static bool take(struct words *words, const char *any)
{
    const struct slice word = peek(words);
    struct slice rest = slice_of(any);
    while (word.len > 0 && rest.ptr) {
        if (slice_eq(word, slice_next(&rest, ' '))) {
            words->at++;
            return true;
        }
    }
    return false;
}

/* The number of the word, or of its start, in a row of names of three letters; 0: none. The names
 * may be written out or cut, as `tues` is. */
static unsigned take_name(struct words *words, const char *const *names, unsigned count)
{
    const struct slice word = peek(words);
    for (unsigned i = 0; i < count && word.len >= 3; i++) {
        if (slice_starts(slice_of(names[i]), word) ||
            (slice_ends(word, SLICE("s")) &&
             slice_eq((struct slice){word.ptr, word.len - 1}, slice_of(names[i])))) {
            words->at++;
            return i + 1;
        }
    }
    return 0;
}

static unsigned take_weekday(struct words *words)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    return take_name(words, names, 7);
}

static unsigned take_month(struct words *words)
{
    static const char *const names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
    return take_name(words, names, 12);
}

/* `3` or `3rd`, from 1; 0: neither. */
static unsigned take_number(struct words *words, bool *ordinal)
{
    static const char *const endings[] = {"st", "nd", "rd", "th"};
    struct slice word = peek(words);
    uint64_t number = 0;

    *ordinal = false;
    for (size_t i = 0; i < 4; i++) {
        if (word.len > 2 && slice_ends(word, slice_of(endings[i]))) {
            word.len -= 2;
            *ordinal = true;
            break;
        }
    }
    if (!slice_to_u64(word, 9999, &number) || number == 0) {
        return 0;
    }
    words->at++;
    return (unsigned)number;
}

/* ---- times and dates ---- */

/* `9am`, `9:30pm`, `14:30`; a bare `9` where `bare`; `am` may be a word of its own. */
static bool take_time(struct words *words, bool bare)
{
    struct slice word = peek(words);
    const size_t began = words->at;
    uint64_t hour = 0;
    uint64_t minute = 0;
    int half = 0;

    words->at++;
    if (slice_ends(word, SLICE("am"))) {
        half = 1;
        word.len -= 2;
    } else if (slice_ends(word, SLICE("pm"))) {
        half = 2;
        word.len -= 2;
    } else if (take(words, "am")) {
        half = 1;
    } else if (take(words, "pm")) {
        half = 2;
    }
    struct slice rest = word;
    const struct slice hours = slice_next(&rest, ':');
    const bool has_minutes = rest.ptr != NULL;
    if (!slice_to_u64(hours, 23, &hour) || hours.len > 2 ||
        (has_minutes && (rest.len != 2 || !slice_to_u64(rest, 59, &minute))) ||
        (!has_minutes && half == 0 && !bare) || (half > 0 && (hour < 1 || hour > 12))) {
        words->at = began;
        return false;
    }
    if (half > 0) {
        hour = hour % 12 + (half == 2 ? 12 : 0);
    }
    words->said->ms = (int32_t)(hour * 60 + minute) * 60000;
    return true;
}

/* A day and a month, with the year that is meant: the next one from today on if none stands there.
 */
static bool take_year(struct words *words, unsigned month, unsigned day, int32_t *number)
{
    const struct slice word = peek(words);
    uint64_t year = 0;
    words->yearless = false;
    if (word.len == 4 && slice_to_u64(word, CIVIL_YEAR_MOST, &year)) {
        words->at++;
        return stamp_day((int64_t)year, month, day, number);
    }
    words->yearless = true;
    const int32_t this_year = civil_of_day(words->today).year;
    for (int32_t ahead = 0; ahead <= 8; ahead++) { /* a 29th of February may be that far */
        if (stamp_day(this_year + ahead, month, day, number) && *number >= words->today) {
            return true;
        }
    }
    return false;
}

/* `2026-12-01`, `1 dec 2026`, `dec 1st`, `today`, `tomorrow`. An ISO date may carry its time. */
static bool take_date(struct words *words, int32_t *day)
{
    const size_t began = words->at;
    bool ordinal = false;
    int32_t ms = -1;

    (void)take(words, "on");
    if (take(words, "today")) {
        *day = words->today;
        return true;
    }
    if (take(words, "tomorrow tom")) {
        *day = words->today + 1;
        return true;
    }
    if (stamp_read_wall(peek(words), day, &ms)) {
        words->at++;
        words->said->ms = ms >= 0 ? ms : words->said->ms;
        return true;
    }
    unsigned month = take_month(words);
    unsigned number = take_number(words, &ordinal);
    if (month == 0) {
        (void)take(words, "of");
        month = take_month(words);
    }
    if (month > 0 && number > 0 && take_year(words, month, number, day)) {
        return true;
    }
    words->at = began;
    return false;
}

/* ---- rules ---- */

static bool add(struct words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool add(struct words *words, const char *format, ...)
{
    struct spoken *said = words->said;
    const size_t room = sizeof said->rule - said->rule_len;
    va_list arguments;
    va_start(arguments, format);
    const int len = vsnprintf(said->rule + said->rule_len, room, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= room) {
        return false;
    }
    said->rule_len += (size_t)len;
    return true;
}

static const char *weekday_code(unsigned weekday)
{
    static const char codes[7][3] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    assert(weekday >= 1 && weekday <= 7);
    return codes[weekday - 1];
}

static bool add_begin(struct words *words, const char *frequency, unsigned interval)
{
    return add(words, "FREQ=%s", frequency) &&
           (interval == 1 || add(words, ";INTERVAL=%u", interval));
}

#define WORKDAYS "MO,TU,WE,TH,FR"

/* `mon, wed and fri`; the first one is taken already. */
static bool add_weekdays(struct words *words, unsigned weekday)
{
    if (!add(words, ";BYDAY=%s", weekday_code(weekday))) {
        return false;
    }
    for (size_t began = words->at; take(words, "and"); began = words->at) {
        (void)take(words, "and"); /* `, and` */
        (void)take(words, "every");
        weekday = take_weekday(words);
        if (weekday == 0) {
            words->at = began;
            return true;
        }
        if (!add(words, ",%s", weekday_code(weekday))) {
            return false;
        }
    }
    return true;
}

/* After `every` and its number: `days`, `week on mon, fri`, `other` forms among them. */
static bool add_unit(struct words *words, unsigned interval)
{
    if (take(words, "day days")) {
        return add_begin(words, "DAILY", interval);
    }
    if (take(words, "week weeks")) {
        if (!add_begin(words, "WEEKLY", interval)) {
            return false;
        }
        const size_t began = words->at;
        if (take(words, "on")) {
            const unsigned weekday = take_weekday(words);
            if (weekday > 0) {
                return add_weekdays(words, weekday);
            }
            words->at = began;
        }
        return true;
    }
    if (take(words, "month months")) {
        words->said->same_day = true;
        return add_begin(words, "MONTHLY", interval);
    }
    if (take(words, "quarter quarters")) {
        words->said->same_day = true;
        return interval <= 100 && add_begin(words, "MONTHLY", 3 * interval);
    }
    if (take(words, "year years")) {
        words->said->same_day = true;
        return add_begin(words, "YEARLY", interval);
    }
    return false;
}

/* `weekend`, `workday`, `mon, wed`, every `interval` weeks; a time of the day. */
static bool add_days(struct words *words, unsigned interval)
{
    static const struct {
        const char *word;
        int32_t hour;
    } times[] = {{"morning", 9}, {"afternoon", 12}, {"evening", 19}, {"night", 22}};

    if (take(words, "weekend weekends")) {
        return add_begin(words, "WEEKLY", interval) && add(words, ";BYDAY=SA");
    }
    if (interval == 1 && take(words, "weekday weekdays workday workdays")) {
        return add(words, "FREQ=WEEKLY;BYDAY=" WORKDAYS);
    }
    for (size_t i = 0; i < 4; i++) {
        if (take(words, times[i].word)) {
            words->said->ms = times[i].hour * 3600000;
            return add_begin(words, "DAILY", interval);
        }
    }
    const unsigned weekday = take_weekday(words);
    return weekday > 0 && add_begin(words, "WEEKLY", interval) && add_weekdays(words, weekday);
}

/* `last day`, `last fri`, `last workday`. */
static bool add_last(struct words *words)
{
    if (take(words, "day")) {
        return add(words, "FREQ=MONTHLY;BYMONTHDAY=-1");
    }
    if (take(words, "workday weekday")) {
        return add(words, "FREQ=MONTHLY;BYDAY=" WORKDAYS ";BYSETPOS=-1");
    }
    const unsigned weekday = take_weekday(words);
    return weekday > 0 && add(words, "FREQ=MONTHLY;BYDAY=-1%s", weekday_code(weekday));
}

/* Of a month: `3rd friday`, `2nd and 4th mon`, `15th workday`, `1st, 15th`, `27`. */
static bool add_numbers(struct words *words, const unsigned *numbers, size_t count, bool ordinal)
{
    const size_t began = words->at;
    const bool workdays = ordinal && take(words, "workday weekday");
    const unsigned weekday = ordinal && !workdays ? take_weekday(words) : 0;
    const char *part = workdays      ? "FREQ=MONTHLY;BYDAY=" WORKDAYS ";BYSETPOS="
                       : weekday > 0 ? "FREQ=MONTHLY;BYDAY="
                                     : "FREQ=MONTHLY;BYMONTHDAY=";
    const unsigned most = workdays ? 23 : weekday > 0 ? 5 : 31;

    if (!workdays && weekday == 0) {
        words->at = began;
        if (take(words, "day")) {
            return false; /* `3rd day`: of what? */
        }
    }
    if (!add(words, "%s", part)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] > most || !add(words, "%s%u%s", i > 0 ? "," : "", numbers[i],
                                      weekday > 0 ? weekday_code(weekday) : "")) {
            return false;
        }
    }
    if (workdays && take(words, "and")) { /* `15th workday, last workday` */
        (void)take(words, "and");
        return take(words, "last") && take(words, "workday weekday") && add(words, ",-1");
    }
    return true;
}

/* `27 jan`, `jan 27th`, `14 jan, 14 apr`: the same day in some months, or different days of one. */
static bool add_dates(struct words *words, unsigned month, unsigned day)
{
    unsigned months[12] = {month};
    size_t count = 1;
    bool ordinal = false;

    for (size_t began = words->at; take(words, "and"); began = words->at) {
        unsigned next_month = take_month(words);
        const unsigned next_day = take_number(words, &ordinal);
        next_month = next_month > 0 ? next_month : take_month(words);
        if (next_month == 0 || next_day == 0) {
            words->at = began;
            break;
        }
        if (next_day != day || count == 12) {
            return false;
        }
        months[count++] = next_month;
    }
    if (!add(words, "FREQ=YEARLY;BYMONTH=")) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (!add(words, "%s%u", i > 0 ? "," : "", months[i])) {
            return false;
        }
    }
    return add(words, ";BYMONTHDAY=%u", day);
}

/* After `every`, from a number on. */
static bool add_numbered(struct words *words)
{
    unsigned numbers[LIST_MOST];
    size_t count = 0;
    bool ordinal = false;

    numbers[count++] = take_number(words, &ordinal);
    if (numbers[0] == 0) {
        return false;
    }
    if (!ordinal && add_unit(words, numbers[0])) {
        return true;
    }
    if (words->said->rule_len > 0) {
        return false;
    }
    (void)take(words, "of");
    const unsigned month = take_month(words);
    if (month > 0) {
        return add_dates(words, month, numbers[0]);
    }
    for (size_t began = words->at; take(words, "and"); began = words->at) {
        (void)take(words, "and");
        bool one_ordinal = false;
        const unsigned number = take_number(words, &one_ordinal);
        if (number == 0 || count == LIST_MOST) {
            words->at = began;
            break;
        }
        ordinal = ordinal || one_ordinal;
        numbers[count++] = number;
    }
    return add_numbers(words, numbers, count, ordinal);
}

static bool add_every(struct words *words)
{
    bool ordinal = false;

    if (take(words, "other")) {
        return add_unit(words, 2) || (words->said->rule_len == 0 && add_days(words, 2));
    }
    if (take(words, "last")) {
        return add_last(words);
    }
    if (add_unit(words, 1)) {
        return true;
    }
    const unsigned month = words->said->rule_len == 0 ? take_month(words) : 0;
    if (month > 0) {
        const unsigned day = take_number(words, &ordinal);
        return day > 0 && add_dates(words, month, day);
    }
    return words->said->rule_len == 0 && (add_days(words, 1) || add_numbered(words));
}

static bool add_rule(struct words *words)
{
    static const struct {
        const char *word;
        const char *rule;
        bool same_day;
    } short_forms[] = {
        {"daily", "FREQ=DAILY", false},
        {"weekly", "FREQ=WEEKLY", false},
        {"weekdays", "FREQ=WEEKLY;BYDAY=" WORKDAYS, false},
        {"monthly", "FREQ=MONTHLY", true},
        {"quarterly", "FREQ=MONTHLY;INTERVAL=3", true},
        {"yearly", "FREQ=YEARLY", true},
    };
    struct spoken *said = words->said;
    bool ordinal = false;

    for (size_t i = 0; i < sizeof short_forms / sizeof short_forms[0]; i++) {
        if (take(words, short_forms[i].word)) {
            said->recurs = true;
            said->same_day = short_forms[i].same_day;
            return add(words, "%s", short_forms[i].rule);
        }
    }
    if (take(words, "after")) {
        said->recurs = true;
        const unsigned number = take_number(words, &ordinal);
        said->from_completion = true;
        return number > 0 && !ordinal && add_unit(words, number);
    }
    said->from_completion = take(words, "every! ev!");
    said->recurs = said->from_completion || take(words, "every ev each");
    return said->recurs && add_every(words);
}

/* A start without a year is the one that is nearest to today, and not the next one: most have
 * begun.
 */
static int32_t nearest(const struct words *words, int32_t day)
{
    const struct civil date = civil_of_day(day);
    int32_t before = day;
    if (!words->yearless || day - words->today <= HALF_YEAR ||
        !stamp_day(date.year - 1, date.month, date.day, &before)) {
        return day;
    }
    return before;
}

/* What follows a rule or a date: a time, a start, an end. */
static bool take_tail(struct words *words)
{
    struct spoken *said = words->said;
    while (words->at < words->count) {
        int32_t day = 0;
        if (take(words, "at @")) {
            if (!take_time(words, true)) {
                return false;
            }
        } else if (said->recurs && take(words, "starting start from")) {
            words->yearless = false;
            if (!take_date(words, &said->day)) {
                return false;
            }
            said->has_day = true;
            said->day = nearest(words, said->day);
        } else if (said->recurs && take(words, "ending end until")) {
            const int32_t ms = said->ms;
            if (!take_date(words, &day)) {
                return false;
            }
            const struct civil date = civil_of_day(day);
            said->ms = ms;
            if (!add(words, ";UNTIL=%04d%02d%02d", (int)date.year, (int)date.month,
                     (int)date.day)) {
                return false;
            }
        } else if (said->recurs && take(words, "of")) {
            if (!take(words, "the each every") || !take(words, "month")) {
                return false;
            }
        } else if (!take_time(words, false)) {
            return false;
        }
    }
    return true;
}

bool spoken_read(struct slice text, int32_t today, struct spoken *spoken)
{
    assert(spoken);
    char room[TEXT_MOST];
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;
    struct words words = {.today = today, .said = spoken};

    *spoken = (struct spoken){.ms = -1};
    if (!split(slice_strip(text), room, &words)) {
        return false;
    }
    if (take_date(&words, &spoken->day)) {
        spoken->has_day = true;
        return take_tail(&words);
    }
    return add_rule(&words) && take_tail(&words) &&
           recurrence_parse((struct slice){spoken->rule, spoken->rule_len}, spoken->ms >= 0, &rule,
                            problem);
}
