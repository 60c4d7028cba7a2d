// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/raw.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"

/* Tasks.json of Google Takeout: an object whose `items` are the lists, and the `items` of a list
 * its tasks, with the members that the Tasks API has for them (its reference: tasklists and tasks).
 * A `due` has a time in it that says nothing: only its date is one. How a task repeats is in no
 * file that Google gives. */

/* ---- one task ---- */

static bool leave_out(struct intake *in, const json_t *object, size_t line)
{
    const size_t links = raw_count_of(object, "links");
    const bool repeats =
        json_object_get(object, "task_recurrence_id") || json_object_get(object, "recurrence");
    return (links == 0 ||
            intake_note(in, line, "links to e-mails and others are left out: %zu", links)) &&
           (!repeats ||
            intake_note(in, line, "it repeats, and the file does not say how: it comes once")) &&
           (!json_object_get(object, "assignmentInfo") ||
            intake_note(in, line, "where it was assigned is left out"));
}

static bool read_members(struct intake *in, const json_t *object, struct from_task *task)
{
    const struct slice status = raw_text_of(object, "status");
    const struct slice due = raw_text_of(object, "due");
    const struct slice completed = raw_text_of(object, "completed");
    const struct slice position = raw_text_of(object, "position");
    struct when when = {0};
    uint64_t order = 0;
    int32_t day = 0;
    int32_t ms = 0;

    task->key = raw_id_of(in, object, "id");
    task->parent = raw_id_of(in, object, "parent");
    task->title = raw_text_of(object, "title");
    task->description = raw_text_of(object, "notes");
    task->status = slice_eq(status, SLICE("completed")) ? TASK_COMPLETED : TASK_PENDING;
    if (due.len > 0) {
        if (stamp_read_wall(due, &day, &ms)) {
            task->due = (struct when){.kind = WHEN_DATE, .day = day};
        } else if (!intake_note(in, task->line, "due `%.*s` is left out", INTAKE_SHOWN(due))) {
            return false;
        }
    }
    if (completed.len > 0 && stamp_read(completed, zone_utc(), &when)) {
        task->completed_at = when_begins(&when, zone_utc());
    }
    task->order = slice_to_u64(position, INT64_MAX, &order) ? (int64_t)order : 0;
    return leave_out(in, object, task->line) && intake_task(in, task);
}

static bool read_task(struct intake *in, const struct raw_value *value, struct slice list)
{
    struct from_task task = {.line = raw_line(in, value), .list = list};
    json_t *object = raw_tree(in, value);
    bool done = object != NULL;

    if (!object) {
        return false;
    }
    if (!json_is_object(object)) {
        done = intake_note(in, task.line, "what is no task is left out");
    } else if (raw_is_true(object, "deleted")) {
        done = intake_note(in, task.line, "it was deleted there and is left out");
    } else if (slice_strip(raw_text_of(object, "title")).len == 0 &&
               slice_strip(raw_text_of(object, "notes")).len == 0) {
        done = intake_note(in, task.line, "it has neither title nor notes and is left out");
    } else {
        done = read_members(in, object, &task);
    }
    json_decref(object);
    intake_forget(in);
    return done;
}

/* ---- lists ---- */

static bool read_tasks(struct intake *in, const struct raw_value *tasks, struct slice list)
{
    struct raw_walk walk;
    struct raw_value value;

    if (!raw_is(tasks, '[')) {
        return true;
    }
    raw_walk_init(&walk, in, tasks);
    while (raw_walk_next(&walk, NULL, &value)) {
        if (!read_task(in, &value, list)) {
            return false;
        }
    }
    return in->result == FROM_READ;
}

static bool read_list(struct intake *in, const struct raw_value *value)
{
    struct raw_value tasks = {0};
    struct from_list list = {.line = raw_line(in, value)};
    json_t *object = raw_small_members(in, value);

    if (!object) {
        return false;
    }
    list.key = raw_id_of(in, object, "id");
    list.name = raw_text_of(object, "title");
    const bool done = intake_list(in, &list);
    json_decref(object);
    intake_forget(in);
    if (!done || !raw_walk_find(in, value, SLICE("items"), &tasks)) {
        return in->result == FROM_READ; /* a list without any */
    }
    return read_tasks(in, &tasks, list.key);
}

bool google_read(struct intake *in, struct slice text)
{
    assert(in);
    struct raw_walk walk;
    struct raw_value file = {0};
    struct raw_value lists = {0};
    struct raw_value value = {0};

    if (!raw_walk_file(in, text, &file)) {
        return false;
    }
    if (!raw_is(&file, '{') || !raw_walk_find(in, &file, SLICE("items"), &lists) ||
        !raw_is(&lists, '[')) {
        return intake_refuse(in, 1,
                             "there are no `items`: this is not Tasks.json; it lies in the "
                             "archive of Takeout, in the folder Tasks");
    }
    raw_walk_init(&walk, in, &lists);
    while (raw_walk_next(&walk, NULL, &value)) {
        if (!read_list(in, &value)) {
            return false;
        }
    }
    return in->result == FROM_READ;
}
