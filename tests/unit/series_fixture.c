// SPDX-License-Identifier: MIT
#include "series_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/when.h"

static struct zones *zones;
struct arena *series_arena;

int series_set_up(void **state)
{
    (void)state;
    zones = zones_create(NULL, 16, 1 << 20);
    series_arena = arena_create(SERIES_ARENA);
    return zones && series_arena ? 0 : -1;
}

int series_tear_down(void **state)
{
    (void)state;
    zones_destroy(&zones);
    arena_destroy(&series_arena);
    return 0;
}

struct zone *series_zone(const char *name)
{
    struct zone *zone = NULL;
    if (zones_find(zones, slice_of(name), &zone) != ZONE_FOUND)
        fail_msg("no zone %s: install tzdata", name);
    return zone;
}

int64_t series_date(const char *text)
{
    struct when when;
    if (*text == '\0')
        return FIELD_NULL_NUMBER;
    if (!when_read(slice_of(text), &when))
        fail_msg("%s is no date", text);
    return when_pack(&when);
}

int64_t series_instant(const char *text)
{
    struct when when;
    assert_true(when_read(slice_of(text), &when) && when.kind == WHEN_INSTANT);
    return when.ms;
}

/* As answers have it, seconds alone of an instant. */
static const char *shown(int64_t packed, char room[static WHEN_TEXT_MOST + 1])
{
    struct when when;
    if (packed == FIELD_NULL_NUMBER)
        return "";
    assert_true(when_unpack(packed, &when));
    const struct slice text = when_write(&when, room);
    room[text.len] = '\0';
    if (text.len > 19)
        (void)snprintf(room + 19, 2, "Z");
    return room;
}

struct uuid series_id(uint8_t number)
{
    return (struct uuid){
        .bytes = {1, 2, 3, 4, 5, 6, 0x77, 8, 0x99, 10, 11, 12, 13, 14, 15, number}};
}

struct task series_task(const char *start, const char *due, const char *rule)
{
    struct task task;
    resource_clear(&task_resource, &task);
    task.id = task.series_id = series_id(1);
    task.title = SLICE("Water the plants");
    task.position = SLICE("a");
    task.start = series_date(start);
    task.due = series_date(due);
    task.recurrence = rule ? slice_of(rule) : (struct slice){0};
    return task;
}

void series_must_be(int64_t packed, const char *expected, const char *what)
{
    char room[WHEN_TEXT_MOST + 1];
    const char *text = shown(packed, room);
    if (strcmp(text, expected) != 0)
        fail_msg("%s: %s, not %s", what, text, expected);
}
