// SPDX-License-Identifier: MIT
#include "model/field.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "model/text.h"

#define POINTER_MOST 128 /* bytes of an unknown name that an error repeats */
#define DETAIL_MOST  160

void field_errors_add(struct field_errors *errors, struct slice pointer, const char *code,
                      const char *detail)
{
    if (errors->count == FIELD_ERRORS) {
        errors->overflow = true;
        return;
    }
    errors->list[errors->count++] = (struct field_error){pointer, code, detail};
}

/* ---- reading ---- */

/* `/name`, escaped as RFC 6901 section 3 says; a long name is cut. ptr NULL: no memory. */
static struct slice pointer_to(struct arena *arena, struct slice name)
{
    char escaped[1 + 2 * POINTER_MOST];
    size_t len = 0;
    struct slice head = utf8_cut(name, POINTER_MOST);
    escaped[len++] = '/';
    for (size_t i = 0; i < head.len; i++) {
        if (head.ptr[i] == '~' || head.ptr[i] == '/') {
            escaped[len++] = '~';
            escaped[len++] = head.ptr[i] == '~' ? '0' : '1';
        } else {
            escaped[len++] = head.ptr[i];
        }
    }
    return arena_copy(arena, (struct slice){escaped, len});
}

static bool complain(struct field_reading *reading, struct slice name, const char *code,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Returns false when memory ran out. */
static bool complain(struct field_reading *reading, struct slice name, const char *code,
                     const char *format, ...)
{
    char text[DETAIL_MOST];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);

    struct slice pointer = pointer_to(reading->arena, name);
    struct slice detail = arena_copy(reading->arena, slice_of(text));
    if (!pointer.ptr || !detail.ptr) {
        return false;
    }
    field_errors_add(&reading->errors, pointer, code, detail.ptr);
    return true;
}

static bool check_length(struct field_reading *reading, const struct field *field, size_t length)
{
    const char *unit = field->flags & FIELD_BYTES ? "bytes" : "characters";
    if (length == 0 && (field->flags & FIELD_NOT_EMPTY)) {
        return complain(reading, field->name, "too_short", "Must not be empty.");
    }
    if (length > field->most) {
        return complain(reading, field->name, "too_long", "Must have at most %u %s.", field->most,
                        unit);
    }
    return true;
}

static bool check_characters(struct field_reading *reading, const struct field *field,
                             struct slice text, const struct text_facts *facts)
{
    bool lines = field->flags & FIELD_MULTILINE;
    if (facts->other_control || (facts->line_control && !lines)) {
        uint32_t control = 0;
        const size_t place = text_find_control(text, lines, &control);
        return complain(reading, field->name, "control_character",
                        "Must not hold control characters%s; character %zu is U+%04X.",
                        lines ? " but tabs and line breaks" : "", place, (unsigned)control);
    }
    return true;
}

static bool check_text(struct field_reading *reading, const struct field *field, struct slice text)
{
    struct text_facts facts = text_look(text);
    const unsigned before = reading->errors.count;
    if (!check_length(reading, field, field->flags & FIELD_BYTES ? text.len : facts.code_points)) {
        return false;
    }
    if (!(field->flags & FIELD_SECRET) && !check_characters(reading, field, text, &facts)) {
        return false;
    }
    if ((field->flags & FIELD_NOT_BLANK) && facts.blank && text.len > 0 &&
        !complain(reading, field->name, "blank", "Must hold more than white space.")) {
        return false;
    }
    const bool told = reading->errors.count > before; /* one fault is enough to mend first */
    const char *wrong = field->wrong && !told ? field->wrong(text) : NULL;
    return !wrong || complain(reading, field->name, field->wrong_code, "%s", wrong);
}

static void *place(void *base, size_t offset)
{
    return (char *)base + offset;
}

static bool read_text(struct field_reading *reading, const struct field *field,
                      const struct json_member *member)
{
    const bool normalise = (field->flags & FIELD_NFC) && member->text.len <= UTF8_NORMALIZE_MOST;
    struct slice copy = normalise ? utf8_normalize(reading->arena, member->text)
                                  : arena_copy(reading->arena, member->text);
    *(struct slice *)place(reading->input, field->input) = copy;
    return copy.ptr && check_text(reading, field, copy);
}

static bool complain_about_choice(struct field_reading *reading, const struct field *field)
{
    char names[DETAIL_MOST];
    size_t len = 0;
    for (unsigned i = 0; i < field->choice_count && len < sizeof names; i++) {
        int n = snprintf(names + len, sizeof names - len, "%s%.*s", i ? ", " : "",
                         (int)field->choices[i].len, field->choices[i].ptr);
        len += n > 0 ? (size_t)n : 0;
    }
    return complain(reading, field->name, "not_allowed", "Must be one of: %s.", names);
}

static bool read_choice(struct field_reading *reading, const struct field *field,
                        const struct json_member *member)
{
    for (unsigned i = 0; i < field->choice_count; i++) {
        if (slice_eq(field->choices[i], member->text)) {
            *(unsigned *)place(reading->input, field->input) = i;
            return true;
        }
    }
    return complain_about_choice(reading, field);
}

static bool read_null(struct field_reading *reading, const struct field *field)
{
    if (field->flags & FIELD_NULLABLE) {
        *(struct slice *)place(reading->input, field->input) = (struct slice){0};
        return true;
    }
    if (reading->mode == FIELD_PATCH && (field->flags & FIELD_REQUIRED)) {
        return complain(reading, field->name, "required",
                        "Cannot be null: leave it out to keep it as it is.");
    }
    return complain(reading, field->name, "type", "Must be a string, not null.");
}

static bool read_member(struct field_reading *reading, const struct field *field,
                        const struct json_member *member)
{
    reading->set |= field->bit;
    if (member->kind == JSON_KIND_NULL) {
        return read_null(reading, field);
    }
    if (member->kind != JSON_KIND_TEXT) {
        return complain(reading, field->name, "type", "Must be a string%s.",
                        field->flags & FIELD_NULLABLE ? " or null" : "");
    }
    return field->type == FIELD_CHOICE ? read_choice(reading, field, member)
                                       : read_text(reading, field, member);
}

static const struct field *find_field(const struct field_reading *reading, struct slice name)
{
    for (size_t i = 0; i < reading->count; i++) {
        if (slice_eq(reading->fields[i].name, name)) {
            return &reading->fields[i];
        }
    }
    return NULL;
}

/* Names those that there are: what was meant is often among them. */
static bool complain_about_unknown(struct field_reading *reading, struct slice name)
{
    char names[DETAIL_MOST] = "";
    size_t len = 0;
    for (size_t i = 0; i < reading->count && len < sizeof names; i++) {
        const struct field *field = &reading->fields[i];
        if (!(field->flags & FIELD_READ_ONLY)) {
            int n = snprintf(names + len, sizeof names - len, "%s%.*s", len > 0 ? ", " : "",
                             (int)field->name.len, field->name.ptr);
            len += n > 0 ? (size_t)n : 0;
        }
    }
    return complain(reading, name, "unknown", "There is no such member here. There may be: %s.",
                    names);
}

static bool read_any_member(struct field_reading *reading, const struct json_member *member)
{
    const struct field *field = find_field(reading, member->name);
    if (!field) {
        return complain_about_unknown(reading, member->name);
    }
    if (field->flags & FIELD_READ_ONLY) {
        return complain(reading, member->name, "read_only", "%s",
                        field->elsewhere ? field->elsewhere
                                         : "Is set by the server; leave it out.");
    }
    bool ok = read_member(reading, field, member);
    if (field->flags & FIELD_SECRET) {
        json_reader_wipe(member);
    }
    return ok;
}

static bool check_required(struct field_reading *reading)
{
    for (size_t i = 0; i < reading->count; i++) {
        const struct field *field = &reading->fields[i];
        if ((field->flags & FIELD_REQUIRED) && !(reading->set & field->bit) &&
            !complain(reading, field->name, "required", "Is missing; this call needs it.")) {
            return false;
        }
    }
    return true;
}

bool field_read(struct field_reading *reading, struct json_reader *reader)
{
    struct json_member member;
    while (json_reader_next(reader, &member)) {
        if (!read_any_member(reading, &member)) {
            return false;
        }
    }
    return reading->mode == FIELD_PATCH || check_required(reading);
}

/* ---- writing ---- */

static const void *spot(const void *base, size_t offset)
{
    return (const char *)base + offset;
}

static void write_text(struct json_writer *w, struct slice text)
{
    if (text.ptr) {
        jw_text(w, text);
    } else {
        jw_null(w);
    }
}

static void write_time(struct json_writer *w, const struct field *field, int64_t ms)
{
    if (ms == 0 && (field->flags & FIELD_NULLABLE)) {
        jw_null(w);
    } else {
        jw_time(w, ms);
    }
}

void field_write(const struct field *fields, size_t count, const void *row, struct json_writer *w)
{
    for (size_t i = 0; i < count; i++) {
        const struct field *field = &fields[i];
        const void *value = spot(row, field->row);
        jw_name(w, field->name);
        switch (field->type) {
        case FIELD_TEXT: write_text(w, *(const struct slice *)value); break;
        case FIELD_CHOICE: jw_text(w, field->choices[*(const unsigned *)value]); break;
        case FIELD_UUID: jw_uuid(w, *(const struct uuid *)value); break;
        case FIELD_TIME: write_time(w, field, *(const int64_t *)value); break;
        case FIELD_NUMBER: jw_i64(w, *(const int64_t *)value); break;
        }
    }
}
