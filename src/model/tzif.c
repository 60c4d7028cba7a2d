// SPDX-License-Identifier: MIT
#include "model/tzif.h"

#include <assert.h>
#include <stdlib.h>

#include "model/civil.h"

/* ---- the rule: reading ---- */
#define DAY_SECONDS 86400
#define TWO_O_CLOCK 7200 /* the time of a change that names none */

/* Two years before and after a moment are looked at, and civil.h knows the years 1 to 9999. */
#define RULE_LEAST INT64_C(-62009366400) /* 0005-01-01 */
#define RULE_MOST  INT64_C(253249632000) /* 9995-03-01 */

/* ---- reading ---- */

/* A number of one to `digits` digits, at most `most`. */
static bool take_number(struct slice *text, size_t digits, uint64_t most, uint64_t *number)
{
    size_t len = 0;

    while (len < text->len && len < digits && ascii_is_digit(text->ptr[len])) {
        len++;
    }
    if (!slice_to_u64((struct slice){text->ptr, len}, most, number)) {
        return false;
    }
    *text = slice_from(*text, len);
    return true;
}

static bool take(struct slice *text, char c)
{
    if (text->len == 0 || text->ptr[0] != c) {
        return false;
    }
    *text = slice_from(*text, 1);
    return true;
}

/* `:` and two digits, if there are any. False: something else. */
static bool take_sixtieths(struct slice *text, bool *more, uint64_t *number)
{
    *number = 0;
    *more = *more && take(text, ':');
    if (!*more) {
        return true;
    }
    const size_t before = text->len;
    return take_number(text, 2, 59, number) && before - text->len == 2;
}

/* `[+-]hh[:mm[:ss]]` in seconds, as it stands. */
static bool take_time(struct slice *text, uint64_t most_hours, int32_t *seconds)
{
    const bool negative = take(text, '-');
    uint64_t hours = 0;
    uint64_t minutes = 0;
    uint64_t rest = 0;
    bool more = true;

    if (!negative) {
        (void)take(text, '+');
    }
    if (!take_number(text, 3, most_hours, &hours) || !take_sixtieths(text, &more, &minutes) ||
        !take_sixtieths(text, &more, &rest)) {
        return false;
    }
    *seconds = (int32_t)(hours * 3600 + minutes * 60 + rest) * (negative ? -1 : 1);
    return true;
}

/* `CEST` or `<+03>`, three characters at least. */
static bool skip_name(struct slice *text)
{
    const bool quoted = take(text, '<');
    size_t len = 0;

    while (len < text->len &&
           (quoted ? ascii_is_alnum(text->ptr[len]) || ascii_is_in(text->ptr[len], "+-")
                   : ascii_is_alnum(text->ptr[len]) && !ascii_is_digit(text->ptr[len]))) {
        len++;
    }
    *text = slice_from(*text, len);
    return len >= 3 && (!quoted || take(text, '>'));
}

/* An offset of POSIX counts to the west. */
static bool take_offset(struct slice *text, int32_t *offset)
{
    if (!take_time(text, 24, offset)) {
        return false;
    }
    *offset = -*offset;
    return true;
}

static bool take_date(struct slice *text, struct tzif_date *date)
{
    uint64_t month = 0;
    uint64_t week = 0;
    uint64_t day = 0;

    if (!take(text, ',')) {
        return false;
    }
    if (take(text, 'M')) {
        date->form = TZIF_MONTH;
        if (!take_number(text, 2, 12, &month) || month == 0 || !take(text, '.') ||
            !take_number(text, 1, 5, &week) || week == 0 || !take(text, '.') ||
            !take_number(text, 1, 6, &day)) {
            return false;
        }
    } else if (take(text, 'J')) {
        date->form = TZIF_JULIAN;
        if (!take_number(text, 3, 365, &day) || day == 0) {
            return false;
        }
    } else {
        date->form = TZIF_DAY;
        if (!take_number(text, 3, 365, &day)) {
            return false;
        }
    }
    date->month = (uint8_t)month;
    date->week = (uint8_t)week;
    date->day = (uint16_t)day;
    date->second = TWO_O_CLOCK;
    return !take(text, '/') || take_time(text, 167, &date->second);
}

bool tzif_rule_read(struct slice text, struct tzif_rule *rule)
{
    struct tzif_rule read = {0};

    assert(rule);
    if (!skip_name(&text) || !take_offset(&text, &read.standard)) {
        return false;
    }
    read.daylight = read.standard;
    if (text.len > 0) {
        read.changes = true;
        read.daylight += 3600;
        if (!skip_name(&text) ||
            (text.len > 0 && text.ptr[0] != ',' && !take_offset(&text, &read.daylight)) ||
            !take_date(&text, &read.start) || !take_date(&text, &read.end) || text.len > 0) {
            return false;
        }
    }
    *rule = read;
    return true;
}

/* ---- times ---- */

static int32_t day_of(const struct tzif_date *date, int32_t year)
{
    const int32_t first = civil_to_day((struct civil){year, 1, 1});

    if (date->form == TZIF_DAY) {
        return first + date->day;
    }
    if (date->form == TZIF_JULIAN) {
        return first + date->day - (date->day < 60 || !civil_is_leap(year)); /* 60 is 1 March */
    }
    /* civil.h begins a week on Monday. */
    const int32_t of_month = civil_to_day((struct civil){year, date->month, 1});
    const int32_t weekday = (date->day + 6) % 7;
    const int32_t days = (weekday - (int32_t)civil_weekday(of_month) + 7) % 7;
    const int32_t nth = days + 7 * (date->week - 1);
    return of_month + (nth < (int32_t)civil_days_of_month(year, date->month) ? nth : nth - 7);
}

static int64_t moment_of(const struct tzif_date *date, int32_t year, int32_t offset_before)
{
    return (int64_t)day_of(date, year) * DAY_SECONDS + date->second - offset_before;
}

/* A change at `at` is either the last one before `seconds` that is known so far, or the first one
 * after it, or neither. */
static void consider(struct tzif_span *span, int64_t seconds, int64_t at, int32_t offset)
{
    if (at > seconds) {
        span->until = at < span->until ? at : span->until;
    } else if (at >= span->from) {
        span->from = at;
        span->offset = offset;
    }
}

static void consider_year(struct tzif_span *span, const struct tzif_rule *rule, int64_t seconds,
                          int32_t year)
{
    consider(span, seconds, moment_of(&rule->end, year, rule->daylight), rule->standard);
    consider(span, seconds, moment_of(&rule->start, year, rule->standard), rule->daylight);
}

/* Whether it is in its year whatever the time of day and the offset. */
static bool is_amid_year(const struct tzif_date *date)
{
    return date->form == TZIF_MONTH ? date->month > 1 && date->month < 12
                                    : date->day > 31 && date->day < 334;
}

/* A time of day of 167 hours may take a change into the next year, or the one before; then two
 * years on either side are looked at. Where summer time ends at the moment it starts, it goes on:
 * so are zones written that have it all year. */
struct tzif_span tzif_rule_span_at(const struct tzif_rule *rule, int64_t seconds)
{
    struct tzif_span span = {INT64_MIN, INT64_MAX, 0};

    assert(rule);
    span.offset = rule->standard;
    if (!rule->changes) {
        return span;
    }
    if (seconds < RULE_LEAST) {
        span.until = RULE_LEAST;
        return span;
    }
    const int64_t looked = seconds < RULE_MOST ? seconds : RULE_MOST - 1;
    const int64_t before_epoch = looked < 0 ? (DAY_SECONDS - 1) : 0;
    const int32_t year = civil_of_day((int32_t)((looked - before_epoch) / DAY_SECONDS)).year;
    const int32_t around = is_amid_year(&rule->start) && is_amid_year(&rule->end) ? 0 : 2;
    for (int32_t y = year - around; y <= year + around; y++) {
        consider_year(&span, rule, looked, y);
    }
    if (span.from == INT64_MIN) {
        consider_year(&span, rule, looked, year - 1);
    }
    if (span.until == INT64_MAX) {
        consider_year(&span, rule, looked, year + 1);
    }
    span.from = span.from < RULE_LEAST ? RULE_LEAST : span.from;
    span.until = span.until >= RULE_MOST ? INT64_MAX : span.until;
    return span;
}

/* ---- the file ---- */

#define HEADER_LEN 44

/* Kept are real changes of the offset only: many of a file's are of its name. */
struct change {
    int64_t at;
    int32_t offset; /* from then on */
};

struct tzif {
    int32_t before;    /* the offset until the first change */
    bool has_rule;     /* false: the last change's offset stays */
    int64_t rule_from; /* the last moment that the file lists, whether the offset changed or not */
    struct tzif_rule rule;
    size_t count;
    struct change changes[];
};

/* One of the two halves of a file. The slices are of the lengths that its header gives. */
struct block {
    unsigned time_size; /* 4 or 8 bytes */
    size_t times_count;
    size_t types_count;
    struct slice times;
    struct slice indexes; /* of types, one byte a time */
    struct slice types;   /* six bytes each */
};

static uint32_t read_u32(const char *at)
{
    const unsigned char *bytes = (const unsigned char *)at;

    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

static int64_t read_time(const struct block *block, size_t i)
{
    const char *at = block->times.ptr + i * block->time_size;

    if (block->time_size == 4) {
        return (int32_t)read_u32(at);
    }
    return (int64_t)((uint64_t)read_u32(at) << 32 | read_u32(at + 4));
}

static int32_t read_offset(const struct block *block, size_t type)
{
    return (int32_t)read_u32(block->types.ptr + type * 6);
}

static bool take_bytes(struct slice *bytes, uint64_t len, struct slice *taken)
{
    if (len > bytes->len) {
        return false;
    }
    *taken = (struct slice){bytes->ptr, (size_t)len};
    *bytes = slice_from(*bytes, (size_t)len);
    return true;
}

/* A header and the data that it announces. `*version`: of its fifth byte. */
static bool take_block(struct slice *bytes, unsigned time_size, char *version, struct block *block)
{
    struct slice header;
    struct slice ignored;

    if (!take_bytes(bytes, HEADER_LEN, &header) || memcmp(header.ptr, "TZif", 4) != 0) {
        return false;
    }
    *version = header.ptr[4];
    const uint64_t ut_count = read_u32(header.ptr + 20);
    const uint64_t standard_count = read_u32(header.ptr + 24);
    const uint64_t leaps = read_u32(header.ptr + 28);
    const uint64_t times = read_u32(header.ptr + 32);
    const uint64_t types = read_u32(header.ptr + 36);
    const uint64_t name_bytes = read_u32(header.ptr + 40);
    *block = (struct block){
        .time_size = time_size, .times_count = (size_t)times, .types_count = (size_t)types};
    return leaps == 0 && types <= 256 && (ut_count == 0 || ut_count == types) &&
           (standard_count == 0 || standard_count == types) &&
           take_bytes(bytes, times * time_size, &block->times) &&
           take_bytes(bytes, times, &block->indexes) &&
           take_bytes(bytes, types * 6, &block->types) &&
           take_bytes(bytes, name_bytes + standard_count + ut_count, &ignored);
}

/* Times ascend, and each names a type that there is. (The first half of a file of version 2 may be
 * empty.) */
static bool block_is_sound(const struct block *block)
{
    if (block->types_count == 0) {
        return false;
    }
    for (size_t i = 0; i < block->types_count; i++) {
        const int32_t offset = read_offset(block, i);
        if (offset <= -TZIF_OFFSET_LIMIT || offset >= TZIF_OFFSET_LIMIT) {
            return false;
        }
    }
    for (size_t i = 0; i < block->times_count; i++) {
        if ((unsigned char)block->indexes.ptr[i] >= block->types_count ||
            (i > 0 && read_time(block, i) <= read_time(block, i - 1))) {
            return false;
        }
    }
    return true;
}

/* Newline, a rule or nothing, newline, and no more. */
static bool read_footer(struct slice footer, bool *has_rule, struct tzif_rule *rule)
{
    if (footer.len < 2 || !take(&footer, '\n') || footer.ptr[footer.len - 1] != '\n') {
        return false;
    }
    footer.len--;
    *has_rule = footer.len > 0;
    return !*has_rule || tzif_rule_read(footer, rule);
}

/* Before the first time the first type holds (RFC 8536, 3.2). */
static void keep_changes(struct tzif *times, const struct block *block)
{
    int32_t offset = read_offset(block, 0);

    times->before = offset;
    times->rule_from = INT64_MIN;
    for (size_t i = 0; i < block->times_count; i++) {
        const int32_t next = read_offset(block, (unsigned char)block->indexes.ptr[i]);
        times->rule_from = read_time(block, i);
        if (next != offset) {
            times->changes[times->count++] = (struct change){times->rule_from, next};
            offset = next;
        }
    }
}

static size_t size_for(size_t changes)
{
    return sizeof(struct tzif) + changes * sizeof(struct change);
}

enum tzif_status tzif_read(struct slice bytes, struct tzif **times)
{
    struct tzif_rule rule = {0};
    struct block block;
    char version = 0;
    char second_version = 0;
    bool has_rule = false;

    assert(times);
    if (bytes.len > TZIF_BYTES_MOST || !take_block(&bytes, 4, &version, &block)) {
        return TZIF_BROKEN;
    }
    if (version == 0) {
        if (bytes.len > 0) {
            return TZIF_BROKEN;
        }
    } else if (version < '2' || version > '4' || !take_block(&bytes, 8, &second_version, &block) ||
               second_version != version || !read_footer(bytes, &has_rule, &rule)) {
        return TZIF_BROKEN;
    }
    if (!block_is_sound(&block)) {
        return TZIF_BROKEN;
    }
    struct tzif *made = calloc(1, size_for(block.times_count));
    if (!made) {
        return TZIF_NO_MEMORY;
    }
    made->has_rule = has_rule;
    made->rule = rule;
    keep_changes(made, &block);
    struct tzif *fitting = realloc(made, size_for(made->count));
    *times = fitting ? fitting : made;
    return TZIF_READ;
}

void tzif_destroy(struct tzif **times)
{
    assert(times);
    free(*times);
    *times = NULL;
}

size_t tzif_size(const struct tzif *times)
{
    assert(times);
    return size_for(times->count);
}

/* How many changes there were up to that moment. */
static size_t changes_until(const struct tzif *times, int64_t seconds)
{
    size_t low = 0;
    size_t high = times->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (times->changes[middle].at <= seconds) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct tzif_span tzif_span_at(const struct tzif *times, int64_t seconds)
{
    struct tzif_span span;

    assert(times);
    if (times->has_rule && seconds >= times->rule_from) {
        span = tzif_rule_span_at(&times->rule, seconds);
        span.from = span.from < times->rule_from ? times->rule_from : span.from;
        return span;
    }
    const size_t past = changes_until(times, seconds);
    span.from = past > 0 ? times->changes[past - 1].at : INT64_MIN;
    span.offset = past > 0 ? times->changes[past - 1].offset : times->before;
    span.until = past < times->count ? times->changes[past].at
                 : times->has_rule   ? times->rule_from
                                     : INT64_MAX;
    assert(span.from <= seconds && (seconds < span.until || span.until == INT64_MAX));
    return span;
}

/* Spans are walked from one that is surely before any that could show this time. */
int64_t tzif_meant(const struct tzif *times, int64_t local)
{
    struct tzif_span span = tzif_span_at(times, local - TZIF_OFFSET_LIMIT);
    int64_t seconds = local - span.offset;

    while (seconds >= span.until) {
        span = tzif_span_at(times, span.until);
        if (local - span.offset < span.from) {
            break; /* skipped: the offset from before has it */
        }
        seconds = local - span.offset;
    }
    return seconds;
}

int64_t tzif_first(const struct tzif *times, int64_t local)
{
    struct tzif_span span = tzif_span_at(times, local - TZIF_OFFSET_LIMIT);

    while (local - span.offset >= span.until) {
        span = tzif_span_at(times, span.until);
    }
    const int64_t seconds = local - span.offset;
    return seconds > span.from ? seconds : span.from;
}
