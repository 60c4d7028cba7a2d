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

/* What follows from a client's write: a date that it writes is where it is meant to be, and a
 * series has the id of the task that was first given a recurrence. `before` NULL: it is new. */
void series_settle(const struct task *before, struct task *after);

/* Does this write complete a task of a series? `before` NULL: it is new, and rolls nothing over. */
bool series_is_completed(const struct task *before, const struct task *after);

/* The completion of a task of a series, which makes the next one, and copies of what is below it.
 */
struct series_roll {
    struct series_step step;
    const struct uuid
        *ids; /* of the task and of all that come along, in the order of their bytes */
    size_t count;
};

/* Makes of the task, as it was completed, the next one. Its place, its times of creation and change
 * and its revision are set by whoever writes it. False without memory. */
bool series_make_next(const struct series_roll *roll, const struct zone *zone, struct arena *arena,
                      struct task *task) __attribute__((warn_unused_result));

/* Makes of one below it, `zone` being its own, the copy that is below the next one. It keeps its
 * position. */
bool series_make_copy(const struct series_roll *roll, const struct zone *zone, struct arena *arena,
                      struct task *task) __attribute__((warn_unused_result));

/* Completes what is open below it. */
void series_close(struct task *task, int64_t completed_at);

#endif
