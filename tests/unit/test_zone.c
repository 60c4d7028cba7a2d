// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/thread.h"
#include "model/civil.h"
#include "model/field.h"
#include "model/task.h"
#include "model/zone.h"

#define SYSTEM "/usr/share/zoneinfo"
#define HOUR   3600000
#define MINUTE 60000

/* ---- the system's zones ---- */

static struct zone *find(struct zones *zones, const char *name)
{
    struct zone *zone = NULL;
    return zones_find(zones, slice_of(name), &zone) == ZONE_FOUND ? zone : NULL;
}

static int64_t instant(const char *text)
{
    int64_t ms = 0;
    assert_true(clock_parse_rfc3339(slice_of(text), &ms));
    return ms;
}

/* `2026-12-01T10:00` as a wall clock. */
static struct zone_wall wall(int32_t year, unsigned month, unsigned day, int32_t ms)
{
    const struct civil date = {year, (uint8_t)month, (uint8_t)day};
    return (struct zone_wall){civil_to_day(date), ms};
}

static int32_t day(int32_t year, unsigned month, unsigned of_month)
{
    return wall(year, month, of_month, 0).day;
}

/* Zones are from the system; where it has none the test is skipped. */
static int open_system(void **state)
{
    *state = zones_create(SYSTEM, 8, 1 << 20);
    return *state ? 0 : -1;
}

static int close_system(void **state)
{
    struct zones *zones = *state;
    zones_destroy(&zones);
    return zones ? -1 : 0;
}

static struct zone *need(void **state, const char *name)
{
    struct zone *zone = find(*state, name);
    if (!zone)
        fail_msg("no %s: script/bootstrap test installs tzdata", name);
    return zone;
}

static void assert_instant(const struct zone *zone, struct zone_wall given, const char *text)
{
    assert_int_equal(zone_instant_of(zone, given), instant(text));
}

static void hours_are_skipped_and_repeated(void **state)
{
    struct zone *zone = need(state, "Europe/Berlin");
    assert_instant(zone, wall(2026, 3, 29, 2 * HOUR - 1), "2026-03-29T00:59:59.999Z");
    assert_instant(zone, wall(2026, 3, 29, 2 * HOUR), "2026-03-29T01:00:00Z");
    assert_instant(zone, wall(2026, 3, 29, 2 * HOUR + 30 * MINUTE), "2026-03-29T01:30:00Z");
    assert_instant(zone, wall(2026, 3, 29, 3 * HOUR), "2026-03-29T01:00:00Z");
    assert_instant(zone, wall(2026, 10, 25, 2 * HOUR), "2026-10-25T00:00:00Z");
    assert_instant(zone, wall(2026, 10, 25, 3 * HOUR - 1), "2026-10-25T00:59:59.999Z");
    assert_instant(zone, wall(2026, 10, 25, 3 * HOUR), "2026-10-25T02:00:00Z");
    assert_instant(zone, wall(2999, 7, 1, 0), "2999-06-30T22:00:00Z");
    assert_instant(zone, wall(1970, 1, 1, 0), "1969-12-31T23:00:00Z");
    assert_int_equal(zone_offset(zone, instant("2026-03-29T00:59:59.999Z")), 3600);
    assert_int_equal(zone_offset(zone, instant("2026-03-29T01:00:00Z")), 7200);
    const struct zone_wall shown = zone_wall_of(zone, instant("2026-10-25T01:30:00.005Z"));
    assert_int_equal(shown.day, day(2026, 10, 25));
    assert_int_equal(shown.ms, 2 * HOUR + 30 * MINUTE + 5);
    zone_release(&zone);
}

static void apia_had_no_30_december(void **state)
{
    struct zone *zone = need(state, "Pacific/Apia");
    const int32_t missing = day(2011, 12, 30);
    const int64_t change = instant("2011-12-30T10:00:00Z");
    assert_int_equal(zone_day_of(zone, change - 1), missing - 1);
    assert_int_equal(zone_day_of(zone, change), missing + 1);
    assert_int_equal(zone_day_begin(zone, missing - 1), change - 24 * HOUR);
    assert_int_equal(zone_day_begin(zone, missing), change);
    assert_int_equal(zone_day_begin(zone, missing + 1), change);
    assert_int_equal(zone_day_begin(zone, missing + 2), change + 24 * HOUR);
    /* It moves forward by the gap, to the same time of the next day. */
    assert_instant(zone, wall(2011, 12, 30, 10 * HOUR), "2011-12-30T20:00:00Z");
    assert_instant(zone, wall(2011, 12, 31, 10 * HOUR), "2011-12-30T20:00:00Z");
    zone_release(&zone);
}

static void lord_howe_moves_by_half_an_hour(void **state)
{
    struct zone *zone = need(state, "Australia/Lord_Howe");
    const int64_t forward = instant("2026-10-03T15:30:00Z");
    assert_int_equal(zone_offset(zone, forward - 1), 37800);
    assert_int_equal(zone_offset(zone, forward), 39600);
    assert_int_equal(zone_instant_of(zone, wall(2026, 10, 4, 2 * HOUR + 15 * MINUTE)),
                     forward + 15 * MINUTE);
    assert_instant(zone, wall(2026, 4, 5, 1 * HOUR + 45 * MINUTE), "2026-04-04T14:45:00Z");
    assert_int_equal(zone_offset(zone, instant("2999-01-01T00:00:00Z")), 39600);
    zone_release(&zone);
}

static void dublin_has_winter_time(void **state)
{
    struct zone *zone = need(state, "Europe/Dublin");
    assert_int_equal(zone_offset(zone, instant("2026-01-15T12:00:00Z")), 0);
    assert_int_equal(zone_offset(zone, instant("2026-07-15T12:00:00Z")), 3600);
    assert_int_equal(zone_offset(zone, instant("1970-01-15T12:00:00Z")), 3600);
    assert_int_equal(zone_offset(zone, instant("2999-01-15T12:00:00Z")), 0);
    assert_int_equal(zone_offset(zone, instant("2999-07-15T12:00:00Z")), 3600);
    zone_release(&zone);
}

static void a_day_may_begin_at_one(void **state)
{
    static const struct {
        const char *zone;
        int32_t year;
        uint8_t month;
        uint8_t day;
        const char *begin;
    } cases[] = {
        {"America/Sao_Paulo", 2018, 11, 4, "2018-11-04T03:00:00Z"},
        {"America/Sao_Paulo", 2018, 11, 5, "2018-11-05T02:00:00Z"},
        {"America/Sao_Paulo", 2018, 2, 18, "2018-02-18T03:00:00Z"}, /* 00:00 became 23:00 */
        {"America/Asuncion", 2023, 10, 1, "2023-10-01T04:00:00Z"},
        {"Asia/Beirut", 2022, 3, 27, "2022-03-26T22:00:00Z"},
        {"America/Havana", 2026, 3, 8, "2026-03-08T05:00:00Z"},
        {"America/Havana", 2026, 11, 1, "2026-11-01T04:00:00Z"}, /* 00:00 comes twice */
        {"America/Havana", 2990, 11, 7, "2990-11-07T04:00:00Z"},
        {"America/St_Johns", 2006, 10, 29, "2006-10-29T02:30:00Z"}, /* 00:01 became 23:01 */
        {"Pacific/Kwajalein", 1993, 8, 21, "1993-08-21T12:00:00Z"}, /* skipped */
        {"Africa/Monrovia", 1971, 1, 1, "1971-01-01T00:44:30Z"},
        {"Asia/Kathmandu", 2026, 1, 1, "2025-12-31T18:15:00Z"},
        {"Pacific/Kiritimati", 2026, 1, 1, "2025-12-31T10:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct zone *zone = need(state, cases[i].zone);
        const int32_t of = day(cases[i].year, cases[i].month, cases[i].day);
        const int64_t begin = zone_day_begin(zone, of);
        if (begin != instant(cases[i].begin)) {
            char text[CLOCK_RFC3339_LEN];
            clock_format_rfc3339(begin, text);
            fail_msg("%s: %.*s, not %s", cases[i].zone, (int)sizeof text, text, cases[i].begin);
        }
        assert_true(zone_day_of(zone, begin) >= of);
        assert_true(zone_day_of(zone, begin - 1) < of);
        zone_release(&zone);
    }
}

static void the_ends_of_time_do_no_harm(void **state)
{
    static const char *const names[] = {"UTC", "Europe/Berlin", "Pacific/Apia", "Africa/Cairo",
                                        "Etc/GMT+12"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = need(state, names[i]);
        const int64_t ends[] = {ZONE_MS_LEAST, ZONE_MS_LEAST + 12345, 0, ZONE_MS_MOST - 86399999,
                                ZONE_MS_MOST};
        for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++) {
            const struct zone_wall shown = zone_wall_of(zone, ends[k]);
            const int64_t begin = zone_day_begin(zone, shown.day);
            assert_int_equal(zone_instant_of(zone, shown), ends[k]);
            assert_true(begin <= ends[k] && begin > ends[k] - 26 * (int64_t)HOUR);
        }
        (void)zone_day_begin(zone, INT32_MIN);
        (void)zone_day_begin(zone, INT32_MAX);
        zone_release(&zone);
    }
}

/* ---- names ---- */

static void names_are_those_of_tzdata(void **state)
{
    static const char *const known[] = {
        "UTC",           "Etc/UTC",
        "Europe/Berlin", "America/Argentina/Buenos_Aires",
        "Etc/GMT+12",    "America/Port-au-Prince",
    };
    static const char *const unknown[] = {
        "",
        "utc",
        "Utc",
        "europe/berlin",
        "EUROPE/BERLIN",
        "Europe",
        "Europe/",
        "/Europe/Berlin",
        "Europe//Berlin",
        "Europe/Berlin/",
        "Europe/./Berlin",
        "./Europe/Berlin",
        "Europe/../Europe/Berlin",
        "../zoneinfo/Europe/Berlin",
        "..",
        ".",
        "/",
        "/usr/share/zoneinfo/Europe/Berlin",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "posix",
        "right",
        "localtime",
        "posixrules",
        "Factory",
        "zone.tab",
        "tzdata.zi",
        "leapseconds",
        "iso3166.tab",
        "Europe/Berlin ",
        " Europe/Berlin",
        "Europe/Berlin\n",
        "Mars/Olympus_Mons",
        "CET-1CEST,M3.5.0,M10.5.0/3",
        "+01:00",
        "Europe/Berlin/Mitte",
    };
    struct zone *zone = NULL;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        zone = need(state, known[i]);
        zone_release(&zone);
        assert_null(zone);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        if (zones_find(*state, slice_of(unknown[i]), &zone) != ZONE_UNKNOWN)
            fail_msg("known: %s", unknown[i]);
    }
    assert_int_equal(zones_find(*state, SLICE("Europe/Berlin\0"), &zone), ZONE_UNKNOWN);
    assert_int_equal(zones_find(*state, (struct slice){0}, &zone), ZONE_UNKNOWN);
    char longest[ZONE_NAME_MOST + 2];
    memset(longest, 'A', sizeof longest);
    assert_int_equal(zones_find(*state, (struct slice){longest, sizeof longest - 1}, &zone),
                     ZONE_UNKNOWN);
}

/* ---- files that change ---- */

/* A folder of its own for each test. */
struct folder {
    char path[64];
    struct zones *zones;
};

static int make_folder(void **state)
{
    static struct folder folder;
    (void)snprintf(folder.path, sizeof folder.path, "/tmp/test-zone-XXXXXX");
    if (!mkdtemp(folder.path))
        return -1;
    folder.zones = zones_create(folder.path, 4, 1 << 20);
    *state = &folder;
    return folder.zones ? 0 : -1;
}

static int remove_folder(void **state)
{
    struct folder *folder = *state;
    char command[100];
    zones_destroy(&folder->zones);
    (void)snprintf(command, sizeof command, "rm -r %s", folder->path);
    return system(command); /* NOLINT */
}

static void path_in(const struct folder *folder, const char *name, char path[static 128])
{
    (void)snprintf(path, 128, "%s/%s", folder->path, name);
}

/* A file of version 2 that has only a rule. It takes the place of the one before, as dpkg does it;
 * `cut` bytes are missing. */
static void put_zone(const struct folder *folder, const char *name, const char *rule, size_t cut)
{
    static const char header[44 + 6 + 4] = "TZif2";
    char block[sizeof header];
    char path[128];
    char beside[128];
    char bytes[256];
    memcpy(block, header, sizeof block);
    block[39] = 1;
    block[43] = 4;
    memcpy(block + 50, "AAA", 4);
    memcpy(bytes, block, sizeof block);
    memcpy(bytes + sizeof block, block, sizeof block);
    const size_t start = 2 * sizeof block;
    const int len = snprintf(bytes + start, sizeof bytes - start, "\n%s\n", rule);
    path_in(folder, name, path);
    path_in(folder, "beside", beside);
    FILE *file = fopen(beside, "we");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, start + (size_t)len - cut, file), start + (size_t)len - cut);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(beside, path), 0);
}

static int32_t offset_in(const struct folder *folder, const char *name)
{
    struct zone *zone = find(folder->zones, name);
    assert_non_null(zone);
    const int32_t offset = zone_offset(zone, 0);
    zone_release(&zone);
    return offset;
}

static void wait_for_a_look(void)
{
    usleep((ZONE_LOOK_MS + 50) * 1000);
}

static void changed_files_are_read_again(void **state)
{
    const struct folder *folder = *state;
    char path[128];
    path_in(folder, "One", path);
    assert_null(zones_peek(folder->zones, SLICE("One")));
    put_zone(folder, "One", "AAA-1", 0);
    assert_null(find(folder->zones, "Two"));
    assert_int_equal(offset_in(folder, "One"), 3600);
    struct zone *held = find(folder->zones, "One");
    put_zone(folder, "One", "AAA-2", 0);
    assert_int_equal(offset_in(folder, "One"), 3600); /* not yet looked at */
    struct zone *peeked = zones_peek(folder->zones, SLICE("One"));
    assert_ptr_equal(peeked, held);
    zone_release(&peeked);
    wait_for_a_look();
    assert_null(zones_peek(folder->zones, SLICE("One")));
    assert_int_equal(offset_in(folder, "One"), 7200);
    assert_int_equal(zone_offset(held, 0), 3600); /* what somebody holds never changes */
    zone_release(&held);
    put_zone(folder, "One", "AAA-3", 5); /* half written */
    wait_for_a_look();
    assert_int_equal(offset_in(folder, "One"), 7200);
    put_zone(folder, "One", "AAA-4", 0);
    wait_for_a_look();
    assert_int_equal(offset_in(folder, "One"), 4 * 3600);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(offset_in(folder, "One"), 4 * 3600);
    wait_for_a_look();
    assert_null(find(folder->zones, "One"));
    assert_null(find(folder->zones, "One"));
}

static void what_is_no_file_of_a_zone_is_unknown(void **state)
{
    const struct folder *folder = *state;
    char path[128];
    path_in(folder, "Folder", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_in(folder, "Pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    path_in(folder, "Loop", path);
    assert_int_equal(symlink("Loop", path), 0);
    path_in(folder, "Dangling", path);
    assert_int_equal(symlink("nowhere", path), 0);
    path_in(folder, "Device", path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    path_in(folder, "Empty", path);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    path_in(folder, "Huge", path);
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(ftruncate(fileno(file), INT64_C(1) << 40), 0);
    assert_int_equal(fclose(file), 0);
    put_zone(folder, "Cut", "AAA-1", 1);
    path_in(folder, "Link", path);
    put_zone(folder, "One", "AAA-1", 0);
    assert_int_equal(symlink("One", path), 0);
    static const char *const names[] = {"Folder", "Pipe", "Loop", "Dangling", "Device",
                                        "Empty",  "Huge", "Cut",  "One/Two"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct zone *zone = NULL;
        assert_int_equal(zones_find(folder->zones, slice_of(names[i]), &zone), ZONE_UNKNOWN);
    }
    assert_int_equal(offset_in(folder, "Link"), 3600);
}

/* No descriptor is left: nobody is told that there is no such zone. */
static void a_full_machine_is_no_unknown_zone(void **state)
{
    const struct folder *folder = *state;
    struct rlimit before;
    struct zone *zone = NULL;
    put_zone(folder, "One", "AAA-1", 0);
    put_zone(folder, "Two", "AAA-1", 0);
    assert_int_equal(offset_in(folder, "One"), 3600);
    put_zone(folder, "One", "AAA-2", 0);
    wait_for_a_look();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const int32_t kept = offset_in(folder, "One");
    const enum zone_status status = zones_find(folder->zones, SLICE("Two"), &zone);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(kept, 3600);
    assert_int_equal(status, ZONE_FAILED);
    wait_for_a_look();
    assert_int_equal(offset_in(folder, "One"), 7200);
}

static void without_tzdata_there_is_utc(void **state)
{
    const struct folder *folder = *state;
    struct zone *zone = find(folder->zones, "UTC");
    assert_ptr_equal(zone, zone_utc());
    assert_int_equal(zone_offset(zone, 0), 0);
    assert_int_equal(zone_day_begin(zone, 100), INT64_C(8640000000));
    assert_int_equal(zone_day_of(zone, -1), -1);
    assert_int_equal(zone_instant_of(zone, (struct zone_wall){1, 5}), 86400005);
    zone_release(&zone);
    zone = zones_peek(folder->zones, SLICE("UTC"));
    assert_ptr_equal(zone, zone_utc());
    assert_null(find(folder->zones, "Europe/Berlin"));
    assert_false(zones_are_there(folder->zones));
    assert_non_null(strstr(zones_wrong(folder->zones), "tzdata"));
    char path[128];
    path_in(folder, "Etc", path);
    assert_int_equal(mkdir(path, 0700), 0);
    put_zone(folder, "Etc/UTC", "UTC0", 0);
    assert_true(zones_are_there(folder->zones));
    assert_null(strstr(zones_wrong(folder->zones), "tzdata"));
}

/* What names none is in its user's; one that has gone is UTC, and not the user's. */
static void the_zone_of_a_task(void **state)
{
    const struct folder *folder = *state;
    static const struct {
        const char *name;
        const char *users;
        int32_t offset;
    } cases[] = {
        {"One", "Two", 3600}, {"One", NULL, 3600}, {NULL, "Two", 7200}, {NULL, NULL, 0},
        {"UTC", "Two", 0},    {"Gone", "Two", 0},  {NULL, "Gone", 0},   {"../One", "Two", 0},
    };
    put_zone(folder, "One", "AAA-1", 0);
    put_zone(folder, "Two", "AAA-2", 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct slice name = slice_of(cases[i].name);
        const struct slice users = slice_of(cases[i].users);
        struct zone *zone = zone_of(folder->zones, name, users);
        assert_int_equal(zone_offset(zone, 0), cases[i].offset);
        zone_release(&zone);
        zone = zone_of(NULL, name, users);
        assert_ptr_equal(zone, zone_utc());
    }
}

/* In a body the name must be one of a zone that is there; without zones any is taken. */
static void the_zone_in_a_body(void **state)
{
    struct folder *folder = *state;
    const struct field *field = resource_field(&task_resource, SLICE("time_zone"));
    static const struct {
        const char *body;
        const char *code;
    } cases[] = {
        {"{\"time_zone\":\"One\"}", NULL},
        {"{\"time_zone\":\"UTC\"}", NULL},
        {"{\"time_zone\":null}", NULL},
        {"{}", NULL},
        {"{\"time_zone\":\"one\"}", "time_zone"},
        {"{\"time_zone\":\"Two\"}", "time_zone"},
        {"{\"time_zone\":\"./One\"}", "time_zone"},
        {"{\"time_zone\":\"\"}", "too_short"},
    };
    put_zone(folder, "One", "AAA-1", 0);
    struct arena *arena = arena_create(1 << 20);
    for (size_t i = 0, at = 0; i < 2 * sizeof cases / sizeof cases[0]; i++, at = i / 2) {
        struct task input;
        struct json_reader json;
        char why[JSON_READER_WHY];
        struct field_reading reading = {.fields = field,
                                        .count = 1,
                                        .mode = FIELD_PATCH,
                                        .arena = arena,
                                        .zones = i % 2 ? folder->zones : NULL,
                                        .input = &input};
        const struct slice body = slice_of(cases[at].body);
        assert_int_equal(json_reader_init(&json, body, JSON_TOKENS, why), JSON_READ_OK);
        assert_true(field_read(&reading, &json));
        json_reader_finish(&json);
        const char *code = cases[at].code;
        const bool wrong = code && (reading.zones || strcmp(code, "time_zone") != 0);
        assert_int_equal(reading.errors.count, wrong);
        assert_true(!wrong || strcmp(reading.errors.list[0].code, code) == 0);
    }
    arena_destroy(&arena);
}

/* Four have room; the one that was not used for longest goes. */
static void the_cache_is_bounded(void **state)
{
    const struct folder *folder = *state;
    static const char *const names[] = {"A", "B", "C", "D", "E"};
    for (unsigned i = 0; i < 5; i++) {
        put_zone(folder, names[i], "AAA-1", 0);
        assert_int_equal(offset_in(folder, names[i]), 3600);
        assert_int_equal(offset_in(folder, "A"), 3600);
    }
    for (unsigned i = 0; i < 5; i++) {
        struct zone *zone = zones_peek(folder->zones, slice_of(names[i]));
        assert_int_equal(zone != NULL, i != 1);
        zone_release(&zone);
    }
    /* Nothing fits: it is found all the same. */
    struct zones *small = zones_create(folder->path, 4, 10);
    assert_non_null(small);
    struct zone *zone = find(small, "A");
    assert_non_null(zone);
    assert_null(zones_peek(small, SLICE("A")));
    zones_destroy(&small);
    assert_int_equal(zone_offset(zone, 0), 3600);
    zone_release(&zone);
}

/* ---- many at once ---- */

static void *use_zones(void *argument)
{
    const struct folder *folder = argument;
    static const char *const names[] = {"A", "B", "C", "D", "E", "F"};
    for (unsigned i = 0; i < 3000; i++) {
        struct zone *zone = find(folder->zones, names[i % 6]);
        if (!zone || zone_offset(zone, i) % 3600 != 0)
            return "wrong";
        zone_release(&zone);
    }
    return NULL;
}

static void many_threads_find_at_once(void **state)
{
    struct folder *folder = *state;
    static const char *const names[] = {"A", "B", "C", "D", "E", "F"};
    pthread_t threads[4];
    for (unsigned i = 0; i < 6; i++)
        put_zone(folder, names[i], "AAA-1", 0);
    for (unsigned i = 0; i < 4; i++)
        assert_true(thread_start(&threads[i], "finder", 0, use_zones, folder));
    for (unsigned i = 0; i < 300; i++)
        put_zone(folder, names[i % 6], i % 2 ? "AAA-1" : "AAA-2", 0);
    for (unsigned i = 0; i < 4; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        assert_null(wrong);
    }
}

#define WITH_SYSTEM(test) cmocka_unit_test_setup_teardown(test, open_system, close_system)
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SYSTEM(hours_are_skipped_and_repeated),
        WITH_SYSTEM(apia_had_no_30_december),
        WITH_SYSTEM(lord_howe_moves_by_half_an_hour),
        WITH_SYSTEM(dublin_has_winter_time),
        WITH_SYSTEM(a_day_may_begin_at_one),
        WITH_SYSTEM(the_ends_of_time_do_no_harm),
        WITH_SYSTEM(names_are_those_of_tzdata),
        WITH_FOLDER(changed_files_are_read_again),
        WITH_FOLDER(what_is_no_file_of_a_zone_is_unknown),
        WITH_FOLDER(a_full_machine_is_no_unknown_zone),
        WITH_FOLDER(without_tzdata_there_is_utc),
        WITH_FOLDER(the_zone_of_a_task),
        WITH_FOLDER(the_zone_in_a_body),
        WITH_FOLDER(the_cache_is_bounded),
        WITH_FOLDER(many_threads_find_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
