// SPDX-License-Identifier: MIT
#include "cli/from/intake.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/from/family.h"
#include "model/field.h"
#include "model/recurrence.h"

#define RECORD_BYTES_MOST ((size_t)32 << 20)
#define KEPT_BYTES_MOST   ((size_t)2 * FROM_BYTES_MOST)
/* More than any description may have, so that it is cut there, with a note. */
#define TEXT_BYTES_MOST ((size_t)2 << 20)
#define NOTE_MOST       400
#define LIST_NAME_MOST  128 /* code points, as the contract has it, and so the others */
#define LABEL_MOST      64
#define KEY_MADE        (1 + 2 * KEY_DIGEST)
#define COMPLETED_AHEAD INT64_C(300000) /* milliseconds */

/* ---- begin and end ---- */

bool intake_init(struct intake *in, const struct from_options *options,
                 const struct from_sink *sink, char *why)
{
    assert(in && options && options->zones && options->zone && sink && why);
    *in = (struct intake){
        .options = options,
        .sink = sink,
        .record = arena_create(RECORD_BYTES_MOST),
        .tree = calloc(1, sizeof *in->tree),
        .why = why,
    };
    buffer_init(&in->text, TEXT_BYTES_MOST);
    if (in->tree) {
        in->tree->kept = arena_create(KEPT_BYTES_MOST);
    }
    return (in->record && in->tree && in->tree->kept) || intake_no_memory(in);
}

void intake_finish(struct intake *in)
{
    assert(in);
    struct intake_tree *tree = in->tree;
    if (tree) {
        key_map_finish(&tree->lists);
        key_map_finish(&tree->keys);
        key_map_finish(&tree->tasks);
        key_map_finish(&tree->same);
        free(tree->all);
        free(tree->waiting);
        arena_destroy(&tree->kept);
    }
    free(tree);
    in->tree = NULL;
    arena_destroy(&in->record);
    buffer_finish(&in->text);
}

bool intake_end(struct intake *in)
{
    assert(in);
    return family_settle(in);
}

void intake_forget(struct intake *in)
{
    assert(in);
    arena_reset(in->record);
    buffer_clear(&in->text);
}

/* ---- what is said ---- */

bool intake_refuse(struct intake *in, size_t line, const char *format, ...)
{
    assert(in && format);
    va_list arguments;
    int len = 0;

    if (in->result != FROM_READ) {
        return false; /* the first one counts */
    }
    if (line > 0) {
        len = snprintf(in->why, FROM_WHY, "line %zu: ", line);
    }
    va_start(arguments, format);
    (void)vsnprintf(in->why + len, FROM_WHY - (size_t)len, format, arguments);
    va_end(arguments);
    utf8_tame(in->why, strlen(in->why), false);
    in->result = FROM_REFUSED;
    return false;
}

bool intake_no_memory(struct intake *in)
{
    assert(in);
    if (in->result == FROM_READ) {
        in->result = FROM_NO_MEMORY;
    }
    return false;
}

bool intake_note(struct intake *in, size_t line, const char *format, ...)
{
    assert(in && format);
    char text[NOTE_MOST + 1];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const size_t most = len < 0 ? 0 : (size_t)len > NOTE_MOST ? NOTE_MOST : (size_t)len;
    if (++in->notes > FROM_NOTES_MOST) {
        return intake_refuse(in, line,
                             "more than %d things could not come along; is the file of the format "
                             "that you named?",
                             FROM_NOTES_MOST);
    }
    utf8_tame(text, most, false); /* whatever the file has in it */
    if (in->result == FROM_READ &&
        !in->sink->note(in->sink->context, line, (struct slice){text, most})) {
        in->result = FROM_STOPPED;
    }
    return in->result == FROM_READ;
}

/* ---- memory of the record ---- */

struct slice intake_copy(struct intake *in, struct slice text)
{
    assert(in);
    const struct slice copy = arena_copy(in->record, text);
    if (!copy.ptr) {
        (void)intake_no_memory(in);
    }
    return copy;
}

struct slice intake_print(struct intake *in, const char *format, ...)
{
    assert(in && format);
    char *text = NULL;
    struct slice copy = {0};
    va_list arguments;

    va_start(arguments, format);
    const int len = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (len >= 0) {
        copy = intake_copy(in, (struct slice){text, (size_t)len});
        free(text);
    } else {
        (void)intake_no_memory(in);
    }
    return copy;
}

/* ---- texts within their limits ---- */

/* At most `most` code points. */
static struct slice cut(struct slice text, size_t most)
{
    size_t at = 0;
    for (size_t points = 0; at < text.len && points < most; points++) {
        at += utf8_step(slice_from(text, at));
    }
    return (struct slice){text.ptr, at};
}

/* Without control characters (C0, DEL, C1), but with line breaks if `lines`; CR goes. Points into
 * the record where something changed. */
static struct slice clean(struct intake *in, struct slice text, bool lines)
{
    const struct text_facts facts = text_look(text);
    if (!facts.other_control && (lines || !facts.line_control) &&
        (text.len == 0 || !memchr(text.ptr, '\r', text.len))) {
        return text;
    }
    char *room = arena_alloc(in->record, text.len + 1);
    size_t len = 0;
    if (!room) {
        (void)intake_no_memory(in);
        return (struct slice){0};
    }
    for (size_t at = 0, step = 0; at < text.len; at += step) {
        const unsigned char c = (unsigned char)text.ptr[at];
        step = utf8_step(slice_from(text, at));
        if (c == 0xc2 && (unsigned char)text.ptr[at + 1] < 0xa0) {
            room[len++] = ' ';
        } else if (c == '\r') {
            /* CRLF is a line end, and CR alone one of old */
            if (at + 1 >= text.len || text.ptr[at + 1] != '\n') {
                room[len++] = lines ? '\n' : ' ';
            }
        } else if (c < 0x20 || c == 0x7f) {
            room[len++] = lines && (c == '\n' || c == '\t') ? text.ptr[at] : ' ';
        } else {
            memcpy(room + len, text.ptr + at, step);
            len += step;
        }
    }
    return (struct slice){room, len};
}

static struct slice fit(struct intake *in, struct slice text, size_t most, bool lines,
                        bool *was_cut)
{
    const struct slice all = lines ? clean(in, text, lines) : slice_strip(clean(in, text, lines));
    const struct slice some = cut(all, most);
    *was_cut = some.len < all.len;
    return some;
}

/* ---- lists ---- */

static struct slice made_key(struct arena *arena, const struct slice *parts, size_t count)
{
    char text[KEY_MADE];
    const struct key_digest digest = key_digest_of(parts, count);
    text[0] = '#';
    for (size_t i = 0; i < KEY_DIGEST; i++) {
        text[1 + 2 * i] = ASCII_HEX[digest.bytes[i] >> 4];
        text[2 + 2 * i] = ASCII_HEX[digest.bytes[i] & 15];
    }
    return arena_copy(arena, (struct slice){text, sizeof text});
}

static bool is_color(struct slice text)
{
    if (text.len != 7 || text.ptr[0] != '#') {
        return false;
    }
    for (size_t i = 1; i < 7; i++) {
        if (ascii_hex(text.ptr[i]) < 0) {
            return false;
        }
    }
    return true;
}

static bool check_list(struct intake *in, struct from_list *list)
{
    bool was_cut = false;

    list->name = fit(in, list->name, LIST_NAME_MOST, false, &was_cut);
    if (text_look(list->name).blank) {
        list->name = SLICE("Untitled");
    }
    if (was_cut &&
        !intake_note(in, list->line, "the list's name is cut to %d characters", LIST_NAME_MOST)) {
        return false;
    }
    if (list->color.ptr && !is_color(list->color)) {
        list->color = (struct slice){0};
        return intake_note(in, list->line,
                           "the color of the list `%.*s` is no #rrggbb and is left "
                           "out",
                           INTAKE_SHOWN(list->name));
    }
    if (list->color.ptr) {
        list->color = intake_copy(in, list->color);
        if (list->color.ptr) {
            (void)slice_lower(list->color, (char *)(uintptr_t)list->color.ptr);
        }
    }
    return in->result == FROM_READ;
}

bool intake_list(struct intake *in, struct from_list *list)
{
    assert(in && list);
    struct intake_tree *tree = in->tree;

    if (list->key.len == 0) {
        list->key = made_key(in->record, &list->name, 1);
    }
    const struct key_digest digest = key_digest_of(&list->key, 1);
    const uint32_t *there = key_map_find(&tree->lists, &digest);
    if (there) {
        list->key = tree->list_keys[*there];
        return in->result == FROM_READ;
    }
    if (tree->lists.count == FROM_LISTS_MOST) {
        return intake_refuse(in, list->line,
                             "more than %d lists, the most there can be; take some "
                             "out of the file",
                             FROM_LISTS_MOST);
    }
    const uint32_t number = (uint32_t)tree->lists.count + 1;
    list->key = arena_copy(tree->kept, list->key);
    tree->list_keys[number] = list->key;
    if (!list->key.ptr || !key_map_put(&tree->lists, &digest, number)) {
        return intake_no_memory(in);
    }
    if (!check_list(in, list)) {
        return false;
    }
    if (!in->sink->list(in->sink->context, list)) {
        in->result = FROM_STOPPED;
    }
    return in->result == FROM_READ;
}

bool intake_has_list(const struct intake *in, struct slice key)
{
    assert(in);
    const struct key_digest digest = key_digest_of(&key, 1);
    return key_map_find(&in->tree->lists, &digest);
}

/* ---- tasks ---- */

struct slice intake_make_key(struct intake *in, const struct from_task *task)
{
    assert(in && task);
    char digits[SLICE_DECIMAL_MOST];
    struct slice parts[] = {task->list, task->parent, task->title, {0}};
    const struct key_digest digest = key_digest_of(parts, 3);
    uint32_t *before = key_map_find(&in->tree->same, &digest);
    uint32_t number = 0;

    if (before) {
        number = ++*before;
    } else if (!key_map_put(&in->tree->same, &digest, 0)) {
        (void)intake_no_memory(in);
        return (struct slice){0};
    }
    parts[3] = slice_decimal_u64(number, digits);
    const struct slice key = made_key(in->tree->kept, parts, 4);
    if (!key.ptr) {
        (void)intake_no_memory(in);
    }
    return key;
}

bool intake_label(struct intake *in, struct from_task *task, struct slice label)
{
    assert(in && task);
    bool was_cut = false;
    const struct slice text = fit(in, label, LABEL_MOST, false, &was_cut);

    if (text_look(text).blank) {
        return in->result == FROM_READ;
    }
    if (slice_eq(text, SLICE(".")) || slice_eq(text, SLICE(".."))) {
        return intake_note(in, task->line, "the label `%.*s` is left out", INTAKE_SHOWN(text));
    }
    for (size_t i = 0; i < task->label_count; i++) {
        if (slice_eq(task->labels[i], text)) {
            return true;
        }
    }
    if (task->label_count == FROM_LABELS_MOST) {
        return intake_note(in, task->line, "the label `%.*s` is left out: there can be %d of them",
                           INTAKE_SHOWN(text), FROM_LABELS_MOST);
    }
    task->labels[task->label_count++] = text;
    return !was_cut || intake_note(in, task->line, "the label `%.*s` is cut to %d characters",
                                   INTAKE_SHOWN(text), LABEL_MOST);
}

void intake_append(struct intake *in, struct from_task *task, struct slice text)
{
    assert(in && task);
    if (text.len == 0) {
        return;
    }
    if (in->text.len == 0 && task->description.len > 0) {
        buffer_add(&in->text, task->description);
    }
    if (in->text.len > 0) {
        buffer_add_text(&in->text, "\n\n");
    }
    buffer_add(&in->text, text);
    task->description = buffer_slice(&in->text);
}

struct slice intake_file_name(const struct intake *in, struct slice ending)
{
    assert(in);
    struct slice name = in->options->name;
    if (name.len > ending.len && slice_eq_nocase(slice_from(name, name.len - ending.len), ending)) {
        name.len -= ending.len;
    }
    return name;
}

static bool check_texts(struct intake *in, struct from_task *task)
{
    bool title_cut = false;
    bool description_cut = false;

    task->title = fit(in, task->title, TASK_TITLE_MOST, false, &title_cut);
    task->description = fit(in, task->description, TASK_DESCRIPTION_MOST, true, &description_cut);
    if (text_look(task->description).blank) {
        task->description = (struct slice){0};
    }
    if (text_look(task->title).blank) {
        task->title = SLICE("Untitled");
        if (!intake_note(in, task->line, "it has no title and becomes `Untitled`")) {
            return false;
        }
    }
    if (title_cut &&
        !intake_note(in, task->line, "the title is cut to %d characters", TASK_TITLE_MOST)) {
        return false;
    }
    if (description_cut && !intake_note(in, task->line, "the description is cut to %d characters",
                                        TASK_DESCRIPTION_MOST)) {
        return false;
    }
    return in->result == FROM_READ;
}

static bool check_zone(struct intake *in, struct from_task *task, struct zone **zone)
{
    *zone = NULL;
    if (task->time_zone.len == 0) {
        task->time_zone = (struct slice){0};
        return true;
    }
    if (zones_find(in->options->zones, task->time_zone, zone) == ZONE_FOUND) {
        return true;
    }
    const struct slice name = task->time_zone;
    task->time_zone = (struct slice){0};
    return intake_note(in, task->line,
                       "the time zone `%.*s` is none of IANA's names and is left out",
                       INTAKE_SHOWN(name));
}

/* With an all-day due an UNTIL is a date: that on which the instant is. A day begins before that
 * instant when it is not after that date, so it ends the same. */
static bool mend_until(struct intake *in, struct from_task *task)
{
    char problem[RECURRENCE_PROBLEM_ROOM];
    struct recurrence rule;
    const struct slice text = task->recurrence;

    if (task->due.kind != WHEN_DATE || !recurrence_parse(text, true, &rule, problem) ||
        rule.until_kind != RECURRENCE_UNTIL_INSTANT) {
        return true;
    }
    for (size_t i = 0; i + 22 <= text.len; i++) {
        if (slice_eq_nocase((struct slice){text.ptr + i, 6}, SLICE("UNTIL="))) {
            const struct civil date = civil_of_day(zone_day_of(in->options->zone, rule.until_ms));
            task->recurrence = intake_print(in, "%.*s%04d%02d%02d%.*s", (int)(i + 6), text.ptr,
                                            (int)date.year, (int)date.month, (int)date.day,
                                            (int)(text.len - i - 22), text.ptr + i + 22);
            break;
        }
    }
    return in->result == FROM_READ;
}

static bool check_recurrence(struct intake *in, struct from_task *task)
{
    char problem[RECURRENCE_PROBLEM_ROOM] = "";
    struct recurrence rule;

    if (task->recurrence.len == 0) {
        task->recurrence = (struct slice){0};
        task->recurs_from_completion = false;
        return true;
    }
    if (!mend_until(in, task)) {
        return false;
    }
    const struct slice text = task->recurrence;
    if (task->due.kind == WHEN_NONE) {
        (void)snprintf(problem, sizeof problem, "it has no due date");
    } else if (recurrence_parse(text, task->due.kind == WHEN_INSTANT, &rule, problem)) {
        return true;
    }
    task->recurrence = (struct slice){0};
    task->recurs_from_completion = false;
    return intake_note(in, task->line, "the recurrence `%.*s` is left out: %s", INTAKE_SHOWN(text),
                       problem);
}

static bool check_dates(struct intake *in, struct from_task *task)
{
    struct zone *zone = NULL;

    if (task->start.kind == WHEN_NONE && task->due.kind == WHEN_NONE) {
        task->time_zone = (struct slice){0}; /* of nothing */
    }
    if (!check_zone(in, task, &zone)) {
        return false;
    }
    const bool ordered = task->start.kind == WHEN_NONE || task->due.kind == WHEN_NONE ||
                         when_in_order(&task->start, &task->due, zone ? zone : in->options->zone);
    zone_release(&zone);
    if (!ordered) {
        task->start = (struct when){0};
        if (!intake_note(in, task->line, "it starts after it is due: the start is left out")) {
            return false;
        }
    }
    if (task->status != TASK_COMPLETED) {
        task->completed_at = 0;
    } else if (task->completed_at > in->options->now + COMPLETED_AHEAD) {
        task->completed_at = 0;
        if (!intake_note(in, task->line, "it was completed in the future: that time is left out")) {
            return false;
        }
    }
    return check_recurrence(in, task);
}

bool intake_task(struct intake *in, struct from_task *task)
{
    assert(in && task && task->label_count <= FROM_LABELS_MOST);
    if (in->result != FROM_READ) {
        return false;
    }
    if (task->key.len == 0) {
        task->key = intake_make_key(in, task);
        if (task->key.len == 0) {
            return false;
        }
    }
    const struct key_digest digest = key_digest_of(&task->key, 1);
    if (key_map_find(&in->tree->keys, &digest)) {
        return intake_note(in, task->line, "it is left out: another one has its id `%.*s`",
                           INTAKE_SHOWN(task->key));
    }
    if (in->tree->keys.count == FROM_TASKS_MOST) {
        return intake_refuse(in, task->line,
                             "more than %d tasks; split the file and import the parts one by one",
                             FROM_TASKS_MOST);
    }
    if (!key_map_put(&in->tree->keys, &digest, 0)) {
        return intake_no_memory(in);
    }
    if (!check_texts(in, task) || !check_dates(in, task)) {
        return false;
    }
    const struct key_digest parent = key_digest_of(&task->parent, 1);
    if (task->parent.len > 0 && !key_map_find(&in->tree->tasks, &parent)) {
        return family_wait(in, task);
    }
    return family_place(in, task);
}
