// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "model/civil.h"
#include "model/tzif.h"

#define HOUR 3600

static int64_t at(int32_t year, unsigned month, unsigned day, int32_t second)
{
    const struct civil date = {year, (uint8_t)month, (uint8_t)day};
    return (int64_t)civil_to_day(date) * 86400 + second;
}

/* ---- rules ---- */

static struct tzif_rule rule_of(const char *text)
{
    struct tzif_rule rule;
    if (!tzif_rule_read(slice_of(text), &rule))
        fail_msg("refused: %s", text);
    return rule;
}

/* One second before, and at that time. */
static void assert_change(const char *text, int64_t seconds, int32_t before, int32_t after)
{
    const struct tzif_rule rule = rule_of(text);
    const struct tzif_span first = tzif_rule_span_at(&rule, seconds - 1);
    const struct tzif_span second = tzif_rule_span_at(&rule, seconds);
    assert_int_equal(first.offset, before);
    assert_int_equal(second.offset, after);
    assert_int_equal(first.until, seconds);
    assert_int_equal(second.from, seconds);
}

static void rules_change_when_they_say(void **state)
{
    static const char berlin[] = "CET-1CEST,M3.5.0,M10.5.0/3";
    static const char dublin[] = "IST-1GMT0,M10.5.0,M3.5.0/1";
    static const char nuuk[] = "<-02>2<-01>,M3.5.0/-1,M10.5.0/0";
    (void)state;
    assert_change(berlin, at(2026, 3, 29, HOUR), HOUR, 2 * HOUR);
    assert_change(berlin, at(2026, 10, 25, HOUR), 2 * HOUR, HOUR);
    assert_change(berlin, at(2999, 3, 31, HOUR), HOUR, 2 * HOUR);
    assert_change(dublin, at(2026, 3, 29, HOUR), 0, HOUR);
    assert_change(dublin, at(2026, 10, 25, HOUR), HOUR, 0);
    assert_change("AEST-10AEDT,M10.1.0,M4.1.0/3", at(2026, 4, 4, 16 * HOUR), 11 * HOUR, 10 * HOUR);
    assert_change("<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", at(2026, 4, 4, 15 * HOUR), 11 * HOUR,
                  10 * HOUR + 1800);
    /* The evening before the last Sunday of March. */
    assert_change(nuuk, at(2026, 3, 29, HOUR), -2 * HOUR, -HOUR);
    assert_change("EET-2EEST,M3.4.4/50,M10.4.4/50", at(2026, 3, 28, 0), 2 * HOUR, 3 * HOUR);
    /* Days of the year: 29 February counts, or it does not. */
    assert_change("AAA0BBB,J60/0,J90/0", at(2028, 3, 1, 0), 0, HOUR);
    assert_change("AAA0BBB,J60/0,J90/0", at(2027, 3, 1, 0), 0, HOUR);
    assert_change("AAA0BBB,59/0,89/0", at(2028, 2, 29, 0), 0, HOUR);
    assert_change("AAA0BBB,59/0,89/0", at(2027, 3, 1, 0), 0, HOUR);
    assert_change("AAA0BBB,M2.5.2/0,M6.1.0/1", at(2028, 2, 29, 0), 0, HOUR);
    /* Over the end of a year, in either direction. */
    assert_change("AAA0BBB,J365/167,J90/1", at(2028, 1, 6, 23 * HOUR), 0, HOUR);
    assert_change("AAA0BBB,J1/-167,J90/1", at(2027, 12, 25, HOUR), 0, HOUR);
}

static void summer_time_may_last_all_year(void **state)
{
    const struct tzif_rule rule = rule_of("EST5EDT,0/0,J365/25");
    (void)state;
    for (int64_t seconds = at(2026, 1, 1, 0); seconds < at(2031, 1, 1, 0); seconds += 1800)
        assert_int_equal(tzif_rule_span_at(&rule, seconds).offset, -4 * HOUR);
}

static void a_rule_without_change_is_for_ever(void **state)
{
    const struct tzif_rule rule = rule_of("<+0545>-5:45");
    const struct tzif_span span = tzif_rule_span_at(&rule, at(2026, 1, 1, 0));
    (void)state;
    assert_int_equal(span.offset, 5 * HOUR + 45 * 60);
    assert_int_equal(span.from, INT64_MIN);
    assert_int_equal(span.until, INT64_MAX);
    assert_int_equal(rule_of("UTC0").standard, 0);
    assert_int_equal(rule_of("LMT0:25:21").standard, -1521);
    assert_int_equal(rule_of("AAA+24:59:59").standard, -(25 * HOUR - 1));
}

static void other_rules_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "UTC",
        "UT0",
        "0",
        ":Europe/Berlin",
        "<UTC0",
        "<U>0",
        "<A/B>0",
        "AAA25",
        "AAA-25",
        "AAA1:60",
        "AAA1:5",
        "AAA1:00:60",
        "AAA1:00:00:00",
        "AAA--1",
        "AAA0 ",
        "AAA0BBB",
        "AAA0BBB,",
        "AAA0BBB,M3.5.0",
        "AAA0BBB,M3.5.0,",
        "AAA0BBB,M3.5.0,M10.5.0,",
        "AAA0BBB,M3.5.0,M10.5.0/",
        "AAA0BBB,M3.5.0,M10.5.0/168",
        "AAA0BBB,M3.5.0,M10.5.0/-168",
        "AAA0BBB,M13.5.0,M10.5.0",
        "AAA0BBB,M0.5.0,M10.5.0",
        "AAA0BBB,M3.0.0,M10.5.0",
        "AAA0BBB,M3.6.0,M10.5.0",
        "AAA0BBB,M3.5.7,M10.5.0",
        "AAA0BBB,M3.5,M10.5.0",
        "AAA0BBB,J0,M10.5.0",
        "AAA0BBB,J366,M10.5.0",
        "AAA0BBB,366,M10.5.0",
        "AAA0BBB,-1,M10.5.0",
        "AAA0BBB,M3.5.0,M10.5.0\n",
        "AAA99999999999999999999",
    };
    struct tzif_rule rule;
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (tzif_rule_read(slice_of(texts[i]), &rule))
            fail_msg("taken: %s", texts[i]);
    }
    assert_false(tzif_rule_read(SLICE("UTC\0000"), &rule));
}

/* ---- files ---- */

static void add_number(struct buffer *out, uint64_t number, unsigned bytes)
{
    while (bytes-- > 0)
        buffer_add_char(out, (char)(unsigned char)(number >> (bytes * 8)));
}

static void add_header(struct buffer *out, char version, unsigned times, unsigned types)
{
    buffer_add(out, SLICE("TZif"));
    buffer_add_char(out, version);
    add_number(out, 0, 8);
    add_number(out, 0, 7);
    add_number(out, 0, 4);
    add_number(out, 0, 4);
    add_number(out, 0, 4);
    add_number(out, times, 4);
    add_number(out, types, 4);
    add_number(out, 4, 4);
}

/* Two types: 0 has no offset, 1 an hour; the changes go from one to the other. */
static void add_block(struct buffer *out, char version, unsigned size, const int64_t *times,
                      unsigned count)
{
    add_header(out, version, count, 2);
    for (unsigned i = 0; i < count; i++)
        add_number(out, (uint64_t)times[i], size);
    for (unsigned i = 0; i < count; i++)
        add_number(out, (i + 1) % 2, 1);
    add_number(out, 0, 6);
    add_number(out, HOUR, 4);
    add_number(out, 1, 2);
    buffer_add(out, SLICE("AAA\0"));
}

static enum tzif_status read_buffer(const struct buffer *out, struct tzif **times)
{
    return tzif_read(buffer_slice(out), times);
}

static void assert_span(const struct tzif *times, int64_t seconds, int64_t from, int64_t until,
                        int32_t offset)
{
    const struct tzif_span span = tzif_span_at(times, seconds);
    assert_int_equal(span.from, from);
    assert_int_equal(span.until, until);
    assert_int_equal(span.offset, offset);
}

static void every_version_is_read(void **state)
{
    static const int64_t old[] = {0, 100, 200};
    static const int64_t wide[] = {0, 100, INT64_C(1) << 40};
    (void)state;
    static const char versions[] = {0, '2', '3', '4'};
    for (const char *version = versions; version < versions + sizeof versions; version++) {
        struct buffer out;
        struct tzif *times = NULL;
        buffer_init(&out, 10000);
        add_block(&out, *version, 4, old, 3);
        if (*version) {
            add_block(&out, *version, 8, wide, 3);
            buffer_add(&out, SLICE("\nAAA-2\n"));
        }
        assert_int_equal(read_buffer(&out, &times), TZIF_READ);
        assert_true(tzif_size(times) < 200);
        assert_span(times, -1, INT64_MIN, 0, 0);
        assert_span(times, 0, 0, 100, HOUR);
        assert_span(times, 99, 0, 100, HOUR);
        if (*version) {
            assert_span(times, 100, 100, wide[2], 0);
            assert_span(times, wide[2], wide[2], INT64_MAX, 2 * HOUR);
        } else {
            assert_span(times, 100, 100, 200, 0);
            assert_span(times, INT64_MAX, 200, INT64_MAX, HOUR);
        }
        tzif_destroy(&times);
        buffer_finish(&out);
    }
}

/* What `spoil` makes of a good file is refused. */
static void refused(void (*spoil)(struct buffer *out))
{
    static const int64_t changes[] = {0, 100};
    struct buffer out;
    struct tzif *times = NULL;
    buffer_init(&out, 200000);
    add_block(&out, '2', 4, changes, 2);
    add_block(&out, '2', 8, changes, 2);
    buffer_add(&out, SLICE("\nAAA-2\n"));
    assert_int_equal(read_buffer(&out, &times), TZIF_READ);
    tzif_destroy(&times);
    spoil(&out);
    assert_false(out.failed);
    assert_int_equal(read_buffer(&out, &times), TZIF_BROKEN);
    assert_null(times);
    buffer_finish(&out);
}

#define SECOND  (44 + 2 * 5 + 12 + 4) /* where its second header begins */
#define CHANGES (SECOND + 44)         /* the times of it */
#define TYPES   (CHANGES + 2 * 8 + 2)

static void no_magic(struct buffer *out)
{
    out->data[0] = 't';
}
static void no_second_magic(struct buffer *out)
{
    out->data[SECOND] = 't';
}
static void version_5(struct buffer *out)
{
    out->data[4] = out->data[SECOND + 4] = '5';
}
static void versions_differ(struct buffer *out)
{
    out->data[SECOND + 4] = '3';
}
static void leap_seconds(struct buffer *out)
{
    out->data[SECOND + 31] = 1;
}
static void no_types(struct buffer *out)
{
    out->data[SECOND + 39] = 0;
}
static void many_times(struct buffer *out)
{
    memset(out->data + SECOND + 32, 0xff, 4);
}
static void same_times(struct buffer *out)
{
    out->data[CHANGES + 15] = 0;
}
static void no_such_type(struct buffer *out)
{
    out->data[CHANGES + 16] = 2;
}
static void large_offset(struct buffer *out)
{
    out->data[TYPES + 1] = 2;
}
static void least_offset(struct buffer *out)
{
    out->data[TYPES] = (char)0x80;
}
static void no_newline(struct buffer *out)
{
    out->data[out->len - 1] = ' ';
}
static void bad_rule(struct buffer *out)
{
    out->data[out->len - 2] = 'x';
}
static void more(struct buffer *out)
{
    buffer_add_char(out, '\n');
}

static void too_large(struct buffer *out)
{
    while (out->len <= TZIF_BYTES_MOST)
        buffer_add_char(out, 'A');
}

static void broken_files_are_refused(void **state)
{
    static void (*const spoils[])(struct buffer *) = {
        no_magic,     no_second_magic,
        version_5,    versions_differ,
        leap_seconds, no_types,
        many_times,   same_times,
        no_such_type, large_offset,
        least_offset, no_newline,
        bad_rule,     more,
        too_large,
    };
    struct tzif *times = NULL;
    (void)state;
    for (size_t i = 0; i < sizeof spoils / sizeof spoils[0]; i++)
        refused(spoils[i]);
    assert_int_equal(tzif_read((struct slice){0}, &times), TZIF_BROKEN);
}

/* ---- every cut, every bit ---- */

/* Spans join, from first to last, whatever the file says. */
static void walk(const struct tzif *times)
{
    struct tzif_span span = tzif_span_at(times, INT64_MIN);
    assert_int_equal(span.from, INT64_MIN);
    for (unsigned i = 0; i < 300 && span.until != INT64_MAX; i++) {
        const struct tzif_span next = tzif_span_at(times, span.until);
        assert_int_equal(next.from, span.until);
        assert_true(next.until > next.from);
        assert_true(next.offset > -TZIF_OFFSET_LIMIT && next.offset < TZIF_OFFSET_LIMIT);
        span = next;
    }
    (void)tzif_span_at(times, INT64_MAX);
    (void)tzif_span_at(times, 0);
}

/* Copied to its exact size, so that ASan sees every byte that is read after the end. */
static enum tzif_status read_copy(struct slice bytes)
{
    char *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    struct tzif *times = NULL;
    assert_non_null(copy);
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    const enum tzif_status status = tzif_read((struct slice){copy, bytes.len}, &times);
    free(copy);
    if (status == TZIF_READ) {
        walk(times);
        tzif_destroy(&times);
    }
    return status;
}

static void nothing_is_read_out_of_bounds(void **state)
{
    static const char *const zones[] = {"Europe/Dublin", "Australia/Lord_Howe", "Etc/UTC"};
    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        char path[100];
        static char bytes[TZIF_BYTES_MOST];
        (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zones[i]);
        FILE *file = fopen(path, "re");
        if (!file)
            fail_msg("no %s: script/bootstrap test installs tzdata", path);
        const size_t len = fread(bytes, 1, sizeof bytes, file);
        (void)fclose(file);
        assert_int_equal(read_copy((struct slice){bytes, len}), TZIF_READ);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(read_copy((struct slice){bytes, cut}), TZIF_BROKEN);
        for (size_t k = 0; k < len; k++) {
            const char good = bytes[k];
            bytes[k] = (char)~good;
            (void)read_copy((struct slice){bytes, len});
            bytes[k] = (char)(good ^ 1 << k % 8);
            (void)read_copy((struct slice){bytes, len});
            bytes[k] = good;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_change_when_they_say),
        cmocka_unit_test(summer_time_may_last_all_year),
        cmocka_unit_test(a_rule_without_change_is_for_ever),
        cmocka_unit_test(other_rules_are_refused),
        cmocka_unit_test(every_version_is_read),
        cmocka_unit_test(broken_files_are_refused),
        cmocka_unit_test(nothing_is_read_out_of_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
