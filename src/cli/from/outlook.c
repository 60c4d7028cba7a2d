// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/csv.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"
#include "model/field.h"

/* The CSV that Outlook writes of its tasks. Its columns are the fields of a task as Outlook names
 * them in English; its dates have the order of the Windows that wrote them, and neither zone nor
 * time. How a task recurs is not in it. */

enum column {
    SUBJECT,
    START,
    DUE,
    REMINDER,
    COMPLETED,
    PERCENT,
    CATEGORIES,
    NOTES,
    PRIORITY,
    STATUS,
    COLUMN_COUNT,
};

static const struct slice names[COLUMN_COUNT] = {
    [SUBJECT] = FIELD_NAME("Subject"),
    [START] = FIELD_NAME("Start Date"),
    [DUE] = FIELD_NAME("Due Date"),
    [REMINDER] = FIELD_NAME("Reminder On/Off"),
    [COMPLETED] = FIELD_NAME("Date Completed"),
    [PERCENT] = FIELD_NAME("% Complete"),
    [CATEGORIES] = FIELD_NAME("Categories"),
    [NOTES] = FIELD_NAME("Notes"),
    [PRIORITY] = FIELD_NAME("Priority"),
    [STATUS] = FIELD_NAME("Status"),
};

struct outlook {
    struct intake *in;
    size_t columns[COLUMN_COUNT];
    bool day_first;
    struct slice list;
};

/* ---- dates ---- */

/* `12/1/2026`, `1.12.2026`, `1-12-2026`, `2026-12-01`: three numbers. */
static bool split_date(struct slice text, unsigned number[static 3], char *separator)
{
    struct slice rest = text;
    *separator = '\0';
    for (size_t i = 0; i < text.len && *separator == '\0'; i++) {
        *separator = ascii_is_in(text.ptr[i], "/.-") ? text.ptr[i] : '\0';
    }
    for (unsigned i = 0; i < 3; i++) {
        uint64_t value = 0;
        if (*separator == '\0' || !slice_to_u64(slice_next(&rest, *separator), 9999, &value)) {
            return false;
        }
        number[i] = (unsigned)value;
    }
    return rest.ptr == NULL;
}

static bool read_date(const struct outlook *outlook, struct slice text, int32_t *day)
{
    unsigned number[3];
    char separator = '\0';

    if (!split_date(text, number, &separator)) {
        return false;
    }
    if (number[0] > 999) {
        return stamp_day(number[0], number[1], number[2], day);
    }
    const bool day_first = separator == '.' || outlook->day_first;
    return stamp_day(number[2], number[day_first ? 1 : 0], number[day_first ? 0 : 1], day);
}

static bool take_date(struct outlook *outlook, const struct csv_record *record, enum column column,
                      struct when *when)
{
    const struct slice text = csv_field(record, outlook->columns[column]);
    int32_t day = 0;

    *when = (struct when){0};
    if (text.len == 0 || slice_eq_nocase(text, SLICE("None"))) {
        return true;
    }
    if (read_date(outlook, text, &day)) {
        *when = (struct when){.kind = WHEN_DATE, .day = day};
        return true;
    }
    return intake_note(outlook->in, record->line, "%s `%.*s` is left out: it is no date",
                       names[column].ptr, INTAKE_SHOWN(text));
}

/* Whether the day or the month comes first: a number above 12 says it. */
static bool find_order(struct outlook *outlook, struct csv csv)
{
    struct csv_record record;
    size_t day_first = 0;
    size_t month_first = 0;
    size_t either = 0;

    while (csv_next(&csv, outlook->in, &record)) {
        for (enum column column = START; column <= COMPLETED; column++) {
            unsigned number[3];
            char separator = '\0';
            if (column == REMINDER ||
                !split_date(csv_field(&record, outlook->columns[column]), number, &separator) ||
                separator == '.' || number[0] > 999) {
                continue;
            }
            day_first = number[0] > 12 && day_first == 0 ? record.line : day_first;
            month_first = number[1] > 12 && month_first == 0 ? record.line : month_first;
            either = either == 0 ? record.line : either;
        }
        intake_forget(outlook->in);
    }
    if (outlook->in->result != FROM_READ) {
        return false;
    }
    if (day_first > 0 && month_first > 0) {
        return intake_refuse(outlook->in, day_first > month_first ? day_first : month_first,
                             "the day comes first in the dates of line %zu, and the month in those "
                             "of line %zu; write all of them like 2026-12-31",
                             day_first, month_first);
    }
    outlook->day_first = day_first > 0;
    return either == 0 || day_first > 0 || month_first > 0 ||
           intake_note(outlook->in, either,
                       "dates such as 3/4/2026 are read as month, day and "
                       "year: none in the file says which comes first");
}

/* ---- one task ---- */

static bool read_status(const struct outlook *outlook, const struct csv_record *record,
                        struct from_task *task)
{
    const struct slice status = csv_field(record, outlook->columns[STATUS]);
    const struct slice percent = csv_field(record, outlook->columns[PERCENT]);
    const struct slice priority = csv_field(record, outlook->columns[PRIORITY]);
    const bool whole = slice_eq(percent, SLICE("100")) || slice_eq(percent, SLICE("100%")) ||
                       slice_eq(percent, SLICE("1"));

    task->priority = slice_eq_nocase(priority, SLICE("High"))  ? FROM_PRIORITY_HIGH
                     : slice_eq_nocase(priority, SLICE("Low")) ? FROM_PRIORITY_LOW
                                                               : FROM_PRIORITY_NONE;
    if (slice_eq_nocase(status, SLICE("Complete")) || slice_eq_nocase(status, SLICE("Completed")) ||
        (status.len == 0 && whole)) {
        task->status = TASK_COMPLETED;
    } else if (slice_eq_nocase(status, SLICE("In Progress"))) {
        task->status = TASK_IN_PROGRESS;
    } else if (status.len > 0 && !slice_eq_nocase(status, SLICE("Not Started"))) {
        return intake_note(outlook->in, task->line, "the status `%.*s` becomes `pending`",
                           INTAKE_SHOWN(status));
    }
    return true;
}

static bool read_labels(const struct outlook *outlook, const struct csv_record *record,
                        struct from_task *task)
{
    struct slice rest = csv_field(record, outlook->columns[CATEGORIES]);
    const char separator = rest.len > 0 && memchr(rest.ptr, ';', rest.len) ? ';' : ',';
    while (rest.len > 0) {
        if (!intake_label(outlook->in, task, slice_next(&rest, separator))) {
            return false;
        }
    }
    return true;
}

static bool read_task(struct outlook *outlook, const struct csv_record *record)
{
    struct when completed = {0};
    struct from_task task = {
        .line = record->line,
        .list = outlook->list,
        .title = csv_field(record, outlook->columns[SUBJECT]),
        .description = csv_field(record, outlook->columns[NOTES]),
        .order = (int64_t)record->line,
    };
    const struct slice reminder = csv_field(record, outlook->columns[REMINDER]);

    if (!read_status(outlook, record, &task) || !read_labels(outlook, record, &task) ||
        !take_date(outlook, record, START, &task.start) ||
        !take_date(outlook, record, DUE, &task.due) ||
        !take_date(outlook, record, COMPLETED, &completed)) {
        return false;
    }
    if (completed.kind != WHEN_NONE) {
        task.completed_at = when_begins(&completed, outlook->in->options->zone);
    }
    return (!slice_eq_nocase(reminder, SLICE("True")) ||
            intake_note(outlook->in, task.line, "the reminder is left out")) &&
           intake_task(outlook->in, &task);
}

/* ---- the file ---- */

bool outlook_read(struct intake *in, struct slice text)
{
    assert(in);
    struct outlook outlook = {.in = in};
    struct from_list list = {.line = 1, .name = intake_file_name(in, SLICE(".csv"))};
    struct csv csv;
    struct csv_record record;

    csv_init(&csv, text);
    if (!csv_next(&csv, in, &record)) {
        return intake_refuse(in, 1, "there is no header line");
    }
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        outlook.columns[i] = csv_column(&record, names[i]);
    }
    if (outlook.columns[SUBJECT] == CSV_NO_COLUMN || outlook.columns[DUE] == CSV_NO_COLUMN) {
        return intake_refuse(in, record.line,
                             "no columns are named `Subject` and `Due Date`: this "
                             "is no CSV of Outlook's tasks; export them with English names");
    }
    intake_forget(in);
    if (!find_order(&outlook, csv) || !intake_list(in, &list)) {
        return false;
    }
    outlook.list = list.key;
    while (csv_next(&csv, in, &record)) {
        if (!read_task(&outlook, &record)) {
            return false;
        }
        intake_forget(in);
    }
    return in->result == FROM_READ;
}
