// SPDX-License-Identifier: MIT
#include "model/task_rules.h"

#include "model/field_errors.h"
#include "model/recurrence.h"
#include "model/series.h"
#include "model/when.h"

static bool is_given(const struct settling *s, struct slice name)
{
    const struct field *field = resource_field(&task_resource, name);
    assert(field && field->bit != 0);
    return (s->given & field->bit) != 0;
}

static bool differ(const struct slice *a, const struct slice *b)
{
    return !a->ptr != !b->ptr || !slice_eq(*a, *b);
}

/* ---- completed_at ---- */

/* It follows the status; a client may say when it was, of a task that is completed. */
static bool settle_completion(const struct settling *s)
{
    const struct task *old = s->before;
    struct task *task = s->after;
    const struct slice name = SLICE("completed_at");
    const bool given = is_given(s, name);
    if (task->status != TASK_COMPLETED) {
        if (given && task->completed_at != 0)
            return field_complain(s->complaints, name, "not_completed",
                                  "Can be set only while status is completed; send that along, or "
                                  "leave it out.");
        task->completed_at = 0;
        return true;
    }
    if (!given) {
        task->completed_at = old && old->status == TASK_COMPLETED ? old->completed_at : s->now;
        return true;
    }
    if (task->completed_at == 0)
        return field_complain(s->complaints, name, "required",
                              "Must not be null while status is completed; leave it out for now.");
    if (task->completed_at > s->now + TASK_AHEAD_MS)
        return field_complain(s->complaints, name, "in_future",
                              "Must not be more than 5 minutes ahead of the server's clock.");
    return true;
}

/* ---- start and due ---- */

static bool is_timed(int64_t packed)
{
    return (packed & 1) == 0;
}

/* Is the order of the two to be judged? */
static bool may_be_out_of_order(const struct task *old, const struct task *task)
{
    return task->start != FIELD_NULL_NUMBER && task->due != FIELD_NULL_NUMBER &&
           (!old || old->start != task->start || old->due != task->due ||
            differ(&old->time_zone, &task->time_zone));
}

bool task_needs_zone(const struct task *before, const struct task *after)
{
    assert(after);
    return may_be_out_of_order(before, after) && is_timed(after->start) != is_timed(after->due);
}

static bool settle_order(const struct settling *s)
{
    const struct task *old = s->before;
    const struct task *task = s->after;
    struct when start;
    struct when due;
    if (!may_be_out_of_order(old, task) || !when_unpack(task->start, &start) ||
        !when_unpack(task->due, &due) ||
        when_in_order(&start, &due, s->zone ? s->zone : zone_utc()))
        return true;
    const bool by_due = old && old->start == task->start;
    return field_complain(s->complaints, by_due ? SLICE("due") : SLICE("start"), "order",
                          by_due ? "Must not be before start; move start too, or clear it."
                                 : "Must not be after due; move due too, or clear it.");
}

/* ---- recurrence ---- */

static bool settle_recurrence(const struct settling *s)
{
    const struct task *old = s->before;
    const struct task *task = s->after;
    const struct slice name = SLICE("recurrence");
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;
    if (!task->recurrence.ptr)
        return true;
    const bool none = task->due == FIELD_NULL_NUMBER;
    const bool judged =
        !old || differ(&old->recurrence, &task->recurrence) || old->due != task->due;
    if (judged &&
        !recurrence_parse(task->recurrence, none || is_timed(task->due), &rule, problem) &&
        !field_complain(s->complaints, name, "rule", "%s", problem))
        return false;
    return !none || field_complain(s->complaints, name, "needs_due",
                                   "A task that recurs needs due; send one, or clear recurrence.");
}

bool task_settle(const struct settling *settling)
{
    assert(settling && settling->after && settling->complaints && settling->now > 0);
    const struct task *old = settling->before;
    struct task *task = settling->after;
    if (old || task->recurrence.ptr)
        series_settle(old, task);
    return settle_completion(settling) && settle_order(settling) && settle_recurrence(settling);
}
