// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/ics_line.h"
#include "cli/from/ics_value.h"
#include "cli/from/readers.h"
#include "cli/from/stamp.h"
#include "model/recurrence.h"

/* iCalendar's VTODO (RFC 5545, 3.6.2). What says nothing of the task itself is passed over:
 * DTSTAMP, CREATED, LAST-MODIFIED, SEQUENCE, CLASS and what begins with X-. What does and has no
 * place here is a note. Zones are those of the system: a VTIMEZONE is not read. */

#define TODO_BYTES_MOST ((size_t)4 << 20)

/* What a file begins with, after blanks. */
#define BEGIN      SLICE("BEGIN:VCALENDAR")
#define FIRST_LINE 1024

struct todo {
    struct intake *in;
    struct from_task task;
    struct slice duration;
    size_t duration_line;
    struct slice zone_name; /* of the last date that had one */
    size_t begin;           /* offset in the file */
    unsigned percent;
    bool has_status;
    bool is_override; /* of one occurrence */
};

struct calendar {
    struct intake *in;
    struct ics_lines lines;
    struct slice name; /* of X-WR-CALNAME or the file; kept as its list's key and name */
    struct slice color;
    struct slice list; /* key; empty until there is a task */
};

/* ---- dates ---- */

/* Finds the zone of a TZID, which may have a vendor's path before the name: `/example.com/Olson/
 * Europe/Paris`. NULL: it is none of IANA's. */
static struct zone *find_zone(const struct todo *todo, struct slice id, struct slice *name)
{
    struct zone *zone = NULL;
    struct slice rest = id;
    while (rest.len > 0) {
        if (rest.ptr[0] != '/' && zones_find(todo->in->options->zones, rest, &zone) == ZONE_FOUND) {
            *name = rest;
            return zone;
        }
        const char *slash = memchr(rest.ptr, '/', rest.len);
        rest = slash ? slice_from(rest, (size_t)(slash - rest.ptr) + 1) : (struct slice){0};
    }
    return NULL;
}

static bool read_date(struct todo *todo, const struct ics_line *line, struct when *when)
{
    const struct slice id = ics_parameter(line, SLICE("TZID"));
    const struct slice text = slice_strip(line->value);
    struct zone *zone = NULL;
    int32_t day = 0;
    int32_t ms = 0;
    bool utc = false;

    *when = (struct when){0};
    if (!ics_date_read(text, &day, &ms, &utc)) {
        return intake_note(todo->in, line->line,
                           "%.*s `%.*s` is no date from 1970 to 2999 and is "
                           "left out",
                           INTAKE_SHOWN(line->name), INTAKE_SHOWN(text));
    }
    if (id.len > 0 && ms >= 0 && !utc) {
        zone = find_zone(todo, id, &todo->zone_name);
        if (!zone && !intake_note(todo->in, line->line,
                                  "the time zone `%.*s` is none of IANA's "
                                  "names; the time is read in the account's zone",
                                  INTAKE_SHOWN(id))) {
            return false;
        }
    }
    const struct zone *clock = utc ? zone_utc() : zone ? zone : todo->in->options->zone;
    const bool fits = stamp_of_wall(clock, day, ms, when);
    zone_release(&zone);
    if (!fits) {
        *when = (struct when){0};
        return intake_note(todo->in, line->line,
                           "%.*s is outside the years 1970 to 2999 and is "
                           "left out",
                           INTAKE_SHOWN(line->name));
    }
    return true;
}

/* DUE as DTSTART and DURATION say; a date moves by whole days. */
static bool add_duration(struct todo *todo)
{
    struct from_task *task = &todo->task;
    struct when due = task->start;
    int64_t ms = 0;

    if (todo->duration.len == 0 || task->due.kind != WHEN_NONE) {
        return true;
    }
    if (task->start.kind != WHEN_NONE && ics_duration_read(todo->duration, &ms)) {
        if (due.kind == WHEN_DATE && ms % STAMP_DAY_MS == 0) {
            /* An all-day span ends before its last day (3.6.1). */
            const int64_t days = ms / STAMP_DAY_MS;
            due.day = (int32_t)(due.day + (days > 0 ? days - 1 : 0));
            if (civil_of_day(due.day).year <= CIVIL_YEAR_MOST) {
                task->due = due;
                return true;
            }
        } else if (due.kind == WHEN_INSTANT && due.ms + ms <= WHEN_MS_MOST) {
            due.ms += ms;
            task->due = due;
            return true;
        }
    }
    return intake_note(todo->in, todo->duration_line, "DURATION `%.*s` is left out",
                       INTAKE_SHOWN(todo->duration));
}

/* ---- recurrence ---- */

static bool has_parts(const struct recurrence *rule)
{
    return rule->weekdays || rule->numbered_weekdays || rule->month_days || rule->month_days_back ||
           rule->months || rule->positioned;
}

/* Our rules move the due date, those of iCalendar the start. Where both are there it is the same
 * only when they lie on one day, or when the rule just counts on. */
static bool moves_due(const struct todo *todo, const struct zone *zone)
{
    const struct from_task *task = &todo->task;
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;

    if (task->start.kind == WHEN_NONE ||
        !recurrence_parse(task->recurrence, task->due.kind == WHEN_INSTANT, &rule, problem)) {
        return true; /* intake_task says what is wrong */
    }
    const int32_t start =
        task->start.kind == WHEN_DATE ? task->start.day : zone_day_of(zone, task->start.ms);
    const int32_t due =
        task->due.kind == WHEN_DATE ? task->due.day : zone_day_of(zone, task->due.ms);
    const struct civil first = civil_of_day(start);
    const struct civil last = civil_of_day(due);
    return start == due ||
           (!has_parts(&rule) &&
            (rule.frequency == RECURRENCE_DAILY || rule.frequency == RECURRENCE_WEEKLY ||
             (first.year == last.year && first.month == last.month && last.day <= 28)));
}

static bool check_recurrence(struct todo *todo)
{
    struct from_task *task = &todo->task;
    struct slice name = {0};

    if (task->recurrence.len == 0) {
        return true;
    }
    if (task->due.kind == WHEN_NONE && task->start.kind != WHEN_NONE) {
        task->due = task->start;
        if (!intake_note(todo->in, task->line,
                         "it recurs and has no DUE: it is due when it "
                         "starts")) {
            return false;
        }
    }
    struct zone *zone = find_zone(todo, todo->zone_name, &name);
    const bool moves =
        task->due.kind == WHEN_NONE || moves_due(todo, zone ? zone : todo->in->options->zone);
    zone_release(&zone);
    if (!moves) {
        const struct slice rule = task->recurrence;
        task->recurrence = (struct slice){0};
        return intake_note(todo->in, task->line,
                           "the recurrence `%.*s` is left out: it counts "
                           "from DTSTART, which is on another day than DUE",
                           INTAKE_SHOWN(rule));
    }
    return true;
}

/* ---- properties ---- */

typedef bool property_read(struct todo *todo, const struct ics_line *line);

static bool read_uid(struct todo *todo, const struct ics_line *line)
{
    todo->task.key = slice_strip(line->value);
    return true;
}

static bool read_summary(struct todo *todo, const struct ics_line *line)
{
    todo->task.title = ics_text(todo->in, line->value);
    return true;
}

static bool read_description(struct todo *todo, const struct ics_line *line)
{
    todo->task.description = ics_text(todo->in, line->value);
    return true;
}

static bool read_start(struct todo *todo, const struct ics_line *line)
{
    return read_date(todo, line, &todo->task.start);
}

static bool read_due(struct todo *todo, const struct ics_line *line)
{
    return read_date(todo, line, &todo->task.due);
}

static bool read_span(struct todo *todo, const struct ics_line *line)
{
    todo->duration = slice_strip(line->value);
    todo->duration_line = line->line;
    return true;
}

static bool read_completed(struct todo *todo, const struct ics_line *line)
{
    struct when when = {0};
    if (!read_date(todo, line, &when)) {
        return false;
    }
    if (when.kind != WHEN_NONE) {
        todo->task.completed_at = when_begins(&when, todo->in->options->zone);
        if (!todo->has_status) {
            todo->task.status = TASK_COMPLETED;
        }
    }
    return true;
}

static bool read_status(struct todo *todo, const struct ics_line *line)
{
    const struct slice text = slice_strip(line->value);

    todo->has_status = true;
    if (slice_eq_nocase(text, SLICE("COMPLETED"))) {
        todo->task.status = TASK_COMPLETED;
    } else if (slice_eq_nocase(text, SLICE("IN-PROCESS"))) {
        todo->task.status = TASK_IN_PROGRESS;
    } else if (slice_eq_nocase(text, SLICE("NEEDS-ACTION"))) {
        todo->task.status = TASK_PENDING;
    } else if (slice_eq_nocase(text, SLICE("CANCELLED"))) {
        todo->task.status = TASK_COMPLETED;
        return intake_note(todo->in, line->line, "it was cancelled and comes as completed");
    } else {
        return intake_note(todo->in, line->line,
                           "the status `%.*s` is not known and becomes "
                           "`pending`",
                           INTAKE_SHOWN(text));
    }
    return true;
}

static bool read_percent(struct todo *todo, const struct ics_line *line)
{
    uint64_t percent = 0;
    if (slice_to_u64(slice_strip(line->value), 100, &percent)) {
        todo->percent = (unsigned)percent;
    }
    return true;
}

/* 1 to 4 are high, 5 is medium, 6 to 9 are low (3.8.1.9). */
static bool read_priority(struct todo *todo, const struct ics_line *line)
{
    uint64_t number = 0;
    if (!slice_to_u64(slice_strip(line->value), 9, &number)) {
        return intake_note(todo->in, line->line, "the priority `%.*s` is left out",
                           INTAKE_SHOWN(line->value));
    }
    todo->task.priority = number == 0   ? FROM_PRIORITY_NONE
                          : number <= 4 ? FROM_PRIORITY_HIGH
                          : number == 5 ? FROM_PRIORITY_MEDIUM
                                        : FROM_PRIORITY_LOW;
    return true;
}

static bool read_rule(struct todo *todo, const struct ics_line *line)
{
    if (todo->task.recurrence.len > 0) {
        return intake_note(todo->in, line->line, "a second recurrence `%.*s` is left out",
                           INTAKE_SHOWN(line->value));
    }
    todo->task.recurrence = slice_strip(line->value);
    return true;
}

static bool read_related(struct todo *todo, const struct ics_line *line)
{
    const struct slice type = ics_parameter(line, SLICE("RELTYPE"));
    if (type.len > 0 && !slice_eq_nocase(type, SLICE("PARENT"))) {
        return slice_eq_nocase(type, SLICE("CHILD")) || /* whose own PARENT says the same */
               intake_note(todo->in, line->line, "the relation %.*s to `%.*s` is left out",
                           INTAKE_SHOWN(type), INTAKE_SHOWN(line->value));
    }
    todo->task.parent = slice_strip(line->value);
    return true;
}

static bool read_categories(struct todo *todo, const struct ics_line *line)
{
    struct slice rest = line->value;
    while (rest.len > 0) {
        if (!intake_label(todo->in, &todo->task, ics_text(todo->in, ics_part(&rest)))) {
            return false;
        }
    }
    return true;
}

static bool read_override(struct todo *todo, const struct ics_line *line)
{
    todo->is_override = true;
    return intake_note(todo->in, line->line,
                       "one changed occurrence of a recurring task is left "
                       "out");
}

static bool read_order(struct todo *todo, const struct ics_line *line)
{
    uint64_t order = 0;
    if (slice_to_u64(slice_strip(line->value), INT64_MAX, &order)) {
        todo->task.order = (int64_t)order;
    }
    return true;
}

static bool leave_out(struct todo *todo, const struct ics_line *line)
{
    return intake_note(todo->in, line->line, "%.*s `%.*s` is left out", INTAKE_SHOWN(line->name),
                       INTAKE_SHOWN(line->value));
}

static const struct {
    const char *name;
    property_read *read;
} properties[] = {
    {"UID", read_uid},
    {"SUMMARY", read_summary},
    {"DESCRIPTION", read_description},
    {"DTSTART", read_start},
    {"DUE", read_due},
    {"DURATION", read_span},
    {"COMPLETED", read_completed},
    {"STATUS", read_status},
    {"PERCENT-COMPLETE", read_percent},
    {"PRIORITY", read_priority},
    {"RRULE", read_rule},
    {"RELATED-TO", read_related},
    {"CATEGORIES", read_categories},
    {"RECURRENCE-ID", read_override},
    {"X-APPLE-SORT-ORDER", read_order}, /* Apple's Reminders, and those that follow it */
    {"ATTACH", leave_out},
    {"ATTENDEE", leave_out},
    {"COMMENT", leave_out},
    {"CONTACT", leave_out},
    {"EXDATE", leave_out},
    {"EXRULE", leave_out},
    {"GEO", leave_out},
    {"LOCATION", leave_out},
    {"ORGANIZER", leave_out},
    {"RDATE", leave_out},
    {"RESOURCES", leave_out},
    {"URL", leave_out},
};

static bool read_property(struct todo *todo, const struct ics_line *line)
{
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        if (slice_eq_nocase(line->name, slice_of(properties[i].name))) {
            return properties[i].read(todo, line);
        }
    }
    return true;
}

/* ---- components ---- */

static bool is_line(const struct ics_line *line, struct slice name, struct slice value)
{
    return slice_eq_nocase(line->name, name) && slice_eq_nocase(slice_strip(line->value), value);
}

static bool too_long(struct calendar *calendar, size_t begin)
{
    return intake_refuse(calendar->in, begin,
                         "the VTODO there is longer than %zu bytes; take it out", TODO_BYTES_MOST);
}

/* Past everything up to the END of a component that has just begun, whatever lies in it. `begin`:
 * the line of the VTODO around it, or 0. */
static bool skip_component(struct calendar *calendar, size_t begin)
{
    const size_t from = calendar->lines.at;
    struct ics_line line;
    unsigned depth = 1;

    while (depth > 0 && ics_next(&calendar->lines, calendar->in, &line)) {
        depth += slice_eq_nocase(line.name, SLICE("BEGIN"));
        depth -= slice_eq_nocase(line.name, SLICE("END"));
        if (begin == 0) {
            intake_forget(calendar->in);
        } else if (calendar->lines.at - from > TODO_BYTES_MOST) {
            return too_long(calendar, begin);
        }
    }
    return calendar->in->result == FROM_READ;
}

static bool finish_todo(struct calendar *calendar, struct todo *todo)
{
    struct from_task *task = &todo->task;
    struct from_list list = {.line = task->line, .name = calendar->name, .color = calendar->color};

    if (todo->is_override) {
        return true;
    }
    if (!todo->has_status && task->status == TASK_PENDING && todo->percent > 0) {
        task->status = todo->percent == 100 ? TASK_COMPLETED : TASK_IN_PROGRESS;
    }
    if (!intake_list(calendar->in, &list) || !add_duration(todo) || !check_recurrence(todo)) {
        return false;
    }
    task->list = list.key;
    task->time_zone = todo->zone_name;
    return intake_task(calendar->in, task);
}

static bool read_todo(struct calendar *calendar, size_t begin)
{
    struct intake *in = calendar->in;
    struct todo todo = {.in = in, .task = {.line = begin}, .begin = calendar->lines.at};
    struct ics_line line;

    todo.task.order = (int64_t)begin;
    while (ics_next(&calendar->lines, in, &line)) {
        if (calendar->lines.at - todo.begin > TODO_BYTES_MOST) {
            return too_long(calendar, begin);
        }
        if (is_line(&line, SLICE("END"), SLICE("VTODO"))) {
            const bool done = finish_todo(calendar, &todo);
            intake_forget(in);
            return done;
        }
        if (slice_eq_nocase(line.name, SLICE("BEGIN"))) {
            const bool alarm = slice_eq_nocase(slice_strip(line.value), SLICE("VALARM"));
            if ((alarm && !intake_note(in, line.line, "the reminder is left out")) ||
                !skip_component(calendar, begin)) {
                return false;
            }
        } else if (!read_property(&todo, &line)) {
            return false;
        }
    }
    return intake_refuse(in, begin,
                         "the VTODO that begins there has no END:VTODO; the file is cut "
                         "off, export it again");
}

static bool skip_other(struct calendar *calendar, const struct ics_line *line)
{
    const struct slice kind = slice_strip(line->value);
    const bool is_said =
        slice_eq_nocase(kind, SLICE("VEVENT")) || slice_eq_nocase(kind, SLICE("VJOURNAL"));
    return (!is_said || intake_note(calendar->in, line->line,
                                    "a %.*s is left out: only VTODO are "
                                    "tasks",
                                    INTAKE_SHOWN(kind))) &&
           skip_component(calendar, 0);
}

/* Outside all components but VCALENDAR. The name and the color have to outlive the record. */
static bool read_outside(struct calendar *calendar, const struct ics_line *line, char *name,
                         char *color)
{
    const struct slice text = slice_strip(line->value);
    if (is_line(line, SLICE("BEGIN"), SLICE("VTODO"))) {
        return read_todo(calendar, line->line);
    }
    if (slice_eq_nocase(line->name, SLICE("BEGIN")) && !slice_eq_nocase(text, SLICE("VCALENDAR"))) {
        return skip_other(calendar, line);
    }
    if ((slice_eq_nocase(line->name, SLICE("X-WR-CALNAME")) ||
         slice_eq_nocase(line->name, SLICE("NAME"))) &&
        text.len > 0) {
        const struct slice some = utf8_cut(ics_text(calendar->in, text), 512);
        if (some.len > 0) {
            memcpy(name, some.ptr, some.len);
            calendar->name = (struct slice){name, some.len};
        }
    } else if (slice_eq_nocase(line->name, SLICE("X-APPLE-CALENDAR-COLOR")) && text.len >= 7) {
        memcpy(color, text.ptr, 7); /* #rrggbb, with an opacity after it */
        calendar->color = (struct slice){color, 7};
    }
    return true;
}

bool ics_read(struct intake *in, struct slice text)
{
    assert(in);
    char name[512];
    char color[7];
    struct calendar calendar = {
        .in = in,
        .lines = {.text = text, .line = 1},
        .name = intake_file_name(in, SLICE(".ics")),
    };
    struct ics_line line;
    const struct slice first =
        slice_strip((struct slice){text.ptr, text.len < FIRST_LINE ? text.len : FIRST_LINE});

    if (!slice_eq_nocase((struct slice){first.ptr, first.len < BEGIN.len ? first.len : BEGIN.len},
                         BEGIN)) {
        return intake_refuse(in, 1,
                             "the file does not begin with BEGIN:VCALENDAR and is no "
                             "iCalendar file");
    }
    while (ics_next(&calendar.lines, in, &line)) {
        if (!read_outside(&calendar, &line, name, color)) {
            return false;
        }
        intake_forget(in);
    }
    return in->result == FROM_READ;
}
