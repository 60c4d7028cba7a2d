// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/csv.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"
#include "model/field.h"

/* Our own CSV: the first line names members of a task as the API has them, in any order. `list` and
 * `parent_id` are a list's name and another line's `id`; `labels` are separated by commas. */

enum column {
    ID,
    PARENT_ID,
    LIST,
    TITLE,
    DESCRIPTION,
    STATUS,
    PRIORITY,
    LABELS,
    START,
    DUE,
    TIME_ZONE,
    RECURRENCE,
    ANCHOR,
    COMPLETED_AT,
    COLUMN_COUNT,
};

static const struct slice names[COLUMN_COUNT] = {
    [ID] = FIELD_NAME("id"),
    [PARENT_ID] = FIELD_NAME("parent_id"),
    [LIST] = FIELD_NAME("list"),
    [TITLE] = FIELD_NAME("title"),
    [DESCRIPTION] = FIELD_NAME("description"),
    [STATUS] = FIELD_NAME("status"),
    [PRIORITY] = FIELD_NAME("priority"),
    [LABELS] = FIELD_NAME("labels"),
    [START] = FIELD_NAME("start"),
    [DUE] = FIELD_NAME("due"),
    [TIME_ZONE] = FIELD_NAME("time_zone"),
    [RECURRENCE] = FIELD_NAME("recurrence"),
    [ANCHOR] = FIELD_NAME("recurrence_anchor"),
    [COMPLETED_AT] = FIELD_NAME("completed_at"),
};

static const struct slice statuses[] = {
    FIELD_NAME("pending"),
    FIELD_NAME("in-progress"),
    FIELD_NAME("completed"),
};

static const struct slice priorities[] = {
    FIELD_NAME("none"), FIELD_NAME("low"),    FIELD_NAME("medium"),
    FIELD_NAME("high"), FIELD_NAME("urgent"),
};

static const struct slice anchors[] = {FIELD_NAME("due"), FIELD_NAME("completion")};

struct line {
    struct intake *in;
    const struct csv_record *record;
    const size_t *columns;
    struct from_task task;
};

static struct slice value_of(const struct line *line, enum column column)
{
    return csv_field(line->record, line->columns[column]);
}

/* One of several names; the first when the field is empty or, with a note, unknown. */
static bool read_choice(struct line *line, enum column column, const struct slice *choices,
                        unsigned count, unsigned *choice)
{
    const struct slice text = value_of(line, column);
    *choice = 0;
    for (unsigned i = 0; i < count; i++) {
        if (slice_eq_nocase(text, choices[i])) {
            *choice = i;
            return true;
        }
    }
    return text.len == 0 ||
           intake_note(line->in, line->task.line, "the %s `%.*s` is not known and becomes `%s`",
                       names[column].ptr, INTAKE_SHOWN(text), choices[0].ptr);
}

static bool read_when(struct line *line, enum column column, const struct zone *zone,
                      struct when *when)
{
    const struct slice text = value_of(line, column);
    *when = (struct when){0};
    if (text.len == 0 || stamp_read(text, zone, when)) {
        return true;
    }
    *when = (struct when){0};
    return intake_note(line->in, line->task.line,
                       "%s `%.*s` is left out; write 2026-12-01 or 2026-12-01T09:30:00Z",
                       names[column].ptr, INTAKE_SHOWN(text));
}

static bool read_dates(struct line *line)
{
    const struct from_options *options = line->in->options;
    struct from_task *task = &line->task;
    struct when completed = {0};
    struct zone *zone = NULL;

    task->time_zone = value_of(line, TIME_ZONE);
    if (task->time_zone.len > 0) {
        (void)(zones_find(options->zones, task->time_zone, &zone) == ZONE_FOUND);
    }
    const struct zone *clock = zone ? zone : options->zone;
    const bool done = read_when(line, START, clock, &task->start) &&
                      read_when(line, DUE, clock, &task->due) &&
                      read_when(line, COMPLETED_AT, clock, &completed);
    if (completed.kind != WHEN_NONE) {
        task->completed_at = when_begins(&completed, clock);
    }
    zone_release(&zone);
    return done;
}

static bool read_labels(struct line *line)
{
    struct slice rest = value_of(line, LABELS);
    while (rest.len > 0) {
        if (!intake_label(line->in, &line->task, slice_next(&rest, ','))) {
            return false;
        }
    }
    return true;
}

static bool read_list(struct line *line)
{
    struct from_list list = {.line = line->task.line, .name = value_of(line, LIST)};
    if (list.name.len == 0) {
        return true;
    }
    if (!intake_list(line->in, &list)) {
        return false;
    }
    line->task.list = list.key;
    return true;
}

static bool read_line(struct intake *in, const struct csv_record *record, const size_t *columns)
{
    unsigned status = 0;
    unsigned priority = 0;
    unsigned anchor = 0;
    struct line line = {in, record, columns, {.line = record->line}};
    struct from_task *task = &line.task;

    task->key = value_of(&line, ID);
    task->parent = value_of(&line, PARENT_ID);
    task->title = value_of(&line, TITLE);
    task->description = value_of(&line, DESCRIPTION);
    task->recurrence = value_of(&line, RECURRENCE);
    task->order = (int64_t)record->line;
    if (!read_list(&line) || !read_choice(&line, STATUS, statuses, 3, &status) ||
        !read_choice(&line, PRIORITY, priorities, 5, &priority) ||
        !read_choice(&line, ANCHOR, anchors, 2, &anchor) || !read_labels(&line) ||
        !read_dates(&line)) {
        return false;
    }
    task->status = (enum task_status)status;
    task->priority = (enum from_priority)priority;
    task->recurs_from_completion = anchor == 1;
    const bool done = intake_task(in, task);
    intake_forget(in);
    return done;
}

static bool read_header(struct intake *in, const struct csv_record *header, size_t *columns)
{
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        columns[i] = csv_column(header, names[i]);
    }
    if (columns[TITLE] == CSV_NO_COLUMN) {
        return intake_refuse(in, header->line,
                             "no column is named `title`; the first line names the columns: title, "
                             "and if you like id, parent_id, list, description, status, priority, "
                             "labels, start, due, time_zone, recurrence, recurrence_anchor, "
                             "completed_at");
    }
    for (size_t column = 0; column < header->count; column++) {
        const struct slice name = csv_field(header, column);
        bool known = name.len == 0;
        for (unsigned i = 0; i < COLUMN_COUNT && !known; i++) {
            known = columns[i] == column;
        }
        if (!known &&
            !intake_note(in, header->line, "the column `%.*s` is left out", INTAKE_SHOWN(name))) {
            return false;
        }
    }
    return true;
}

bool csv_tasks_read(struct intake *in, struct slice text)
{
    assert(in);
    struct csv csv;
    struct csv_record record;
    size_t columns[COLUMN_COUNT];

    csv_init(&csv, text);
    if (!csv_next(&csv, in, &record)) {
        return intake_refuse(in, 1, "there is no header line");
    }
    if (!read_header(in, &record, columns)) {
        return false;
    }
    intake_forget(in);
    while (csv_next(&csv, in, &record)) {
        if (!read_line(in, &record, columns)) {
            return false;
        }
    }
    return in->result == FROM_READ;
}
