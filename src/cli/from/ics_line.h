// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_ICS_LINE_H
#define TASKHOLD_CLI_FROM_ICS_LINE_H

#include "cli/from/intake.h"

/* Content lines of iCalendar (RFC 5545, 3.1): unfolded, and taken apart into name, parameters and
 * value. */

#define ICS_LINE_MOST       ((size_t)1 << 20) /* bytes, unfolded */
#define ICS_PARAMETERS_MOST 16

struct ics_parameter {
    struct slice name;
    struct slice value; /* without its quotes; of several the whole list */
};

struct ics_line {
    size_t line;
    struct slice name;
    struct slice value;
    struct ics_parameter parameters[ICS_PARAMETERS_MOST];
    size_t parameter_count;
};

struct ics_lines {
    struct slice text;
    size_t at;
    size_t line;
};

/* The next one that is not empty, in the intake's record. A line without a colon is a note, and is
 * passed over. False: there is none, or the intake has the result. */
bool ics_next(struct ics_lines *lines, struct intake *in, struct ics_line *line)
    __attribute__((warn_unused_result));

/* Empty where there is no such parameter. */
struct slice ics_parameter(const struct ics_line *line, struct slice name);

/* A value of type TEXT without its escapes (3.3.11), in the record. */
struct slice ics_text(struct intake *in, struct slice value);

/* Cuts off what stands before the next comma that no backslash escapes. */
struct slice ics_part(struct slice *rest);

#endif
