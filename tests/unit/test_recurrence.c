// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "model/recurrence.h"

#define DAY_MS INT64_C(86400000)
#define NINE   (INT64_C(13) * 3600 * 1000) /* 09:00 in New York in summer */

static int32_t day_of(const char *text)
{
    int year;
    unsigned month, day;
    assert_int_equal(sscanf(text, "%4d%2u%2u", &year, &month, &day), 3);
    return civil_to_day((struct civil){year, (uint8_t)month, (uint8_t)day});
}

static void must_parse(const char *text, bool timed, struct recurrence *rule)
{
    char problem[RECURRENCE_PROBLEM_ROOM] = "";
    if (!recurrence_parse(slice_of(text), timed, rule, problem))
        fail_msg("%s: %s", text, problem);
}

/* A series as text: `YYYYMMDD` each, the start first; what is after the year of the one before is
 * written without it, and after its month without that. At most `most` days. */
static void print_series(const char *start, const char *text, bool timed, unsigned most, char *out,
                         size_t room)
{
    struct recurrence rule;
    int32_t day = day_of(start);
    const int32_t first = day;
    size_t used = (size_t)snprintf(out, room, "%s", start);
    struct civil before = civil_of_day(day);

    must_parse(text, timed, &rule);
    for (unsigned taken = 1; taken < most && recurrence_next(&rule, first, day, &day) &&
                             !recurrence_has_ended(&rule, taken, day, day * DAY_MS + NINE);
         taken++) {
        const struct civil date = civil_of_day(day);
        assert_true(used + 16 < room);
        if (date.year != before.year)
            used += (size_t)snprintf(out + used, room - used, " %04d%02u%02u", date.year,
                                     date.month, date.day);
        else if (date.month != before.month)
            used += (size_t)snprintf(out + used, room - used, " %02u%02u", date.month, date.day);
        else
            used += (size_t)snprintf(out + used, room - used, " %02u", date.day);
        before = date;
    }
}

struct series {
    const char *start;
    const char *rule;
    const char *days;
    unsigned most; /* 0: to its end */
};

static void check_series(const struct series *rows, size_t count, bool timed)
{
    for (size_t i = 0; i < count; i++) {
        char days[2048];
        print_series(rows[i].start, rows[i].rule, timed, rows[i].most ? rows[i].most : 200, days,
                     sizeof days);
        if (strcmp(days, rows[i].days) != 0)
            fail_msg("%s from %s:\n%s, not\n%s", rows[i].rule, rows[i].start, days, rows[i].days);
    }
}

/* RFC 5545, 3.8.5.3: all examples with a FREQ of a day or longer and parts that are supported. */
static void the_examples_of_the_rfc(void **state)
{
    static const struct series rows[] = {
        {"19970902", "FREQ=DAILY;COUNT=10", "19970902 03 04 05 06 07 08 09 10 11", 0},
        {"19970902", "FREQ=DAILY;UNTIL=19970910T000000Z", "19970902 03 04 05 06 07 08 09", 0},
        {"19970902", "FREQ=DAILY;INTERVAL=2",
         "19970902 04 06 08 10 12 14 16 18 20 22 24 26 28 30 1002 04", 17},
        {"19970902", "FREQ=DAILY;INTERVAL=10;COUNT=5", "19970902 12 22 1002 12", 0},
        {"19980101", "FREQ=YEARLY;UNTIL=19990103T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
         "19980101 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 "
         "28 29 30 31 19990101 02 03",
         0},
        {"19980101", "FREQ=DAILY;UNTIL=19990103T140000Z;BYMONTH=1",
         "19980101 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 "
         "28 29 30 31 19990101 02 03",
         0},
        {"19970902", "FREQ=WEEKLY;COUNT=10", "19970902 09 16 23 30 1007 14 21 28 1104", 0},
        {"19970902", "FREQ=WEEKLY;UNTIL=19971224T000000Z",
         "19970902 09 16 23 30 1007 14 21 28 1104 11 18 25 1202 09 16 23", 0},
        {"19970902", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
         "19970902 16 30 1014 28 1111 25 1209 23 19980106 20 0203 17", 13},
        {"19970902", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
         "19970902 04 09 11 16 18 23 25 30 1002", 0},
        {"19970902", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
         "19970902 04 09 11 16 18 23 25 30 1002", 0},
        {"19970901", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
         "19970901 03 05 15 17 19 29 1001 03 13 15 17 27 29 31 1110 12 14 24 26 28 1208 10 12 22",
         0},
        {"19970902", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
         "19970902 04 16 18 30 1002 14 16", 0},
        {"19970905", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
         "19970905 1003 1107 1205 19980102 0206 0306 0403 0501 0605", 0},
        {"19970905", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR", "19970905 1003 1107 1205", 0},
        {"19970907", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
         "19970907 28 1102 30 19980104 25 0301 29 0503 31", 0},
        {"19970922", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO", "19970922 1020 1117 1222 19980119 0216", 0},
        {"19970928", "FREQ=MONTHLY;BYMONTHDAY=-3", "19970928 1029 1128 1229 19980129 0226", 6},
        {"19970902", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
         "19970902 15 1002 15 1102 15 1202 15 19980102 15", 0},
        {"19970930", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
         "19970930 1001 31 1101 30 1201 31 19980101 31 0201", 0},
        {"19970910", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
         "19970910 11 12 13 14 15 19990310 11 12 13", 0},
        {"19970902", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
         "19970902 09 16 23 30 1104 11 18 25 19980106 13 20 27 0303 10 17 24 31", 18},
        {"19970610", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
         "19970610 0710 19980610 0710 19990610 0710 20000610 0710 20010610 0710", 0},
        {"19970310", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
         "19970310 19990110 0210 0310 20010110 0210 0310 20030110 0210 0310", 0},
        {"19970519", "FREQ=YEARLY;BYDAY=20MO", "19970519 19980518 19990517", 3},
        {"19970313", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
         "19970313 20 27 19980305 12 19 26 19990304 11 18 25", 11},
        {"19970605", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
         "19970605 12 19 26 0703 10 17 24 31 0807 14 21 28 19980604", 14},
        {"19970902", "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
         "19970902 19980213 0313 1113 19990813 20001013", 6},
        {"19970913", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
         "19970913 1011 1108 1213 19980110 0207 0307 0411 0509 0613", 10},
        {"19961105", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
         "19961105 20001107 20041102", 3},
        {"19970904", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904 1007 1106", 0},
        {"19970929", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
         "19970929 1030 1127 1230 19980129 0226 0330", 7},
        {"19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805 10 19 24", 0},
        {"19970805", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805 17 19 31", 0},
        {"20070115", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "20070115 30 0215 0315 30", 0},
    };
    (void)state;
    check_series(rows, sizeof rows / sizeof rows[0], true);
}

static void the_fine_points(void **state)
{
    static const struct series rows[] = {
        /* Days that a month or a year does not have are left out. */
        {"20260131", "FREQ=MONTHLY", "20260131 0331 0531 0731 0831", 5},
        {"20260131", "FREQ=MONTHLY;BYMONTHDAY=-1", "20260131 0228 0331 0430", 4},
        {"20280229", "FREQ=YEARLY", "20280229 20320229", 2},
        {"20960229", "FREQ=YEARLY", "20960229 21040229", 2},
        {"20260101", "FREQ=YEARLY;BYDAY=53TH", "20260101 1231 20321230", 3},
        {"20260101", "FREQ=MONTHLY;BYDAY=6MO", "20260101", 0},
        {"20260101", "FREQ=MONTHLY;BYDAY=-5MO", "20260101 0302 0601 0803 1102", 5},
        {"20260101", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "20260101", 0},
        /* A BYDAY that mixes plain and numbered days is a union. */
        {"20260601", "FREQ=MONTHLY;BYDAY=WE,1MO,-1MO", "20260601 03 10 17 24 29 0701 06 08", 9},
        /* A week's set for BYSETPOS is the whole week, also before the start. */
        {"20260604", "FREQ=WEEKLY;BYDAY=MO,TH,FR;BYSETPOS=1", "20260604 08 15", 3},
        {"20260604", "FREQ=WEEKLY;BYDAY=MO,TH,FR;BYSETPOS=2,-1", "20260604 05 11 12", 4},
        {"20260604", "FREQ=WEEKLY;BYDAY=SU,MO,FR;BYSETPOS=1;WKST=SU", "20260604 07 14", 3},
        {"20260615", "FREQ=MONTHLY;BYDAY=MO;BYSETPOS=1", "20260615 0706", 2},
        {"20260615", "FREQ=YEARLY;BYDAY=MO;BYSETPOS=1,-1", "20260615 1228 20270104", 3},
        {"20260615", "FREQ=DAILY;BYDAY=MO,TU;BYSETPOS=1", "20260615 16 22 23", 4},
        {"20260615", "FREQ=DAILY;BYDAY=MO,TU;BYSETPOS=-1", "20260615 16 22 23", 4},
        {"20260615", "FREQ=DAILY;BYDAY=MO,TU;BYSETPOS=2", "20260615", 0},
        {"20240101",
         "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU;"
         "BYSETPOS=366,-366",
         "20240101 1231 20280101 1231", 4},
        /* COUNT counts the start, whether the rule has it or not. */
        {"20260603", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "20260603 08 15", 0},
        {"20260601", "FREQ=WEEKLY;BYDAY=MO;COUNT=3", "20260601 08 15", 0},
        {"20260601", "FREQ=WEEKLY;COUNT=1", "20260601", 0},
        /* UNTIL is inclusive, and may lie before the start. */
        {"20260601", "FREQ=DAILY;UNTIL=20260603", "20260601 02 03", 0},
        {"20260601", "FREQ=DAILY;UNTIL=20260501", "20260601", 0},
        /* BYMONTH in a week that two months share. */
        {"20260629", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH;BYMONTH=7", "20260629 0701 02 06", 4},
        {"20261228", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYMONTH=12", "20261228 29 30 31 20271201",
         5},
        /* The interval begins at the start. */
        {"20260604", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,SU", "20260604 07 15 21 29", 5},
        {"20261130", "FREQ=MONTHLY;INTERVAL=1000", "20261130 21100330 21930730", 3},
        {"20260615", "FREQ=DAILY;INTERVAL=1000", "20260615 20290311", 2},
        {"20260615", "FREQ=YEARLY;INTERVAL=400", "20260615 24260615 28260615", 0},
        /* The calendar ends with 2999. */
        {"29991230", "FREQ=DAILY", "29991230 31", 0},
        {"29991231", "FREQ=YEARLY;BYDAY=MO", "29991231", 0},
        {"19700101", "FREQ=WEEKLY;WKST=FR;BYDAY=WE,TH", "19700101 07 08", 3},
        /* A month's day without a month is that of every month. */
        {"20260615", "FREQ=YEARLY;BYMONTHDAY=15", "20260615 0715", 2},
        {"20260615", "freq=weekly;byday=mo,tu", "20260615 16 22", 3},
        {"20260615", "INTERVAL=02;WKST=MO;FREQ=DAILY", "20260615 17", 2},
        {"20260615", "FREQ=MONTHLY;BYDAY=+01MO,-01MO,+1MO;BYMONTH=07", "20260615 0706 27", 3},
    };
    (void)state;
    check_series(rows, sizeof rows / sizeof rows[0], false);
}

/* A gap of more than 400 years is the end, and one of 400 is none. */
static void a_search_looks_at_400_years(void **state)
{
    struct recurrence rule;
    int32_t next;
    (void)state;

    must_parse("FREQ=YEARLY;INTERVAL=400", false, &rule);
    const int32_t start = day_of("20000229");
    assert_true(recurrence_next(&rule, start, start, &next));
    assert_int_equal(next, day_of("24000229"));
    assert_true(recurrence_next(&rule, start, start - 1000, &next));
    assert_int_equal(next, start);
    must_parse("FREQ=YEARLY;INTERVAL=401;BYMONTHDAY=1,2,28", false, &rule);
    assert_true(recurrence_next(&rule, start, start, &next));
    assert_int_equal(next, day_of("20000301"));
    assert_false(recurrence_next(&rule, start, day_of("20001228"), &next));
    /* Later it is near enough. */
    assert_true(recurrence_next(&rule, start, day_of("20010228"), &next));
    assert_int_equal(next, day_of("24010101"));
    must_parse("FREQ=DAILY", false, &rule);
    assert_false(recurrence_next(&rule, start, day_of("29991231"), &next));
    assert_false(recurrence_next(&rule, start, INT32_MAX, &next));
    assert_true(recurrence_next(&rule, start, INT32_MIN, &next));
    assert_int_equal(next, start);
}

static void until_is_a_date_or_an_instant(void **state)
{
    struct recurrence rule;
    (void)state;
    must_parse("FREQ=DAILY;UNTIL=20261231", true, &rule);
    const int32_t day = day_of("20261231");
    assert_int_equal(rule.until_kind, RECURRENCE_UNTIL_DATE);
    assert_int_equal(rule.until_day, day);
    assert_false(recurrence_has_ended(&rule, 1, day, (day + 1) * DAY_MS + 7));
    assert_true(recurrence_has_ended(&rule, 1, day + 1, day * DAY_MS));
    must_parse("FREQ=DAILY;UNTIL=20261231t235959z", true, &rule);
    assert_int_equal(rule.until_kind, RECURRENCE_UNTIL_INSTANT);
    assert_int_equal(rule.until_ms, (day + 1) * DAY_MS - 1000);
    assert_false(recurrence_has_ended(&rule, 1, day + 1, rule.until_ms));
    assert_true(recurrence_has_ended(&rule, 1, day, rule.until_ms + 1));
    must_parse("FREQ=DAILY;COUNT=2", true, &rule);
    assert_false(recurrence_has_ended(&rule, 1, day, 0));
    assert_true(recurrence_has_ended(&rule, 2, day, 0));
}

static void count_goes_down_and_nothing_else_changes(void **state)
{
    static const char *const pairs[][2] = {
        {"FREQ=DAILY;COUNT=10", "FREQ=DAILY;COUNT=9"},
        {"count=10000;Freq=Daily", "count=9999;Freq=Daily"},
        {"FREQ=DAILY;Count=0002;WKST=mo", "FREQ=DAILY;Count=1;WKST=mo"},
        {"FREQ=DAILY;UNTIL=20261231", "FREQ=DAILY;UNTIL=20261231"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        char room[RECURRENCE_MOST + 1];
        const struct slice less = recurrence_count_down(slice_of(pairs[i][0]), room);
        assert_true(slice_eq(less, slice_of(pairs[i][1])));
    }
}

static void each_refusal_says_what_is_allowed(void **state)
{
    static const struct {
        const char *rule;
        const char *problem; /* its beginning */
    } rows[] = {
        {"", "FREQ must be there: DAILY, WEEKLY, MONTHLY or YEARLY."},
        {"INTERVAL=2", "FREQ must be there"},
        {"RRULE:FREQ=DAILY", "RRULE: must be left out"},
        {"rrule:", "RRULE: must be left out"},
        {"FREQ=DAILY;", "Part 2 must be NAME=VALUE"},
        {";FREQ=DAILY", "Part 1 must be NAME=VALUE"},
        {"FREQ=DAILY;;COUNT=1", "Part 2 must be NAME=VALUE"},
        {"FREQ", "FREQ must be NAME=VALUE"},
        {"FREQ=DAILY;=3", "Part 2 is not supported. Allowed are FREQ, INTERVAL, COUNT, UNTIL, "},
        {"FREQ=DAILY;BYHOUR=3", "BYHOUR is not supported. Allowed are FREQ, INTERVAL, "},
        {"FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not supported."},
        {"FREQ=YEARLY;BYYEARDAY=1,100", "BYYEARDAY is not supported."},
        {"FREQ=DAILY;BYMINUTE=0", "BYMINUTE is not supported."},
        {"FREQ=DAILY;BYSECOND=0", "BYSECOND is not supported."},
        {"RSCALE=GREGORIAN;FREQ=DAILY", "RSCALE is not supported."},
        {"FREQ=DAILY;SKIP=OMIT", "SKIP is not supported."},
        {"FREQ=DAILY;X-MINE=1", "X-MINE is not supported."},
        {"FREQ=DAILY; COUNT=1", "Part 2 is not supported."},
        {"FREQ=DAILY;\xc3\xa4=1", "Part 2 is not supported."},
        {"FREQ=DAILY\nDTSTART=1", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY."},
        {"FREQ=HOURLY", "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY."},
        {"FREQ=", "FREQ must be DAILY"},
        {"FREQ=DAILY;FREQ=DAILY", "FREQ must be there only once."},
        {"FREQ=DAILY;count=2;COUNT=2", "COUNT must be there only once."},
        {"FREQ=DAILY;INTERVAL=0", "INTERVAL must be a number from 1 to 1000."},
        {"FREQ=DAILY;INTERVAL=1001", "INTERVAL must be a number from 1 to 1000."},
        {"FREQ=DAILY;INTERVAL=+1", "INTERVAL must be"},
        {"FREQ=DAILY;INTERVAL=99999999999999999999", "INTERVAL must be"},
        {"FREQ=DAILY;COUNT=0", "COUNT must be a number from 1 to 10000."},
        {"FREQ=DAILY;COUNT=10001", "COUNT must be a number from 1 to 10000."},
        {"FREQ=DAILY;COUNT=", "COUNT must be"},
        {"FREQ=DAILY;COUNT=-1", "COUNT must be"},
        {"FREQ=DAILY;UNTIL=", "UNTIL must be a date such as 20261231, or an instant in UTC"},
        {"FREQ=DAILY;UNTIL=2026-12-31", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20260229", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261301", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=19691231", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=30000101", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T170000", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T1700Z", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T240000Z", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T236000Z", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T235960Z", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T170000ZZ", "UNTIL must be a date"},
        {"FREQ=DAILY;UNTIL=20261231T170000Z;COUNT=2", "COUNT must not stand beside UNTIL"},
        {"FREQ=WEEKLY;BYDAY=", "BYDAY must be a list of MO, TU, WE, TH, FR, SA and SU"},
        {"FREQ=WEEKLY;BYDAY=MO,", "BYDAY must be a list"},
        {"FREQ=WEEKLY;BYDAY=,MO", "BYDAY must be a list"},
        {"FREQ=WEEKLY;BYDAY=MON", "BYDAY must be a list"},
        {"FREQ=WEEKLY;BYDAY=M", "BYDAY must be a list"},
        {"FREQ=WEEKLY;BYDAY=OT", "BYDAY must be a list"},
        {"FREQ=WEEKLY;BYDAY=MO TU", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=0MO", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=-0MO", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=54MO", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=001MO", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=-MO", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=--1MO", "BYDAY must be a list"},
        {"FREQ=MONTHLY;BYDAY=MO1", "BYDAY must be a list"},
        {"FREQ=WEEKLY;BYDAY=1MO", "BYDAY must have no numbers unless FREQ is MONTHLY or YEARLY."},
        {"FREQ=DAILY;BYDAY=MO,-1TU", "BYDAY must have no numbers unless FREQ is MONTHLY or YEARLY"},
        {"FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=3", "BYDAY must have no numbers beside BYMONTHDAY."},
        {"FREQ=YEARLY;BYDAY=1MO;BYMONTHDAY=3", "BYDAY must have no numbers beside BYMONTHDAY."},
        {"FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY must not stand beside FREQ=WEEKLY"},
        {"FREQ=MONTHLY;BYMONTHDAY=", "BYMONTHDAY must be a list of numbers from 1 to 31 or from"},
        {"FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be a list"},
        {"FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY must be a list"},
        {"FREQ=MONTHLY;BYMONTHDAY=-32", "BYMONTHDAY must be a list"},
        {"FREQ=MONTHLY;BYMONTHDAY=1,,2", "BYMONTHDAY must be a list"},
        {"FREQ=MONTHLY;BYMONTHDAY=1.5", "BYMONTHDAY must be a list"},
        {"FREQ=YEARLY;BYMONTH=0", "BYMONTH must be a list of numbers from 1 to 12"},
        {"FREQ=YEARLY;BYMONTH=13", "BYMONTH must be a list"},
        {"FREQ=YEARLY;BYMONTH=-1", "BYMONTH must be a list"},
        {"FREQ=YEARLY;BYMONTH=+1", "BYMONTH must be a list"},
        {"FREQ=YEARLY;BYMONTH=5L", "BYMONTH must be a list"},
        {"FREQ=YEARLY;BYMONTH=", "BYMONTH must be a list"},
        {"FREQ=DAILY;BYSETPOS=1", "BYSETPOS must stand beside BYDAY, BYMONTHDAY or BYMONTH."},
        {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=0", "BYSETPOS must be a list of numbers from 1 to 366"},
        {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=367", "BYSETPOS must be a list"},
        {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=-367", "BYSETPOS must be a list"},
        {"FREQ=MONTHLY;BYDAY=MO;BYSETPOS=", "BYSETPOS must be a list"},
        {"FREQ=WEEKLY;WKST=", "WKST must be MO, TU, WE, TH, FR, SA or SU."},
        {"FREQ=WEEKLY;WKST=1", "WKST must be"},
        {"FREQ=WEEKLY;WKST=MO,TU", "WKST must be"},
    };
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (recurrence_parse(slice_of(rows[i].rule), true, &rule, problem))
            fail_msg("%s is accepted", rows[i].rule);
        if (!slice_starts(slice_of(problem), slice_of(rows[i].problem)))
            fail_msg("%s: %s", rows[i].rule, problem);
        assert_true(problem[strlen(problem) - 1] == '.');
    }
    assert_false(
        recurrence_parse(SLICE("FREQ=DAILY;UNTIL=20261231T170000Z"), false, &rule, problem));
    assert_string_equal(problem, "UNTIL must be a date such as 20261231, because `due` is a date.");
    assert_false(recurrence_parse(SLICE("FREQ=DAILY;\0=1"), false, &rule, problem));
    assert_false(recurrence_parse((struct slice){NULL, 0}, false, &rule, problem));
}

static void a_rule_has_at_most_512_bytes(void **state)
{
    char text[RECURRENCE_MOST + 1];
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;
    (void)state;
    memset(text, '0', sizeof text);
    memcpy(text, "FREQ=DAILY;COUNT=", 17);
    text[RECURRENCE_MOST - 1] = text[RECURRENCE_MOST] = '2';
    assert_true(recurrence_parse((struct slice){text, RECURRENCE_MOST}, true, &rule, problem));
    assert_int_equal(rule.count, 2);
    assert_false(recurrence_parse((struct slice){text, RECURRENCE_MOST + 1}, true, &rule, problem));
    assert_string_equal(problem, "A rule must have at most 512 bytes.");
}

/* Microseconds of the processor for one search: the least of some, because a machine has other work
 * too. */
static double measure(const struct recurrence *rule, int32_t start)
{
    double least = 1e9;
    for (unsigned i = 0; i < 9; i++) {
        struct timespec began, ended;
        int32_t next;
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &began), 0);
        const bool found = recurrence_next(rule, start, start, &next);
        assert_int_equal(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ended), 0);
        const double spent = (double)(ended.tv_sec - began.tv_sec) * 1e6 +
                             (double)(ended.tv_nsec - began.tv_nsec) / 1e3;
        least = spent < least ? spent : least;
        assert_false(found);
    }
    return least;
}

/* Each of them looks at all of 400 years and finds nothing. */
static void the_worst_rule_is_fast(void **state)
{
    static const char *const rules[] = {
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30,31",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYMONTHDAY=1,2,3,4,5,6,7,8,-1,-2,-3;BYSETPOS=2",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=8,-8,9,-9,366,-366",
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU,1MO,1TU,1WE,1TH,1FR,1SA,1SU;BYSETPOS=32,-32,100",
        "FREQ=MONTHLY;BYDAY=6MO,7TU,8WE,9TH,10FR,-6SA,-6SU",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYMONTH=1,3,5,7,8,10,12,4,6,9,11;BYDAY=MO,TU,WE,TH,FR,SA,SU,1MO,-1MO,2TU,-2TU,"
        "3WE,-3WE,4TH,-4TH,5FR,-5FR,1SA,-1SA,1SU,-1SU;BYSETPOS=366,365,364,-366,-365,-364",
        "FREQ=YEARLY;BYDAY=1MO,2TU,3WE,4TH,5FR,6SA,7SU,-1MO,-2TU,-3WE,-4TH,-5FR,-6SA,-7SU;"
        "BYSETPOS=300",
    };
    (void)state;
    double most = 0;
    const char *worst = "";
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        struct recurrence rule;
        must_parse(rules[i], false, &rule);
        const double spent = measure(&rule, day_of("20260602"));
        if (spent > most) {
            most = spent;
            worst = rules[i];
        }
    }
    print_message("the slowest search of 400 years: %.0f us, %s\n", most, worst);
#ifdef TASKHOLD_SANITIZED
    assert_true(most < 20000);
#else
    assert_true(most < 1000);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc),
        cmocka_unit_test(the_fine_points),
        cmocka_unit_test(a_search_looks_at_400_years),
        cmocka_unit_test(until_is_a_date_or_an_instant),
        cmocka_unit_test(count_goes_down_and_nothing_else_changes),
        cmocka_unit_test(each_refusal_says_what_is_allowed),
        cmocka_unit_test(a_rule_has_at_most_512_bytes),
        cmocka_unit_test(the_worst_rule_is_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
