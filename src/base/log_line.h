// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_LOG_LINE_H
#define TASKHOLD_BASE_LOG_LINE_H

#include "base/log.h"

/* How one line of the log is put together. Used by log.c alone. */

enum log_style { LOG_STYLE_JSON, LOG_STYLE_TEXT, LOG_STYLE_COLOR };

/* Longer lines lose the ends of their values, or whole fields; never their form. */
#define LOG_LINE_MOST 2048

/* Keeps the compiler from clearing a line that is about to be written. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define LOG_LINE_UNSET __attribute__((uninitialized))
#endif
#endif
#ifndef LOG_LINE_UNSET
#define LOG_LINE_UNSET
#endif

struct log_line {
    enum log_style style;
    size_t len;
    char text[LOG_LINE_MOST];
};

/* Time, level and event. `event` is a literal of ours. */
void log_line_begin(struct log_line *line, enum log_style style, enum log_level level,
                    const char *event);

/* Adds a member. Of its text, control characters (C1 and DEL too), quotes and backslashes are
 * escaped and what is not UTF-8 is replaced by U+FFFD. */
void log_line_add(struct log_line *line, const struct log_field *field);

/* Ends it with a line feed. */
void log_line_end(struct log_line *line);

#endif
