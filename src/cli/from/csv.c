// SPDX-License-Identifier: MIT
#include "cli/from/csv.h"

#include <assert.h>

void csv_init(struct csv *csv, struct slice text)
{
    assert(csv && (text.ptr || text.len == 0));
    size_t seen[3] = {0};
    static const char separators[] = {',', ';', '\t'};
    bool quoted = false;

    *csv = (struct csv){.text = text, .line = 1, .separator = ','};
    for (size_t i = 0; i < text.len && (quoted || (text.ptr[i] != '\n' && text.ptr[i] != '\r'));
         i++) {
        quoted ^= text.ptr[i] == '"';
        for (size_t which = 0; which < 3 && !quoted; which++) {
            seen[which] += text.ptr[i] == separators[which];
        }
    }
    for (size_t which = 1; which < 3; which++) {
        if (seen[which] > seen[0]) {
            csv->separator = separators[which];
            seen[0] = seen[which];
        }
    }
}

static bool at_end(const struct csv *csv)
{
    return csv->at >= csv->text.len;
}

/* Past one line end, if there is one. */
static bool skip_line_end(struct csv *csv)
{
    const char c = at_end(csv) ? '\0' : csv->text.ptr[csv->at];
    if (c != '\n' && c != '\r') {
        return false;
    }
    csv->at++;
    if (c == '\r' && !at_end(csv) && csv->text.ptr[csv->at] == '\n') {
        csv->at++;
    }
    csv->line++;
    return true;
}

/* From after its opening quote to after the closing one. */
static bool read_quoted(struct csv *csv, struct intake *in, size_t begin, struct slice *field)
{
    const size_t first = csv->at;
    const size_t line = csv->line;
    bool doubled = false;

    while (!at_end(csv) && csv->at - begin <= CSV_RECORD_MOST) {
        if (skip_line_end(csv)) {
            continue;
        }
        if (csv->text.ptr[csv->at++] != '"') {
            continue;
        }
        if (!at_end(csv) && csv->text.ptr[csv->at] == '"') {
            doubled = true;
            csv->at++;
            continue;
        }
        *field = (struct slice){csv->text.ptr + first, csv->at - 1 - first};
        if (!doubled) {
            return true;
        }
        *field = intake_copy(in, *field);
        char *room = (char *)(uintptr_t)field->ptr;
        size_t len = 0;
        for (size_t i = 0; i < field->len; i++) {
            i += room[i] == '"'; /* the first one of two */
            room[len++] = room[i];
        }
        field->len = len;
        return in->result == FROM_READ;
    }
    return intake_refuse(in, line,
                         "the quote that begins a field there is never closed within %zu "
                         "bytes; close it, or double a quote that belongs to the text",
                         CSV_RECORD_MOST);
}

static bool read_field(struct csv *csv, struct intake *in, size_t begin, struct slice *field)
{
    if (!at_end(csv) && csv->text.ptr[csv->at] == '"') {
        csv->at++;
        if (!read_quoted(csv, in, begin, field)) {
            return false;
        }
        if (!at_end(csv) && csv->text.ptr[csv->at] != csv->separator &&
            csv->text.ptr[csv->at] != '\n' && csv->text.ptr[csv->at] != '\r') {
            return intake_refuse(in, csv->line,
                                 "text stands after the quote that ends a field; "
                                 "double a quote that belongs to the text");
        }
        return true;
    }
    const size_t first = csv->at;
    while (!at_end(csv) && csv->text.ptr[csv->at] != csv->separator &&
           csv->text.ptr[csv->at] != '\n' && csv->text.ptr[csv->at] != '\r') {
        csv->at++;
    }
    *field = (struct slice){csv->text.ptr + first, csv->at - first};
    return true;
}

static bool is_empty(const struct csv_record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        if (slice_strip(record->fields[i]).len > 0) {
            return false;
        }
    }
    return true;
}

/* One record, an empty line among them. */
static bool read_record(struct csv *csv, struct intake *in, struct csv_record *record)
{
    const size_t begin = csv->at;

    *record = (struct csv_record){.line = csv->line};
    for (;;) {
        struct slice field = {0};
        if (!read_field(csv, in, begin, &field)) {
            return false;
        }
        if (csv->at - begin > CSV_RECORD_MOST) {
            return intake_refuse(in, record->line,
                                 "the record is longer than %zu bytes; is this a "
                                 "CSV file?",
                                 CSV_RECORD_MOST);
        }
        if (record->count == CSV_FIELDS_MOST) {
            return intake_refuse(in, record->line, "more than %d columns; delete some",
                                 CSV_FIELDS_MOST);
        }
        record->fields[record->count++] = field;
        if (at_end(csv) || skip_line_end(csv)) {
            return true;
        }
        csv->at++; /* the separator */
    }
}

bool csv_next(struct csv *csv, struct intake *in, struct csv_record *record)
{
    assert(csv && in && record);
    while (!at_end(csv)) {
        if (!read_record(csv, in, record)) {
            return false;
        }
        if (!is_empty(record)) {
            return true;
        }
    }
    return false;
}

size_t csv_column(const struct csv_record *header, struct slice name)
{
    assert(header);
    for (size_t i = 0; i < header->count; i++) {
        if (slice_eq_nocase(slice_strip(header->fields[i]), name)) {
            return i;
        }
    }
    return CSV_NO_COLUMN;
}

struct slice csv_field(const struct csv_record *record, size_t column)
{
    assert(record);
    return column < record->count ? slice_strip(record->fields[column]) : (struct slice){0};
}
