// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "model/tzif.h"
#include "model/zone.h"

/* For tests/model/test_zone.py. usage: print_zones FOLDER; reads names of
 * zones, one a line, and prints of each
 *
 *     zone NAME, or unknown NAME
 *     first OFFSET                                 on 1970-01-01
 *     TIME BEFORE AFTER BEGIN NEXT W1 W2 W3 W4 W5  of each change of the offset, up to 2999
 *
 * in seconds: the change and the offsets around it, the begin of the day that it ends or
 * interrupts, and that of the next day; then what five wall clocks mean: a second before the change
 * and at it, as the old offset shows them, half way to the new one, and the same two as the new
 * offset shows them.
 */

#define DAY_SECONDS 86400
#define END         INT64_C(32503680000) /* 3000-01-01 */

static int64_t instant_of(const struct zone *zone, int64_t local)
{
    const int64_t day = local / DAY_SECONDS - (local % DAY_SECONDS < 0);
    const int32_t ms = (int32_t)(local - day * DAY_SECONDS) * 1000;
    return zone_instant_of(zone, (struct zone_wall){(int32_t)day, ms}) / 1000;
}

static void print_change(const struct zone *zone, int64_t at, int32_t before, int32_t after)
{
    const int32_t day = zone_day_of(zone, at * 1000 - 1);
    const int64_t locals[] = {
        at + before - 1, at + before, at + before + (after - before) / 2,
        at + after - 1,  at + after,
    };
    printf("%lld %d %d %lld %lld", (long long)at, before, after,
           (long long)zone_day_begin(zone, day) / 1000,
           (long long)zone_day_begin(zone, day + 1) / 1000);
    for (size_t i = 0; i < sizeof locals / sizeof locals[0]; i++)
        printf(" %lld", (long long)instant_of(zone, locals[i]));
    putchar('\n');
}

/* Where the file of that zone says that a change is; the offsets are those that zone.h answers. */
static bool print_zone(const struct zone *zone, const char *folder, const char *name)
{
    static char bytes[TZIF_BYTES_MOST];
    char path[400];
    struct tzif *times = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const size_t len = fread(bytes, 1, sizeof bytes, file);
    (void)fclose(file);
    if (tzif_read((struct slice){bytes, len}, &times) != TZIF_READ)
        return false;
    printf("first %d\n", zone_offset(zone, 0));
    for (int64_t at = tzif_span_at(times, 0).until; at < END; at = tzif_span_at(times, at).until) {
        const int32_t before = zone_offset(zone, at * 1000 - 1);
        const int32_t after = zone_offset(zone, at * 1000);
        if (before != after)
            print_change(zone, at, before, after);
    }
    tzif_destroy(&times);
    return true;
}

int main(int argc, char **argv)
{
    struct zones *zones = argc == 2 ? zones_create(argv[1], 8, 1 << 20) : NULL;
    char line[200];
    if (!zones)
        return 1;
    while (fgets(line, sizeof line, stdin)) {
        struct zone *zone = NULL;
        line[strcspn(line, "\n")] = 0;
        const bool known = zones_find(zones, slice_of(line), &zone) == ZONE_FOUND;
        printf("%s %s\n", known ? "zone" : "unknown", line);
        if (known && !print_zone(zone, argv[1], line))
            return 1;
        zone_release(&zone);
    }
    zones_destroy(&zones);
    return fflush(stdout) == 0 ? 0 : 1;
}
