// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_SERIES_H
#define TASKHOLD_MODEL_SERIES_H

#include "model/task.h"
#include "model/zone.h"

/* Series of recurring tasks: which date comes after the present one, and how a task and all that is
 * below it become the next one. Zones are those of the tasks: their own, or their user's. A task is
 * in a series when it has a recurrence, and then it has a due. Pure functions; what they make lives
 * in `arena`, and borrows from the tasks. */

/* ---- dates ---- */

/* Why there is a next date. */
enum series_cause {
    SERIES_COMPLETED, /* at task->completed_at, which the anchor may count from */
    SERIES_SKIPPED,   /* counts from the due, whatever the anchor */
    SERIES_IN_TIME,   /* as if it were completed when it is due: no date is passed over */
};

/* To the next occurrence. */
struct series_step {
    int64_t due;  /* FIELD_WHEN */
    int32_t days; /* from the present due to it, by the calendar of the zone; where the completion
                     counts and was early, below 1 */
};

/* The next date of a task in a series, which is not before `now` (of a date: not before today)
 * unless the completion counts or the cause is SERIES_IN_TIME. False: the series has ended. Takes a
 * few milliseconds at most. */
bool series_find_next(const struct task *task, const struct zone *zone, enum series_cause cause,
                      int64_t now, struct series_step *step) __attribute__((warn_unused_result));

#define SERIES_DATES_MOST 100

/* The dates that would come after the present one if each were completed in time, as FIELD_WHEN.
 * Returns how many there are, at most `most`, 1 to SERIES_DATES_MOST. */
size_t series_list_dates(const struct task *task, const struct zone *zone, size_t most,
                         int64_t dates[]);

/* Moves `start` and `due`, where they are, by so many days at the wall clocks that they were
 * written with: one that the zone skips moves on by the gap, and the day after it is the old one
 * again (TASK_DUE_MOVED, TASK_START_MOVED). Nothing leaves the years 1970 to 2999. */
void series_move_dates(struct task *task, const struct zone *zone, int32_t days);

/* ---- tasks ---- */

/* The id that the next one of a task has, or the copy of one below it: a UUIDv8 of SHA-256 over the
 * 16 bytes of the old id and the text of the new due (RFC 9562 section 5.8 and appendix B.2), so
 * that whoever completes it, and how often, makes the same one. */
struct uuid series_next_id(struct uuid old, int64_t due);

/* The task after a skip; only its dates and COUNT differ. False without memory. */
bool series_skip(const struct task *task, const struct zone *zone, const struct series_step *step,
                 struct arena *arena, struct task *skipped) __attribute__((warn_unused_result));

/* Does this write complete a task of a series? `before` NULL: it is new, and rolls nothing over. */
bool series_is_completed(const struct task *before, const struct task *after);

/* One that is below the task that is completed. */
struct series_row {
    const struct task *task;
    const struct zone *zone;
    bool taken; /* there is a task already that has the id of its copy */
};

struct series_completion {
    const struct task *task; /* as the write leaves it, but for its next_id */
    const struct zone *zone;
    int64_t now;
    bool ended; /* no `step`: nothing comes */
    struct series_step step;
    bool taken;              /* as in a row: then nothing is made */
    struct slice position;   /* of the next one, directly after that of the task */
    struct series_row *rows; /* all that are below it, each after its parent */
    size_t count;
};

/* One row that is to be written; its revision is to be set. */
struct series_change {
    const struct task *before; /* NULL: it is new */
    struct task *after;
};

/* What else the completion of a task of a series changes: what is open below it is completed too;
 * then the next one comes, and with it copies of all that is below it. `*changes` is in that order;
 * the next one stands before what is below it. No copy is made of what has a next
 * one of its own, nor one whose id is taken, nor what would be below it. False without memory. */
bool series_complete(const struct series_completion *completion, struct arena *arena,
                     struct series_change **changes, size_t *count)
    __attribute__((warn_unused_result));

#endif
