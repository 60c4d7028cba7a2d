// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/series.h"
#include "model/when.h"

/* What becomes of recurring tasks, for tests/model/test_series.py. A line of the input is `ZONE
 * ANCHOR START DUE RULE EVENT…`: ANCHOR is `due` or `completion`, START may be `-`, and an EVENT is
 * `c,NOW,COMPLETED` or `s,NOW`, in milliseconds, for a completion or a skip. A line of the output
 * has a word that is the first dates of the series with commas between them, or `-`; then, for each
 * event, `DUE,START,RULE,ID` of what there is after it, up to `end`. */

#define LISTED 20
#define ARENA  65536

static void fail(const char *what)
{
    (void)fprintf(stderr, "print_series: %s\n", what);
    exit(2);
}

static int64_t read_date(struct slice text)
{
    struct when when;
    if (slice_eq(text, SLICE("-")))
        return FIELD_NULL_NUMBER;
    if (!when_read(text, &when))
        fail("no date");
    return when_pack(&when);
}

static int64_t read_ms(struct slice text)
{
    uint64_t ms = 0;
    if (!slice_to_u64(text, INT64_MAX, &ms))
        fail("no number");
    return (int64_t)ms;
}

static void print_date(int64_t packed)
{
    char room[WHEN_TEXT_MOST];
    struct when when;
    if (packed == FIELD_NULL_NUMBER) {
        (void)putchar('-');
        return;
    }
    if (!when_unpack(packed, &when))
        fail("no date was made");
    const struct slice text = when_write(&when, room);
    (void)printf("%.*s", (int)text.len, text.ptr);
}

static void print_dates(const struct task *task, const struct zone *zone)
{
    int64_t dates[LISTED];
    const size_t count = series_list_dates(task, zone, LISTED, dates);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            (void)putchar(',');
        print_date(dates[i]);
    }
    if (count == 0)
        (void)putchar('-');
}

/* False: it has ended. */
static bool take_event(struct task *task, const struct zone *zone, struct slice event,
                       struct arena *arena)
{
    const bool skips = slice_eq(slice_next(&event, ','), SLICE("s"));
    const int64_t now = read_ms(slice_next(&event, ','));
    struct series_step step;
    struct task next;

    task->completed_at = skips ? 0 : read_ms(event);
    task->status = skips ? TASK_PENDING : TASK_COMPLETED;
    if (!series_find_next(task, zone, skips ? SERIES_SKIPPED : SERIES_COMPLETED, now, &step))
        return false;
    next = *task;
    const struct series_roll roll = {.step = step, .ids = &task->id, .count = 1};
    const bool made = skips ? series_skip(task, zone, &step, arena, &next)
                            : series_make_next(&roll, zone, arena, &next);
    if (!made)
        fail("no memory");
    *task = next;
    return true;
}

static void print_line(struct slice rest, struct zones *zones, struct arena *arena)
{
    struct task task;
    struct zone *zone = NULL;
    char id[UUID_TEXT_LEN];

    resource_clear(&task_resource, &task);
    if (zones_find(zones, slice_next(&rest, ' '), &zone) != ZONE_FOUND)
        fail("no zone");
    task.recurrence_anchor =
        slice_eq(slice_next(&rest, ' '), SLICE("due")) ? TASK_ANCHOR_DUE : TASK_ANCHOR_COMPLETION;
    task.start = read_date(slice_next(&rest, ' '));
    task.due = read_date(slice_next(&rest, ' '));
    task.recurrence = slice_next(&rest, ' ');
    print_dates(&task, zone);
    while (rest.ptr) {
        if (!take_event(&task, zone, slice_next(&rest, ' '), arena)) {
            (void)printf(" end");
            break;
        }
        (void)putchar(' ');
        print_date(task.due);
        (void)putchar(',');
        print_date(task.start);
        uuid_format(task.id, id);
        (void)printf(",%.*s,%.*s", (int)task.recurrence.len, task.recurrence.ptr, UUID_TEXT_LEN,
                     id);
    }
    (void)putchar('\n');
    zone_release(&zone);
    arena_reset(arena);
}

int main(void)
{
    char line[8192];
    struct zones *zones = zones_create(NULL, 64, 1 << 20);
    struct arena *arena = arena_create(ARENA);

    if (!zones || !arena)
        fail("no memory");
    while (fgets(line, sizeof line, stdin))
        print_line(slice_strip(slice_of(line)), zones, arena);
    arena_destroy(&arena);
    zones_destroy(&zones);
    return fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}
