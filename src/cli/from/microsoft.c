// SPDX-License-Identifier: MIT
#include <assert.h>
#include <stdio.h>

#include "cli/from/raw.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"
#include "model/recurrence.h"

/* Microsoft To Do, as Graph has it (its reference: todoTaskList, todoTask, checklistItem,
 * recurrencePattern, recurrenceRange). To Do itself exports nothing: tools that save what Graph
 * answers write an object whose `lists` or `value`, or an array whose elements are the lists, each
 * with its tasks in `tasks`. What is no JSON is the CSV that Outlook writes (outlook.c).
 *
 * The checklist of a task becomes its subtasks. A due date has no time in To Do: Graph says it as a
 * midnight, of the zone that it names or of the account's. */

/* ---- dates ---- */

/* A dateTimeTimeZone. `*known`: its zone is one of IANA's, or UTC. */
static bool read_instant(struct intake *in, const json_t *object, const char *name,
                         struct when *when, int32_t *day, int32_t *ms, bool *known)
{
    const json_t *value = json_object_get(object, name);
    const struct slice text = raw_text_of(value, "dateTime");
    const struct slice zone_name = raw_text_of(value, "timeZone");
    struct zone *zone = NULL;

    if (!stamp_read_wall(text, day, ms)) {
        return false;
    }
    *known = zones_find(in->options->zones, zone_name.len > 0 ? zone_name : SLICE("UTC"), &zone) ==
             ZONE_FOUND;
    const bool fits = stamp_read(text, *known ? zone : in->options->zone, when);
    zone_release(&zone);
    return fits;
}

/* The day of a date that stands there as a midnight. */
static bool read_day(struct intake *in, const json_t *object, const char *name, size_t line,
                     struct when *when)
{
    struct when instant = {0};
    int32_t day = 0;
    int32_t ms = 0;
    bool known = false;

    *when = (struct when){0};
    if (!json_is_object(json_object_get(object, name))) {
        return true;
    }
    if (!read_instant(in, object, name, &instant, &day, &ms, &known)) {
        return intake_note(in, line, "%s is left out: it is no date from 1970 to 2999", name);
    }
    *when = (struct when){.kind = WHEN_DATE, .day = day};
    if (ms <= 0 || instant.kind != WHEN_INSTANT) {
        return true;
    }
    /* a midnight elsewhere: the account's zone says which */
    const struct zone_wall wall = zone_wall_of(in->options->zone, instant.ms);
    when->day = wall.day;
    return wall.ms == 0 || intake_note(in, line,
                                       "%s is a midnight in another zone: the day is "
                                       "that of the account's zone",
                                       name);
}

static void read_completed(struct intake *in, const json_t *object, struct from_task *task)
{
    struct when when = {0};
    int32_t day = 0;
    int32_t ms = 0;
    bool known = false;

    if (read_instant(in, object, "completedDateTime", &when, &day, &ms, &known)) {
        task->completed_at = when_begins(&when, in->options->zone);
    }
}

/* ---- recurrence ---- */

struct pattern {
    char rule[RECURRENCE_MOST];
    size_t len;
};

static void add(struct pattern *pattern, const char *name, long long value)
{
    const int len = snprintf(pattern->rule + pattern->len, sizeof pattern->rule - pattern->len,
                             ";%s=%lld", name, value);
    pattern->len += len > 0 ? (size_t)len : 0;
}

static void add_text(struct pattern *pattern, const char *text)
{
    const int len =
        snprintf(pattern->rule + pattern->len, sizeof pattern->rule - pattern->len, "%s", text);
    pattern->len += len > 0 ? (size_t)len : 0;
}

static const char *weekday_code(struct slice name)
{
    static const char *const names[] = {"monday", "tuesday",  "wednesday", "thursday",
                                        "friday", "saturday", "sunday"};
    static const char codes[7][3] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
    for (size_t i = 0; i < 7; i++) {
        if (slice_eq_nocase(name, slice_of(names[i]))) {
            return codes[i];
        }
    }
    return NULL;
}

/* BYDAY of `daysOfWeek`. False: none, more than seven, or one that is no day. */
static bool add_days(struct pattern *pattern, const json_t *object)
{
    const json_t *days = json_object_get(object, "daysOfWeek");
    const size_t count = json_array_size(days);
    if (count == 0 || count > 7) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *day = json_array_get(days, i);
        const char *code =
            json_is_string(day) ? weekday_code(slice_of(json_string_value(day))) : NULL;
        if (!code) {
            return false;
        }
        add_text(pattern, i == 0 ? ";BYDAY=" : ",");
        add_text(pattern, code);
    }
    return true;
}

/* The first, or last, of the days of the month that are one of those. */
static bool add_index(struct pattern *pattern, const json_t *object)
{
    static const char *const names[] = {"first", "second", "third", "fourth"};
    const struct slice index = raw_text_of(object, "index");

    if (!add_days(pattern, object)) {
        return false;
    }
    if (slice_eq_nocase(index, SLICE("last"))) {
        add(pattern, "BYSETPOS", -1);
        return true;
    }
    for (int i = 0; i < 4; i++) {
        if (slice_eq_nocase(index, slice_of(names[i])) || (index.len == 0 && i == 0)) {
            add(pattern, "BYSETPOS", i + 1);
            return true;
        }
    }
    return false;
}

/* A day that a month does not have is its last one. */
static bool add_day_of_month(struct pattern *pattern, const json_t *object)
{
    const json_int_t day = json_integer_value(json_object_get(object, "dayOfMonth"));
    if (day < 1 || day > 31) {
        return false;
    }
    if (day <= 28) {
        add(pattern, "BYMONTHDAY", day);
        return true;
    }
    add_text(pattern, day == 29   ? ";BYMONTHDAY=28,29;BYSETPOS=-1"
                      : day == 30 ? ";BYMONTHDAY=28,29,30;BYSETPOS=-1"
                                  : ";BYMONTHDAY=-1");
    return true;
}

static bool add_pattern(struct pattern *pattern, const json_t *object)
{
    const struct slice type = raw_text_of(object, "type");
    const bool relative = slice_starts(type, SLICE("relative"));
    const bool monthly = slice_ends(type, SLICE("Monthly"));
    const bool yearly = slice_ends(type, SLICE("Yearly"));
    const json_int_t interval = json_integer_value(json_object_get(object, "interval"));
    const char *start = weekday_code(raw_text_of(object, "firstDayOfWeek"));

    add_text(pattern, slice_eq(type, SLICE("daily"))    ? "FREQ=DAILY"
                      : slice_eq(type, SLICE("weekly")) ? "FREQ=WEEKLY"
                      : monthly                         ? "FREQ=MONTHLY"
                      : yearly                          ? "FREQ=YEARLY"
                                                        : "");
    if (pattern->len == 0) {
        return false;
    }
    if (interval > 1) {
        add(pattern, "INTERVAL", interval);
    }
    if (yearly) {
        add(pattern, "BYMONTH", json_integer_value(json_object_get(object, "month")));
    }
    if (monthly || yearly) {
        return relative ? add_index(pattern, object) : add_day_of_month(pattern, object);
    }
    if (slice_eq(type, SLICE("weekly"))) {
        if (!add_days(pattern, object)) {
            return false;
        }
        add_text(pattern, ";WKST=");
        add_text(pattern, start ? start : "SU"); /* its default */
    }
    return true;
}

static bool add_range(struct pattern *pattern, const json_t *range)
{
    const struct slice type = raw_text_of(range, "type");
    int32_t day = 0;
    int32_t ms = 0;

    if (slice_eq(type, SLICE("numbered"))) {
        add(pattern, "COUNT", json_integer_value(json_object_get(range, "numberOfOccurrences")));
    } else if (slice_eq(type, SLICE("endDate"))) {
        if (!stamp_read_wall(raw_text_of(range, "endDate"), &day, &ms)) {
            return false;
        }
        const struct civil date = civil_of_day(day);
        add(pattern, "UNTIL", date.year * 10000LL + date.month * 100 + date.day);
    }
    return true;
}

static bool read_recurrence(struct intake *in, const json_t *object, struct from_task *task)
{
    const json_t *recurrence = json_object_get(object, "recurrence");
    struct pattern pattern = {.len = 0};

    if (!json_is_object(recurrence)) {
        return true;
    }
    if (!add_pattern(&pattern, json_object_get(recurrence, "pattern")) ||
        !add_range(&pattern, json_object_get(recurrence, "range")) ||
        pattern.len >= sizeof pattern.rule) {
        return intake_note(in, task->line, "the recurrence is left out: its pattern is not known");
    }
    task->recurrence = intake_copy(in, (struct slice){pattern.rule, pattern.len});
    return true;
}

/* ---- one task ---- */

static bool leave_out(struct intake *in, const json_t *object, size_t line)
{
    const struct slice type = raw_text_of(json_object_get(object, "body"), "contentType");
    const struct slice content = raw_text_of(json_object_get(object, "body"), "content");
    const size_t linked = raw_count_of(object, "linkedResources");
    return (!raw_is_true(object, "isReminderOn") ||
            intake_note(in, line, "the reminder is left out")) &&
           (!raw_is_true(object, "hasAttachments") ||
            intake_note(in, line, "attachments are left out")) &&
           (linked == 0 || intake_note(in, line, "linked resources are left out: %zu", linked)) &&
           (content.len == 0 || !slice_eq_nocase(type, SLICE("html")) ||
            intake_note(in, line, "the description is HTML and comes as it is"));
}

static bool read_labels(struct intake *in, const json_t *object, struct from_task *task)
{
    const json_t *categories = json_object_get(object, "categories");
    for (size_t i = 0; i < json_array_size(categories); i++) {
        const char *name = json_string_value(json_array_get(categories, i));
        if (!intake_label(in, task, slice_of(name))) {
            return false;
        }
    }
    return true;
}

static bool read_status(struct intake *in, const json_t *object, struct from_task *task)
{
    const struct slice status = raw_text_of(object, "status");
    const struct slice importance = raw_text_of(object, "importance");

    task->status = slice_eq(status, SLICE("completed"))    ? TASK_COMPLETED
                   : slice_eq(status, SLICE("inProgress")) ? TASK_IN_PROGRESS
                                                           : TASK_PENDING;
    task->priority = slice_eq(importance, SLICE("high"))  ? FROM_PRIORITY_HIGH
                     : slice_eq(importance, SLICE("low")) ? FROM_PRIORITY_LOW
                                                          : FROM_PRIORITY_NONE;
    return task->status != TASK_PENDING || status.len == 0 ||
           slice_eq(status, SLICE("notStarted")) ||
           intake_note(in, task->line, "the status `%.*s` becomes `pending`", INTAKE_SHOWN(status));
}

static bool read_checklist(struct intake *in, const json_t *object, const struct from_task *parent)
{
    const json_t *items = json_object_get(object, "checklistItems");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        const struct slice checked = raw_text_of(item, "checkedDateTime");
        struct when when = {0};
        struct from_task task = {
            .line = parent->line,
            .key = raw_id_of(in, item, "id"),
            .parent = parent->key,
            .list = parent->list,
            .title = raw_text_of(item, "displayName"),
            .status = raw_is_true(item, "isChecked") ? TASK_COMPLETED : TASK_PENDING,
            .order = (int64_t)i,
        };
        if (checked.len > 0 && stamp_read(checked, zone_utc(), &when)) {
            task.completed_at = when_begins(&when, zone_utc());
        }
        if (!intake_task(in, &task)) {
            return false;
        }
    }
    return true;
}

static bool read_object(struct intake *in, const json_t *object, struct from_task *task)
{
    task->key = raw_id_of(in, object, "id");
    task->title = raw_text_of(object, "title");
    task->description = raw_text_of(json_object_get(object, "body"), "content");
    if (task->key.len == 0) {
        task->key = intake_make_key(in, task);
    }
    read_completed(in, object, task);
    return read_status(in, object, task) && read_labels(in, object, task) &&
           read_day(in, object, "startDateTime", task->line, &task->start) &&
           read_day(in, object, "dueDateTime", task->line, &task->due) &&
           read_recurrence(in, object, task) && leave_out(in, object, task->line) &&
           intake_task(in, task) && read_checklist(in, object, task);
}

static bool read_task(struct intake *in, const struct raw_value *value, struct slice list)
{
    struct from_task task = {.line = raw_line(in, value), .list = list};
    json_t *object = raw_tree(in, value);
    bool done = object != NULL;

    task.order = (int64_t)task.line;
    if (object) {
        done = json_is_object(object) ? read_object(in, object, &task)
                                      : intake_note(in, task.line, "what is no task is left out");
    }
    json_decref(object);
    intake_forget(in);
    return done;
}

/* ---- lists ---- */

static bool read_list(struct intake *in, const struct raw_value *value)
{
    struct raw_walk walk;
    struct raw_value tasks = {0};
    struct raw_value element = {0};
    struct from_list list = {.line = raw_line(in, value)};
    json_t *object = raw_small_members(in, value);

    if (!object) {
        return false;
    }
    list.key = raw_id_of(in, object, "id");
    list.name = raw_text_of(object, "displayName");
    const bool done = intake_list(in, &list);
    json_decref(object);
    intake_forget(in);
    if (!done || !raw_walk_find(in, value, SLICE("tasks"), &tasks) || !raw_is(&tasks, '[')) {
        return in->result == FROM_READ;
    }
    raw_walk_init(&walk, in, &tasks);
    while (raw_walk_next(&walk, NULL, &element)) {
        if (!read_task(in, &element, list.key)) {
            return false;
        }
    }
    return in->result == FROM_READ;
}

static bool find_lists(struct intake *in, const struct raw_value *file, struct raw_value *lists)
{
    if (raw_is(file, '[')) {
        *lists = *file;
        return true;
    }
    return (raw_walk_find(in, file, SLICE("lists"), lists) ||
            raw_walk_find(in, file, SLICE("value"), lists)) &&
           raw_is(lists, '[');
}

bool microsoft_read(struct intake *in, struct slice text)
{
    assert(in);
    struct raw_walk walk;
    struct raw_value file = {0};
    struct raw_value lists = {0};
    struct raw_value value = {0};
    const struct slice begin = slice_strip(text);

    if (begin.ptr[0] != '{' && begin.ptr[0] != '[') {
        return outlook_read(in, text);
    }
    if (!raw_walk_file(in, text, &file)) {
        return false;
    }
    if (!find_lists(in, &file, &lists)) {
        return intake_refuse(in, 1,
                             "there are neither `lists` nor `value`: give the lists of "
                             "Graph, each with its `tasks`, or the CSV that Outlook writes");
    }
    raw_walk_init(&walk, in, &lists);
    while (raw_walk_next(&walk, NULL, &value)) {
        if (!read_list(in, &value)) {
            return false;
        }
    }
    return in->result == FROM_READ;
}
