// SPDX-License-Identifier: MIT
#include "cli/from/ics_line.h"

#include <assert.h>

/* One physical line without its end; `lines->at` is after it. */
static struct slice take_physical(struct ics_lines *lines)
{
    const struct slice rest = slice_from(lines->text, lines->at);
    const char *end = memchr(rest.ptr, '\n', rest.len);
    struct slice line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};

    lines->at += line.len + (end ? 1 : 0);
    lines->line++;
    if (line.len > 0 && line.ptr[line.len - 1] == '\r') {
        line.len--;
    }
    return line;
}

static bool goes_on(const struct ics_lines *lines)
{
    return lines->at < lines->text.len && ascii_is_in(lines->text.ptr[lines->at], " \t");
}

/* With its continuations, which begin with one blank or tab that is none of the value's. */
static bool unfold(struct ics_lines *lines, struct intake *in, struct slice *whole)
{
    const size_t line = lines->line;
    const size_t begin = lines->at;

    *whole = take_physical(lines);
    if (!goes_on(lines)) {
        return true;
    }
    struct ics_lines ahead = *lines;
    while (goes_on(&ahead) && ahead.at - begin <= ICS_LINE_MOST) {
        (void)take_physical(&ahead);
    }
    if (ahead.at - begin > ICS_LINE_MOST) {
        return intake_refuse(in, line, "a folded line there is longer than %zu bytes; take it out",
                             ICS_LINE_MOST);
    }
    char *room = arena_alloc(in->record, ahead.at - begin);
    if (!room) {
        return intake_no_memory(in);
    }
    size_t len = whole->len;
    if (len > 0) {
        memcpy(room, whole->ptr, len);
    }
    while (goes_on(lines)) {
        lines->at++;
        const struct slice more = take_physical(lines);
        if (more.len > 0) {
            memcpy(room + len, more.ptr, more.len);
            len += more.len;
        }
    }
    *whole = (struct slice){room, len};
    return true;
}

/* Up to one of `ends` that stands in no quotes. */
static struct slice take_until(struct slice *rest, const char *ends)
{
    bool quoted = false;
    size_t len = 0;
    while (len < rest->len && (quoted || !ascii_is_in(rest->ptr[len], ends))) {
        quoted ^= rest->ptr[len] == '"';
        len++;
    }
    const struct slice taken = {rest->ptr, len};
    *rest = slice_from(*rest, len);
    return taken;
}

static struct slice unquote(struct slice text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        text = (struct slice){text.ptr + 1, text.len - 2};
    }
    return text;
}

/* False: it has no colon. */
static bool take_apart(struct slice whole, struct ics_line *line)
{
    line->name = take_until(&whole, ";:");
    while (whole.len > 0 && whole.ptr[0] == ';') {
        whole = slice_from(whole, 1);
        struct slice value = take_until(&whole, ";:");
        const struct slice name = slice_next(&value, '=');
        if (line->parameter_count < ICS_PARAMETERS_MOST) {
            line->parameters[line->parameter_count++] =
                (struct ics_parameter){name, unquote(value)};
        }
    }
    if (whole.len == 0) {
        return false;
    }
    line->value = slice_from(whole, 1);
    return line->name.len > 0;
}

bool ics_next(struct ics_lines *lines, struct intake *in, struct ics_line *line)
{
    assert(lines && in && line);
    while (lines->at < lines->text.len) {
        struct slice whole = {0};
        *line = (struct ics_line){.line = lines->line};
        if (!unfold(lines, in, &whole)) {
            return false;
        }
        if (slice_strip(whole).len == 0) {
            continue;
        }
        if (!utf8_valid(whole) || memchr(whole.ptr, '\0', whole.len)) {
            return intake_refuse(in, line->line,
                                 "a character there is not UTF-8; save the file as UTF-8");
        }
        if (take_apart(whole, line)) {
            return true;
        }
        if (!intake_note(in, line->line, "the line `%.*s` is no property and is left out",
                         INTAKE_SHOWN(whole))) {
            return false;
        }
    }
    return false;
}

struct slice ics_parameter(const struct ics_line *line, struct slice name)
{
    assert(line);
    for (size_t i = 0; i < line->parameter_count; i++) {
        if (slice_eq_nocase(line->parameters[i].name, name)) {
            return line->parameters[i].value;
        }
    }
    return (struct slice){0};
}

struct slice ics_text(struct intake *in, struct slice value)
{
    assert(in);
    if (value.len == 0 || !memchr(value.ptr, '\\', value.len)) {
        return value;
    }
    char *room = arena_alloc(in->record, value.len);
    size_t len = 0;
    if (!room) {
        (void)intake_no_memory(in);
        return (struct slice){0};
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] == '\\' && i + 1 < value.len) {
            i++;
            room[len++] = ascii_lower(value.ptr[i]) == 'n' ? '\n' : value.ptr[i];
        } else {
            room[len++] = value.ptr[i];
        }
    }
    return (struct slice){room, len};
}

struct slice ics_part(struct slice *rest)
{
    assert(rest);
    const struct slice whole = *rest;
    for (size_t i = 0; i < whole.len; i++) {
        if (whole.ptr[i] == '\\') {
            i++;
        } else if (whole.ptr[i] == ',') {
            *rest = slice_from(whole, i + 1);
            return (struct slice){whole.ptr, i};
        }
    }
    *rest = (struct slice){0};
    return whole;
}
