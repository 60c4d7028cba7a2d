// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_CSV_H
#define TASKHOLD_CLI_FROM_CSV_H

#include "cli/from/intake.h"

/* Comma-separated values (RFC 4180), with LF, CRLF or CR, any of three separators, and a quote that
 * stands inside an unquoted field taken as it is. */

#define CSV_FIELDS_MOST 64
#define CSV_RECORD_MOST ((size_t)1 << 20) /* bytes; a quote that never ends is found by it */

struct csv {
    struct slice text;
    size_t at;
    size_t line; /* of what comes next, from 1 */
    char separator;
};

struct csv_record {
    size_t line;
    size_t count;
    struct slice fields[CSV_FIELDS_MOST]; /* of the text, or of the intake's record */
};

/* The separator is that of comma, semicolon and tab which the first line has most of. */
void csv_init(struct csv *csv, struct slice text);

/* The next record that holds anything; false: there is none, or the intake refused. */
bool csv_next(struct csv *csv, struct intake *in, struct csv_record *record)
    __attribute__((warn_unused_result));

#define CSV_NO_COLUMN SIZE_MAX

/* The column of a header by its name, in any case. */
size_t csv_column(const struct csv_record *header, struct slice name);

/* Stripped; empty where there is no such column. */
struct slice csv_field(const struct csv_record *record, size_t column);

#endif
