// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/from/csv.h"
#include "cli/from/readers.h"
#include "cli/from/spoken.h"
#include "model/field.h"

/* Todoist's CSV of one project, as its help page "Format a CSV file to import into Todoist" has it,
 * and as its backups are: an archive of such files, each named `Project [number].csv`. Tasks follow
 * each other with an INDENT from 1; a note is a comment on the task above it, and goes to the end
 * of its description. Labels are words of CONTENT that begin with @. A file has no completed
 * tasks. */

#define LEVELS_MOST 8

enum column {
    TYPE,
    CONTENT,
    DESCRIPTION,
    PRIORITY,
    INDENT,
    RESPONSIBLE,
    DATE,
    DATE_LANG,
    TIMEZONE,
    DURATION,
    DEADLINE,
    COLUMN_COUNT,
};

static const struct slice names[COLUMN_COUNT] = {
    [TYPE] = FIELD_NAME("TYPE"),
    [CONTENT] = FIELD_NAME("CONTENT"),
    [DESCRIPTION] = FIELD_NAME("DESCRIPTION"),
    [PRIORITY] = FIELD_NAME("PRIORITY"),
    [INDENT] = FIELD_NAME("INDENT"),
    [RESPONSIBLE] = FIELD_NAME("RESPONSIBLE"),
    [DATE] = FIELD_NAME("DATE"),
    [DATE_LANG] = FIELD_NAME("DATE_LANG"),
    [TIMEZONE] = FIELD_NAME("TIMEZONE"),
    [DURATION] = FIELD_NAME("DURATION"),
    [DEADLINE] = FIELD_NAME("DEADLINE"),
};

struct project {
    struct intake *in;
    struct csv csv;
    size_t columns[COLUMN_COUNT];
    struct slice list;
    struct slice above[LEVELS_MOST]; /* keys of the latest task of each level */
    unsigned levels;                 /* how many of them there are */
};

static struct slice value_of(const struct project *project, const struct csv_record *record,
                             enum column column)
{
    return csv_field(record, project->columns[column]);
}

/* ---- one task ---- */

/* Takes the labels out of the title; of one that is nothing but labels none. */
static bool read_labels(struct project *project, struct from_task *task)
{
    struct slice rest = task->title;
    char *room = arena_alloc(project->in->record, rest.len + 1);
    size_t len = 0;

    if (!room) {
        return intake_no_memory(project->in);
    }
    while (rest.ptr) {
        const struct slice word = slice_next(&rest, ' ');
        if (word.len > 1 && word.ptr[0] == '@') {
            if (!intake_label(project->in, task, slice_from(word, 1))) {
                return false;
            }
            continue;
        }
        if (len > 0) {
            room[len++] = ' ';
        }
        if (word.len > 0) {
            memcpy(room + len, word.ptr, word.len);
            len += word.len;
        }
    }
    const struct slice title = slice_strip((struct slice){room, len});
    if (title.len > 0) {
        task->title = title;
    } else {
        task->label_count = 0;
    }
    return true;
}

/* The first date of a rule that is not over; `*known`: the file has it. */
static bool find_first(const struct project *project, const struct recurrence *rule,
                       struct spoken *spoken, const struct zone *clock, bool *known)
{
    const int32_t today = zone_day_of(clock, project->in->options->now);
    const int32_t start = spoken->has_day ? spoken->day : today;
    struct when first = {0};

    *known = spoken->has_day && start >= today;
    if (!recurrence_next(rule, start, (start > today ? start : today) - 1, &spoken->day)) {
        return false;
    }
    return *known || spoken->ms < 0 ||
           (stamp_of_wall(clock, spoken->day, spoken->ms, &first) &&
            when_begins(&first, clock) > project->in->options->now) ||
           recurrence_next(rule, start, spoken->day, &spoken->day);
}

static bool read_rule(struct project *project, struct from_task *task, struct spoken *spoken,
                      const struct zone *clock)
{
    char problem[RECURRENCE_PROBLEM_ROOM];
    char room[WHEN_TEXT_MOST];
    struct recurrence rule;
    const struct slice text = {spoken->rule, spoken->rule_len};
    bool known = false;

    if (!recurrence_parse(text, spoken->ms >= 0, &rule, problem) ||
        !find_first(project, &rule, spoken, clock, &known)) {
        spoken->has_day = false;
        return intake_note(project->in, task->line, "the recurrence is left out: it never comes");
    }
    task->recurrence = intake_copy(project->in, text);
    task->recurs_from_completion = spoken->from_completion;
    const struct when day = {.kind = WHEN_DATE, .day = spoken->day};
    const struct slice shown = when_write(&day, room);
    if (!known && !intake_note(project->in, task->line,
                               "the file has no date for the recurrence: it is due on %.*s first",
                               (int)shown.len, shown.ptr)) {
        return false;
    }
    spoken->has_day = true;
    const struct civil date = civil_of_day(spoken->day);
    const bool monthly = rule.frequency == RECURRENCE_MONTHLY || date.month == 2;
    const bool late = spoken->same_day ? date.day > 28 : rule.month_days >> 28 != 0;
    return !monthly || !late ||
           intake_note(project->in, task->line,
                       "the recurrence skips months that do not have its day");
}

static bool read_date(struct project *project, const struct csv_record *record,
                      struct from_task *task)
{
    const struct from_options *options = project->in->options;
    const struct slice text = value_of(project, record, DATE);
    const struct slice language = value_of(project, record, DATE_LANG);
    const struct slice zone_name = value_of(project, record, TIMEZONE);
    struct zone *zone = NULL;
    struct spoken spoken;

    if (text.len == 0) {
        return true;
    }
    if (zone_name.len > 0) {
        task->time_zone = zone_name;
        (void)(zones_find(options->zones, zone_name, &zone) == ZONE_FOUND);
    }
    const struct zone *clock = zone ? zone : options->zone;
    const int32_t today = zone_day_of(clock, options->now);
    bool done = true;
    if (!spoken_read(text, today, &spoken)) {
        const bool english = language.len == 0 || slice_starts(language, SLICE("en"));
        done = intake_note(project->in, task->line, "the date `%.*s` is left out: %s",
                           INTAKE_SHOWN(text),
                           !english        ? "only dates in English are understood"
                           : spoken.recurs ? "no rule says exactly that"
                                           : "it is not understood");
    } else {
        done = !spoken.recurs || read_rule(project, task, &spoken, clock);
        if (done && spoken.has_day && !stamp_of_wall(clock, spoken.day, spoken.ms, &task->due)) {
            task->due = (struct when){0};
        }
    }
    zone_release(&zone);
    return done;
}

/* Todoist's deadline is our due, where no other date is there. */
static bool read_deadline(struct project *project, const struct csv_record *record,
                          struct from_task *task)
{
    const struct slice text = value_of(project, record, DEADLINE);
    if (text.len == 0 ||
        (task->due.kind == WHEN_NONE && stamp_read(text, project->in->options->zone, &task->due))) {
        return true;
    }
    return intake_note(project->in, task->line, "the deadline `%.*s` is left out",
                       INTAKE_SHOWN(text));
}

/* Those that have no place here. */
static bool read_others(struct project *project, const struct csv_record *record, size_t line)
{
    const struct slice person = value_of(project, record, RESPONSIBLE);
    const struct slice duration = value_of(project, record, DURATION);
    return (person.len == 0 || intake_note(project->in, line, "the responsible `%.*s` is left out",
                                           INTAKE_SHOWN(person))) &&
           (duration.len == 0 || slice_eq_nocase(duration, SLICE("None")) ||
            intake_note(project->in, line, "the duration `%.*s` is left out",
                        INTAKE_SHOWN(duration)));
}

/* 1 is the highest; 4, and nothing, is none. */
static enum from_priority read_priority(struct slice text)
{
    return slice_eq(text, SLICE("1"))   ? FROM_PRIORITY_URGENT
           : slice_eq(text, SLICE("2")) ? FROM_PRIORITY_HIGH
           : slice_eq(text, SLICE("3")) ? FROM_PRIORITY_MEDIUM
                                        : FROM_PRIORITY_NONE;
}

static bool read_indent(struct project *project, const struct csv_record *record,
                        struct from_task *task)
{
    uint64_t level = 1;
    const struct slice text = value_of(project, record, INDENT);
    if (text.len > 0 && (!slice_to_u64(text, LEVELS_MOST, &level) || level == 0)) {
        level = 1;
        if (!intake_note(project->in, task->line, "the indent `%.*s` is read as 1",
                         INTAKE_SHOWN(text))) {
            return false;
        }
    }
    const unsigned deepest = project->levels + 1 < LEVELS_MOST ? project->levels + 1 : LEVELS_MOST;
    const unsigned at = level < deepest ? (unsigned)level : deepest;
    if (at > 1) {
        task->parent = project->above[at - 2];
    }
    task->key = intake_make_key(project->in, task);
    project->above[at - 1] = task->key;
    project->levels = at;
    return task->key.ptr;
}

/* `[[file {...}]]` is what a comment has for an attachment. */
static bool add_comment(struct project *project, const struct csv_record *record,
                        struct from_task *task)
{
    struct slice text = value_of(project, record, CONTENT);
    const char *file = memmem(text.ptr ? text.ptr : "", text.len, "[[file ", 7);
    if (file) {
        text.len = (size_t)(file - text.ptr);
        if (!intake_note(project->in, record->line, "an attachment is left out")) {
            return false;
        }
    }
    intake_append(project->in, task, slice_strip(text));
    return true;
}

/* With the comments that follow it. */
static bool read_task(struct project *project, const struct csv_record *record)
{
    struct from_task task = {
        .line = record->line,
        .list = project->list,
        .title = value_of(project, record, CONTENT),
        .description = value_of(project, record, DESCRIPTION),
        .priority = read_priority(value_of(project, record, PRIORITY)),
        .order = (int64_t)record->line,
    };
    struct csv_record next;

    if (!read_labels(project, &task) || !read_indent(project, record, &task) ||
        !read_date(project, record, &task) || !read_deadline(project, record, &task) ||
        !read_others(project, record, task.line)) {
        return false;
    }
    for (struct csv ahead = project->csv; csv_next(&ahead, project->in, &next);
         project->csv = ahead) {
        if (!slice_eq_nocase(value_of(project, &next, TYPE), SLICE("note"))) {
            break; /* it is read again, after this task's memory has gone */
        }
        if (!add_comment(project, &next, &task)) {
            return false;
        }
    }
    return intake_task(project->in, &task);
}

/* ---- the file ---- */

static bool read_row(struct project *project, const struct csv_record *record)
{
    const struct slice type = value_of(project, record, TYPE);
    const struct slice content = value_of(project, record, CONTENT);

    if (slice_eq_nocase(type, SLICE("task"))) {
        return read_task(project, record);
    }
    if (slice_eq_nocase(type, SLICE("section"))) {
        project->levels = 0;
        return intake_note(project->in, record->line,
                           "the section `%.*s` is left out: its tasks stay in the list",
                           INTAKE_SHOWN(content));
    }
    if (slice_eq_nocase(type, SLICE("note"))) {
        return intake_note(project->in, record->line,
                           "a comment is left out: no task stands above it");
    }
    /* how the project is shown */
    return slice_eq_nocase(type, SLICE("meta")) || type.len == 0 ||
           intake_note(project->in, record->line, "a line of the type `%.*s` is left out",
                       INTAKE_SHOWN(type));
}

/* `Project [2203306141].csv`. */
static bool read_name(struct project *project)
{
    struct slice name = intake_file_name(project->in, SLICE(".csv"));
    struct from_list list = {.line = 1, .name = name};
    const char *open = name.len > 0 ? memrchr(name.ptr, '[', name.len) : NULL;
    uint64_t number = 0;

    if (open && slice_ends(name, SLICE("]"))) {
        const size_t at = (size_t)(open - name.ptr);
        const struct slice id = {open + 1, name.len - at - 2};
        if (slice_to_u64(id, UINT64_MAX, &number)) {
            list.key = id;
            list.name.len = at;
        }
    }
    if (!intake_list(project->in, &list)) {
        return false;
    }
    project->list = list.key;
    return true;
}

bool todoist_read(struct intake *in, struct slice text)
{
    assert(in);
    struct project project = {.in = in};
    struct csv_record record;

    csv_init(&project.csv, text);
    if (!csv_next(&project.csv, in, &record)) {
        return intake_refuse(in, 1, "there is no header line");
    }
    for (unsigned i = 0; i < COLUMN_COUNT; i++) {
        project.columns[i] = csv_column(&record, names[i]);
    }
    if (project.columns[TYPE] == CSV_NO_COLUMN || project.columns[CONTENT] == CSV_NO_COLUMN) {
        return intake_refuse(in, record.line,
                             "no columns are named TYPE and CONTENT: this is none "
                             "of Todoist's CSV files; export a project as CSV, or unpack a backup");
    }
    if (!read_name(&project)) {
        return false;
    }
    intake_forget(in);
    while (csv_next(&project.csv, in, &record)) {
        if (!read_row(&project, &record)) {
            return false;
        }
        intake_forget(in);
    }
    return in->result == FROM_READ;
}
