// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/csv.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"
#include "model/field.h"

/* The CSV of a TickTick backup: a few lines of its date and version, then a header, as its help
 * page on backups and the importers of others have it. An all-day date is a midnight in the task's
 * zone, as an instant. Status 1 and 2 are both completed; -1 is `won't do`. */

#define LINES_BEFORE_HEADER 20

enum column {
    FOLDER,
    LIST,
    TITLE,
    KIND,
    TAGS,
    CONTENT,
    START,
    DUE,
    REMINDER,
    REPEAT,
    PRIORITY,
    STATUS,
    COMPLETED,
    ORDER,
    TIMEZONE,
    ALL_DAY,
    SECTION,
    ID,
    PARENT,
    COLUMN_COUNT,
};

static const struct slice names[COLUMN_COUNT] = {
    [FOLDER] = FIELD_NAME("Folder Name"),
    [LIST] = FIELD_NAME("List Name"),
    [TITLE] = FIELD_NAME("Title"),
    [KIND] = FIELD_NAME("Kind"),
    [TAGS] = FIELD_NAME("Tags"),
    [CONTENT] = FIELD_NAME("Content"),
    [START] = FIELD_NAME("Start Date"),
    [DUE] = FIELD_NAME("Due Date"),
    [REMINDER] = FIELD_NAME("Reminder"),
    [REPEAT] = FIELD_NAME("Repeat"),
    [PRIORITY] = FIELD_NAME("Priority"),
    [STATUS] = FIELD_NAME("Status"),
    [COMPLETED] = FIELD_NAME("Completed Time"),
    [ORDER] = FIELD_NAME("Order"),
    [TIMEZONE] = FIELD_NAME("Timezone"),
    [ALL_DAY] = FIELD_NAME("Is All Day"),
    [SECTION] = FIELD_NAME("Column Name"),
    [ID] = FIELD_NAME("taskId"),
    [PARENT] = FIELD_NAME("parentId"),
};

struct backup {
    struct intake *in;
    size_t columns[COLUMN_COUNT];
    const struct csv_record *record;
};

static struct slice value_of(const struct backup *backup, enum column column)
{
    return csv_field(backup->record, backup->columns[column]);
}

/* The list of that name in its folder; TickTick's inbox is ours. */
static bool read_list(struct backup *backup, struct from_task *task)
{
    const struct slice folder = value_of(backup, FOLDER);
    struct from_list list = {.line = task->line, .name = value_of(backup, LIST)};

    if (list.name.len == 0 || (folder.len == 0 && slice_eq(list.name, SLICE("Inbox")))) {
        return true;
    }
    if (folder.len > 0) {
        list.key = intake_print(backup->in, "%.*s/%.*s", (int)folder.len, folder.ptr,
                                (int)list.name.len, list.name.ptr);
        if (!intake_has_list(backup->in, list.key) &&
            !intake_note(backup->in, task->line, "the folder `%.*s` of the list `%.*s` is left out",
                         INTAKE_SHOWN(folder), INTAKE_SHOWN(list.name))) {
            return false;
        }
    }
    if (!intake_list(backup->in, &list)) {
        return false;
    }
    task->list = list.key;
    return true;
}

static bool read_date(struct backup *backup, enum column column, const struct zone *zone,
                      bool all_day, struct when *when)
{
    const struct slice text = value_of(backup, column);

    *when = (struct when){0};
    if (text.len == 0) {
        return true;
    }
    if (!stamp_read(text, zone, when)) {
        *when = (struct when){0};
        return intake_note(backup->in, backup->record->line, "%s `%.*s` is left out",
                           names[column].ptr, INTAKE_SHOWN(text));
    }
    if (all_day && when->kind == WHEN_INSTANT) {
        *when = (struct when){.kind = WHEN_DATE, .day = zone_day_of(zone, when->ms)};
    }
    return true;
}

static bool is_same(const struct when *a, const struct when *b)
{
    return a->kind == b->kind && (a->kind == WHEN_DATE ? a->day == b->day : a->ms == b->ms);
}

/* A start without a due is what a task has that takes no time. */
static bool read_dates(struct backup *backup, struct from_task *task)
{
    const struct from_options *options = backup->in->options;
    const bool all_day = slice_eq_nocase(value_of(backup, ALL_DAY), SLICE("true"));
    struct when completed = {0};
    struct zone *zone = NULL;

    task->time_zone = value_of(backup, TIMEZONE);
    if (task->time_zone.len > 0) {
        (void)(zones_find(options->zones, task->time_zone, &zone) == ZONE_FOUND);
    }
    const struct zone *clock = zone ? zone : options->zone;
    const bool done = read_date(backup, START, clock, all_day, &task->start) &&
                      read_date(backup, DUE, clock, all_day, &task->due) &&
                      read_date(backup, COMPLETED, clock, false, &completed);
    if (completed.kind != WHEN_NONE) {
        task->completed_at = when_begins(&completed, clock);
    }
    zone_release(&zone);
    if (task->due.kind == WHEN_NONE) {
        task->due = task->start;
    }
    if (is_same(&task->start, &task->due)) {
        task->start = (struct when){0};
    }
    return done;
}

static bool read_status(struct backup *backup, struct from_task *task)
{
    const struct slice status = value_of(backup, STATUS);
    const struct slice priority = value_of(backup, PRIORITY);

    task->priority = slice_eq(priority, SLICE("1"))   ? FROM_PRIORITY_LOW
                     : slice_eq(priority, SLICE("3")) ? FROM_PRIORITY_MEDIUM
                     : slice_eq(priority, SLICE("5")) ? FROM_PRIORITY_HIGH
                                                      : FROM_PRIORITY_NONE;
    if (status.len == 0 || slice_eq(status, SLICE("0"))) {
        return true;
    }
    task->status = TASK_COMPLETED;
    return slice_eq(status, SLICE("1")) || slice_eq(status, SLICE("2")) ||
           intake_note(backup->in, task->line, "the status `%.*s` becomes `completed`",
                       INTAKE_SHOWN(status));
}

static bool read_labels(struct backup *backup, struct from_task *task)
{
    struct slice rest = value_of(backup, TAGS);
    while (rest.len > 0) {
        if (!intake_label(backup->in, task, slice_next(&rest, ','))) {
            return false;
        }
    }
    return true;
}

static int64_t read_order(struct slice text, int64_t otherwise)
{
    const bool below = slice_starts(text, SLICE("-"));
    uint64_t order = 0;
    if (!slice_to_u64(below ? slice_from(text, 1) : text, INT64_MAX, &order)) {
        return otherwise;
    }
    return below ? -(int64_t)order : (int64_t)order;
}

static bool leave_out(struct backup *backup, size_t line)
{
    const struct slice kind = value_of(backup, KIND);
    const struct slice reminder = value_of(backup, REMINDER);
    const struct slice section = value_of(backup, SECTION);
    return (reminder.len == 0 || intake_note(backup->in, line, "the reminder is left out")) &&
           (section.len == 0 || intake_note(backup->in, line, "its column `%.*s` is left out",
                                            INTAKE_SHOWN(section))) &&
           (!slice_eq_nocase(kind, SLICE("NOTE")) ||
            intake_note(backup->in, line, "it is a note there and becomes a task")) &&
           (!slice_eq_nocase(kind, SLICE("CHECKLIST")) ||
            intake_note(backup->in, line, "its checklist stays a part of the description"));
}

static bool read_task(struct backup *backup)
{
    struct from_task task = {
        .line = backup->record->line,
        .key = value_of(backup, ID),
        .parent = value_of(backup, PARENT),
        .title = value_of(backup, TITLE),
        .description = value_of(backup, CONTENT),
        .recurrence = value_of(backup, REPEAT),
        .order = read_order(value_of(backup, ORDER), (int64_t)backup->record->line),
    };

    if (slice_starts(task.recurrence, SLICE("RRULE:"))) {
        task.recurrence = slice_from(task.recurrence, 6);
    }
    return read_list(backup, &task) && read_status(backup, &task) && read_labels(backup, &task) &&
           read_dates(backup, &task) && leave_out(backup, task.line) &&
           intake_task(backup->in, &task);
}

/* The first record that names the columns. */
static bool read_header(struct backup *backup, struct csv *csv, struct csv_record *record)
{
    for (unsigned i = 0; i < LINES_BEFORE_HEADER && csv_next(csv, backup->in, record); i++) {
        for (unsigned column = 0; column < COLUMN_COUNT; column++) {
            backup->columns[column] = csv_column(record, names[column]);
        }
        intake_forget(backup->in);
        if (backup->columns[TITLE] != CSV_NO_COLUMN && backup->columns[LIST] != CSV_NO_COLUMN) {
            return true;
        }
    }
    return intake_refuse(backup->in, 1,
                         "no columns are named `List Name` and `Title`: this is no "
                         "backup of TickTick; make one in its settings, under account");
}

bool ticktick_read(struct intake *in, struct slice text)
{
    assert(in);
    struct csv_record record;
    struct backup backup = {.in = in, .record = &record};
    struct csv csv;

    csv_init(&csv, text);
    if (!read_header(&backup, &csv, &record)) {
        return false;
    }
    while (csv_next(&csv, in, &record)) {
        if (!read_task(&backup)) {
            return false;
        }
        intake_forget(in);
    }
    return in->result == FROM_READ;
}
