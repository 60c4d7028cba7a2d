// SPDX-License-Identifier: MIT
#include "model/series.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#include "model/days.h"
#include "model/recurrence.h"

#define LONGEST_GAP_MS INT64_C(90000000) /* a zone that skips a day, and an hour more */

/* ---- wall clocks ---- */

static bool is_same_wall(struct zone_wall a, struct zone_wall b)
{
    return a.day == b.day && a.ms == b.ms;
}

/* The wall clock that an instant was made from. Of one that was moved by a gap it is what a clock
 * would have shown that nobody put forward; one that is in no gap of this zone was moved in another
 * one, which the task is no longer in. */
static struct zone_wall wall_kept(const struct zone *zone, int64_t ms, bool moved)
{
    const struct zone_wall shown = zone_wall_of(zone, ms);
    struct zone_wall kept = shown;

    if (!moved) {
        return kept;
    }
    for (int64_t change = zone_offset_until(zone, ms - LONGEST_GAP_MS); change <= ms;
         change = zone_offset_until(zone, change)) {
        const int64_t local = ms + zone_offset(zone, change - 1) * INT64_C(1000);
        const struct zone_wall before = zone_wall_of(zone_utc(), local);
        if (!is_same_wall(before, shown) && zone_instant_of(zone, before) == ms) {
            kept = before;
        }
    }
    return kept;
}

/* A date has no clock. */
static struct zone_wall wall_of(const struct zone *zone, const struct when *when, bool moved)
{
    return when->kind == WHEN_DATE ? (struct zone_wall){.day = when->day}
                                   : wall_kept(zone, when->ms, moved);
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    if (value < least) {
        return least;
    }
    return value > most ? most : value;
}

/* `*moved`: in: by a gap, to where it is; out: to where it goes. */
static int64_t move_date(int64_t packed, const struct zone *zone, int32_t days, bool *moved)
{
    struct when when;

    if (packed == FIELD_NULL_NUMBER || !when_unpack(packed, &when)) {
        return packed;
    }
    struct zone_wall wall = wall_of(zone, &when, *moved);
    wall.day += days;
    *moved = false;
    if (when.kind == WHEN_DATE) {
        when.day = (int32_t)clamp(wall.day, DAYS_LEAST, DAYS_MOST - 1);
    } else {
        const int64_t ms = zone_instant_of(zone, wall);
        *moved = !is_same_wall(zone_wall_of(zone, ms), wall);
        when.ms = clamp(ms, WHEN_MS_LEAST, WHEN_MS_MOST);
    }
    return when_pack(&when);
}

static void set_moved(struct task *task, unsigned bit, bool moved)
{
    const unsigned others = task->recurrence_anchor & ~bit;
    task->recurrence_anchor = (enum task_anchor)(moved ? others | bit : others);
}

void series_move_dates(struct task *task, const struct zone *zone, int32_t days)
{
    bool start_moved = (task->recurrence_anchor & TASK_START_MOVED) != 0;
    bool due_moved = (task->recurrence_anchor & TASK_DUE_MOVED) != 0;

    assert(zone && days >= -DAYS_MOST && days <= DAYS_MOST);
    task->start = move_date(task->start, zone, days, &start_moved);
    task->due = move_date(task->due, zone, days, &due_moved);
    set_moved(task, TASK_START_MOVED, start_moved);
    set_moved(task, TASK_DUE_MOVED, due_moved);
}

/* ---- the next date ---- */

/* A rule with the due that it begins with. */
struct course {
    struct recurrence rule;
    const struct zone *zone;
    bool timed;
    struct zone_wall wall; /* of the present due */
    int64_t due_ms;        /* of a timed one */
};

/* False: the task has no date that a rule could begin with, which is damage or just outside of the
 * years. */
static bool begin(struct course *course, const struct task *task, const struct zone *zone)
{
    struct when due;
    char problem[RECURRENCE_PROBLEM_ROOM];

    assert(task->recurrence.ptr && task->due != FIELD_NULL_NUMBER && zone);
    if (!when_unpack(task->due, &due)) {
        return false;
    }
    const bool timed = due.kind == WHEN_INSTANT;
    *course = (struct course){
        .zone = zone,
        .timed = timed,
        .wall = wall_of(zone, &due, (task->recurrence_anchor & TASK_DUE_MOVED) != 0),
        .due_ms = timed ? due.ms : 0,
    };
    return recurrence_parse(task->recurrence, timed, &course->rule, problem);
}

/* Where the search begins, and what it must reach. */
struct search {
    int32_t start;    /* DTSTART */
    int32_t after;    /* day */
    int64_t above_ms; /* of a timed one: it is later than this */
};

/* The first occurrence that `search` allows: its day by the wall clock, and its instant. */
static bool find(const struct course *course, struct search search, int32_t *day, int64_t *ms)
{
    if (search.start < RECURRENCE_START_LEAST || search.start >= DAYS_MOST) {
        return false;
    }
    do {
        if (!recurrence_next(&course->rule, search.start, search.after, day)) {
            return false;
        }
        search.after = *day;
        *ms = course->timed
                  ? zone_instant_of(course->zone, (struct zone_wall){*day, course->wall.ms})
                  : 0;
    } while (course->timed && *ms <= search.above_ms);
    return *ms <= WHEN_MS_MOST;
}

/* Two occurrences on one instant are one, so the next is later than the due. */
static struct search from_due(const struct course *course)
{
    return (struct search){course->wall.day, course->wall.day, course->due_ms};
}

/* The instants of a wall clock's day are at most a gap away from it. */
static struct search not_before(struct search search, const struct course *course, int64_t now)
{
    const int32_t yesterday = course->timed ? zone_day_of(course->zone, now - LONGEST_GAP_MS) - 1
                                            : days_today(course->zone, now) - 1;

    search.after = yesterday > search.after ? yesterday : search.after;
    search.above_ms = now - 1 > search.above_ms ? now - 1 : search.above_ms;
    return search;
}

/* The day of the completion takes the place of DTSTART; one before 1970 is its first. */
static struct search from_completion(const struct course *course, int64_t completed_at)
{
    const int32_t completed = zone_day_of(course->zone, completed_at);
    const int32_t day = completed < DAYS_LEAST ? DAYS_LEAST : completed;

    return (struct search){day, day, WHEN_MS_LEAST - 1};
}

/* UNTIL is looked at on the day that the occurrence is on, wherever a gap has moved it. */
static bool has_ended(const struct course *course, uint32_t taken, int32_t day, int64_t ms)
{
    return recurrence_has_ended(&course->rule, taken,
                                course->timed ? days_today(course->zone, ms) : day, ms);
}

static int64_t pack(const struct course *course, int32_t day, int64_t ms)
{
    const struct when when = course->timed ? (struct when){.kind = WHEN_INSTANT, .ms = ms}
                                           : (struct when){.kind = WHEN_DATE, .day = day};
    return when_pack(&when);
}

bool series_find_next(const struct task *task, const struct zone *zone, enum series_cause cause,
                      int64_t now, struct series_step *step)
{
    struct course course;
    int32_t day;
    int64_t ms;

    assert(task && zone && step);
    if (!begin(&course, task, zone)) {
        return false;
    }
    struct search search = from_due(&course);
    if (cause == SERIES_COMPLETED && (task->recurrence_anchor & TASK_ANCHOR_COMPLETION)) {
        search = from_completion(&course, task->completed_at);
    } else if (cause != SERIES_IN_TIME) {
        search = not_before(search, &course, now);
    }
    if (!find(&course, search, &day, &ms) || has_ended(&course, 1, day, ms)) {
        return false;
    }
    *step = (struct series_step){pack(&course, day, ms), day - course.wall.day};
    return true;
}

size_t series_list_dates(const struct task *task, const struct zone *zone, size_t most,
                         int64_t dates[])
{
    struct course course;
    size_t count = 0;

    assert(task && zone && dates && most > 0 && most <= SERIES_DATES_MOST);
    if (!begin(&course, task, zone)) {
        return 0;
    }
    struct search search = from_due(&course);
    while (count < most) {
        int32_t day;
        int64_t ms;
        if (!find(&course, search, &day, &ms) || has_ended(&course, (uint32_t)count + 1, day, ms)) {
            break;
        }
        dates[count++] = pack(&course, day, ms);
        search = (struct search){day, day, ms};
    }
    return count;
}

/* ---- tasks ---- */

struct uuid series_next_id(struct uuid old, int64_t due)
{
    crypto_hash_sha256_state state;
    uint8_t hash[crypto_hash_sha256_BYTES];
    char room[WHEN_TEXT_MOST];
    struct when when;
    const bool good = when_unpack(due, &when);

    assert(good);
    (void)good;
    const struct slice text = when_write(&when, room);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, old.bytes, sizeof old.bytes);
    crypto_hash_sha256_update(&state, (const unsigned char *)text.ptr, text.len);
    crypto_hash_sha256_final(&state, hash);
    return uuid_make_v8(hash);
}

/* What a step makes of the dates and the rule of a task of a series. */
static bool take_step(struct task *task, const struct zone *zone, const struct series_step *step,
                      struct arena *arena)
{
    char room[RECURRENCE_MOST];
    const struct slice rule = recurrence_count_down(task->recurrence, room);

    series_move_dates(task, zone, step->days);
    assert(task->due == step->due);
    if (rule.ptr == room) {
        task->recurrence = arena_copy(arena, rule);
    }
    return task->recurrence.ptr != NULL;
}

bool series_skip(const struct task *task, const struct zone *zone, const struct series_step *step,
                 struct arena *arena, struct task *skipped)
{
    assert(task && zone && step && arena && skipped && task->recurrence.ptr);
    *skipped = *task;
    return take_step(skipped, zone, step, arena);
}

void series_settle(const struct task *before, struct task *after)
{
    assert(after && before != after);
    if (before && before->due != after->due) {
        set_moved(after, TASK_DUE_MOVED, false);
    }
    if (before && before->start != after->start) {
        set_moved(after, TASK_START_MOVED, false);
    }
    if (after->recurrence.ptr && uuid_eq(after->series_id, (struct uuid){{0}})) {
        after->series_id = after->id;
    }
}

bool series_is_completed(const struct task *before, const struct task *after)
{
    assert(after);
    return before && before->status != TASK_COMPLETED && after->status == TASK_COMPLETED &&
           after->recurrence.ptr;
}

/* ---- a task and all that is below it ---- */

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct uuid));
}

static bool comes_along(const struct series_roll *roll, struct uuid id)
{
    return bsearch(&id, roll->ids, roll->count, sizeof id, compare_ids) != NULL;
}

/* `blocked_by` with the ids of copies in place of those whose copies they are. All ids are equally
 * long. */
static bool point_to_copies(const struct series_roll *roll, struct arena *arena,
                            struct slice *blocked_by)
{
    if (blocked_by->len <= 2) { /* [] */
        return true;
    }
    const struct slice copy = arena_copy(arena, *blocked_by);
    char *text = (char *)(uintptr_t)copy.ptr;
    if (!text) {
        return false;
    }
    for (size_t at = 2; at + UUID_TEXT_LEN < copy.len; at += UUID_TEXT_LEN + 3) {
        struct uuid id;
        if (!uuid_parse((struct slice){text + at, UUID_TEXT_LEN}, &id)) {
            break;
        }
        if (comes_along(roll, id)) {
            uuid_format(series_next_id(id, roll->step.due), text + at);
        }
    }
    *blocked_by = copy;
    return true;
}

/* A new task that is like an old one, but for its dates and its place. */
static bool make_new(const struct series_roll *roll, struct arena *arena, struct task *task)
{
    assert(roll && arena && task && comes_along(roll, task->id));
    task->id = series_next_id(task->id, roll->step.due);
    task->status = TASK_PENDING;
    task->completed_at = 0;
    task->next_id = (struct uuid){{0}};
    return point_to_copies(roll, arena, &task->blocked_by);
}

bool series_make_next(const struct series_roll *roll, const struct zone *zone, struct arena *arena,
                      struct task *task)
{
    const struct uuid old = task->id;

    assert(task->recurrence.ptr && zone);
    if (uuid_eq(task->series_id, (struct uuid){{0}})) {
        task->series_id = old;
    }
    return make_new(roll, arena, task) && take_step(task, zone, &roll->step, arena);
}

bool series_make_copy(const struct series_roll *roll, const struct zone *zone, struct arena *arena,
                      struct task *task)
{
    assert(zone && comes_along(roll, task->parent_id));
    task->parent_id = series_next_id(task->parent_id, roll->step.due);
    series_move_dates(task, zone, roll->step.days);
    return make_new(roll, arena, task);
}

void series_close(struct task *task, int64_t completed_at)
{
    assert(task && completed_at != 0);
    if (task->status != TASK_COMPLETED) {
        task->status = TASK_COMPLETED;
        task->completed_at = completed_at;
    }
}
