// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/raw.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"
#include "model/recurrence.h"

/* data.json of a Vikunja export: an array of projects, each with its tasks, and in older ones with
 * `child_projects` (Vikunja's API has the members). All its dates are instants, and one of the year
 * 1 is none. A task repeats after so many seconds (repeat_mode 0), every month (1), or so many
 * seconds after its completion (2). */

#define DAY_SECONDS   86400
#define PROJECTS_MOST 16 /* levels of them within each other */

/* ---- one task ---- */

static bool read_date(struct intake *in, const json_t *object, const char *name, size_t line,
                      struct when *when)
{
    const struct slice text = raw_text_of(object, name);
    *when = (struct when){0};
    if (text.len == 0 || slice_starts(text, SLICE("0001-")) || stamp_read(text, zone_utc(), when)) {
        return true;
    }
    *when = (struct when){0};
    return intake_note(in, line, "%s `%.*s` is left out", name, INTAKE_SHOWN(text));
}

static bool read_recurrence(struct intake *in, const json_t *object, struct from_task *task)
{
    const json_int_t mode = json_integer_value(json_object_get(object, "repeat_mode"));
    const json_int_t seconds = json_integer_value(json_object_get(object, "repeat_after"));

    if (mode == 1) {
        task->recurrence = SLICE("FREQ=MONTHLY");
        const unsigned day = task->due.kind == WHEN_NONE
                                 ? 1
                                 : civil_of_day(zone_day_of(in->options->zone, task->due.ms)).day;
        return day <= 28 || intake_note(in, task->line,
                                        "the recurrence skips months that have no "
                                        "day %u",
                                        day);
    }
    if (seconds <= 0) {
        return true;
    }
    if (seconds % DAY_SECONDS != 0 || (mode != 0 && mode != 2)) {
        return intake_note(in, task->line,
                           "the recurrence every %lld seconds is left out: only "
                           "whole days can be",
                           (long long)seconds);
    }
    task->recurs_from_completion = mode == 2;
    task->recurrence =
        intake_print(in, "FREQ=DAILY;INTERVAL=%lld", (long long)(seconds / DAY_SECONDS));
    return true;
}

static bool read_dates(struct intake *in, const json_t *object, struct from_task *task)
{
    struct when end = {0};
    struct when done = {0};

    if (!read_date(in, object, "start_date", task->line, &task->start) ||
        !read_date(in, object, "due_date", task->line, &task->due) ||
        !read_date(in, object, "end_date", task->line, &end) ||
        !read_date(in, object, "done_at", task->line, &done)) {
        return false;
    }
    if (done.kind != WHEN_NONE) {
        task->completed_at = when_begins(&done, zone_utc());
    }
    if (end.kind != WHEN_NONE && task->due.kind != WHEN_NONE &&
        !intake_note(in, task->line, "the end date is left out")) {
        return false;
    }
    if (task->due.kind == WHEN_NONE) {
        task->due = end;
    }
    return read_recurrence(in, object, task);
}

static bool read_labels(struct intake *in, const json_t *object, struct from_task *task)
{
    const json_t *labels = json_object_get(object, "labels");
    for (size_t i = 0; i < json_array_size(labels); i++) {
        if (!intake_label(in, task, raw_text_of(json_array_get(labels, i), "title"))) {
            return false;
        }
    }
    return true;
}

/* `related_tasks`: by kind, the tasks on the other side. */
static bool read_relations(struct intake *in, const json_t *object, struct from_task *task)
{
    json_t *relations = json_object_get(object, "related_tasks");
    const char *kind = NULL;
    json_t *others = NULL;

    json_object_foreach(relations, kind, others)
    {
        const size_t count = json_array_size(others);
        const struct slice name = slice_of(kind);
        if (slice_eq(name, SLICE("parenttask"))) {
            task->parent = raw_id_of(in, json_array_get(others, 0), "id");
            if (count > 1 &&
                !intake_note(in, task->line, "it has %zu parents: the first one stays", count)) {
                return false;
            }
        } else if (!slice_eq(name, SLICE("subtask")) && count > 0 &&
                   !intake_note(in, task->line, "relations of the kind `%.*s` are left out: %zu",
                                INTAKE_SHOWN(name), count)) {
            return false;
        }
    }
    return true;
}

static bool read_comments(struct intake *in, const json_t *object, struct from_task *task)
{
    const json_t *comments = json_object_get(object, "comments");
    const size_t count = json_array_size(comments);
    for (size_t i = 0; i < count; i++) {
        intake_append(in, task, raw_text_of(json_array_get(comments, i), "comment"));
    }
    return count == 0 ||
           intake_note(in, task->line, "comments stand at the end of the description: %zu", count);
}

static bool leave_out(struct intake *in, const json_t *object, size_t line)
{
    static const struct {
        const char *name;
        const char *said;
    } arrays[] = {
        {"reminders", "reminders are left out"},
        {"reminder_dates", "reminders are left out"},
        {"assignees", "assignees are left out"},
        {"attachments", "attachments are left out"},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
        const size_t count = raw_count_of(object, arrays[i].name);
        if (count > 0 && !intake_note(in, line, "%s: %zu", arrays[i].said, count)) {
            return false;
        }
    }
    const struct slice color = raw_text_of(object, "hex_color");
    return (color.len == 0 || intake_note(in, line, "its color is left out")) &&
           (!slice_starts(raw_text_of(object, "description"), SLICE("<")) ||
            intake_note(in, line, "the description is HTML and comes as it is"));
}

static bool read_object(struct intake *in, const json_t *object, struct from_task *task)
{
    static const enum from_priority priorities[] = {
        FROM_PRIORITY_NONE, FROM_PRIORITY_LOW,    FROM_PRIORITY_MEDIUM,
        FROM_PRIORITY_HIGH, FROM_PRIORITY_URGENT, FROM_PRIORITY_URGENT, /* `do now` */
    };
    const json_int_t priority = json_integer_value(json_object_get(object, "priority"));
    const double part = json_number_value(json_object_get(object, "percent_done"));
    const double place = json_number_value(json_object_get(object, "position"));

    task->key = raw_id_of(in, object, "id");
    task->title = raw_text_of(object, "title");
    task->description = raw_text_of(object, "description");
    task->priority = priority >= 0 && priority <= 5 ? priorities[priority] : FROM_PRIORITY_NONE;
    task->status = raw_is_true(object, "done") ? TASK_COMPLETED
                   : part > 0.0 && part <= 1.0 ? TASK_IN_PROGRESS
                                               : TASK_PENDING;
    task->order = place > 0.0 && place < 1e15 ? (int64_t)place : 0;
    return read_dates(in, object, task) && read_labels(in, object, task) &&
           read_relations(in, object, task) && read_comments(in, object, task) &&
           leave_out(in, object, task->line) && intake_task(in, task);
}

static bool read_task(struct intake *in, const struct raw_value *value, struct slice list)
{
    struct from_task task = {.line = raw_line(in, value), .list = list};
    json_t *object = raw_tree(in, value);
    bool done = object != NULL;

    if (object) {
        done = json_is_object(object) ? read_object(in, object, &task)
                                      : intake_note(in, task.line, "what is no task is left out");
    }
    json_decref(object);
    intake_forget(in);
    return done;
}

/* ---- projects ---- */

static bool read_projects(struct intake *in, const struct raw_value *projects, unsigned level);

static bool read_members(struct intake *in, const struct raw_value *project, json_t *object,
                         struct from_list *list)
{
    const struct slice color = raw_text_of(object, "hex_color");
    const json_int_t above = json_integer_value(json_object_get(object, "parent_project_id"));

    list->line = raw_line(in, project);
    list->key = raw_id_of(in, object, "id");
    list->name = raw_text_of(object, "title");
    list->archived = raw_is_true(object, "is_archived");
    if (color.len > 0) {
        list->color =
            intake_print(in, "%s%.*s", color.ptr[0] == '#' ? "" : "#", (int)color.len, color.ptr);
    }
    return intake_list(in, list) &&
           (above <= 0 || intake_note(in, list->line,
                                      "it lies in another project there; lists lie "
                                      "side by side")) &&
           (raw_text_of(object, "description").len == 0 ||
            intake_note(in, list->line, "the description of the project is left out"));
}

static bool read_project(struct intake *in, const struct raw_value *project, unsigned level)
{
    struct raw_value tasks = {0};
    struct raw_value children = {0};
    struct raw_value value = {0};
    struct raw_walk walk;
    struct from_list list = {0};
    json_t *object = raw_small_members(in, project);

    if (!object) {
        return false;
    }
    bool done = read_members(in, project, object, &list);
    json_decref(object);
    intake_forget(in);
    if (done && raw_walk_find(in, project, SLICE("tasks"), &tasks) && raw_is(&tasks, '[')) {
        raw_walk_init(&walk, in, &tasks);
        while (done && raw_walk_next(&walk, NULL, &value)) {
            done = read_task(in, &value, list.key);
        }
    }
    if (!done || in->result != FROM_READ) {
        return false;
    }
    if (raw_walk_find(in, project, SLICE("child_projects"), &children) && raw_is(&children, '[')) {
        return read_projects(in, &children, level + 1);
    }
    return in->result == FROM_READ;
}

static bool read_projects(struct intake *in, const struct raw_value *projects, unsigned level)
{
    struct raw_walk walk;
    struct raw_value value = {0};

    if (level > PROJECTS_MOST) {
        return intake_refuse(in, raw_line(in, projects),
                             "projects lie more than %d levels deep in "
                             "each other; move some of them up",
                             PROJECTS_MOST);
    }
    raw_walk_init(&walk, in, projects);
    while (raw_walk_next(&walk, NULL, &value)) {
        if (!read_project(in, &value, level)) {
            return false;
        }
    }
    return in->result == FROM_READ;
}

bool vikunja_read(struct intake *in, struct slice text)
{
    assert(in);
    struct raw_value file = {0};

    if (!raw_walk_file(in, text, &file)) {
        return false;
    }
    if (!raw_is(&file, '[')) {
        return intake_refuse(in, 1,
                             "there is no array of projects: this is not data.json; it lies "
                             "in the archive of the export");
    }
    return read_projects(in, &file, 1);
}
