// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_LOG_H
#define TASKHOLD_BASE_LOG_H

#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* One line a call, as JSON or text, on standard error, written by a thread of its own from a
 * bounded ring: a full ring drops the line and counts it; no caller ever blocks. */

/* Of a LOG_LEVEL: debug, info, warn, error; anything else is off. */
enum log_level log_level_of(const char *name);

/* Level and form of the lines that follow. `json`: one JSON object a line; else readable text. */
void log_setup(enum log_level level, bool json);
void log_set_level(enum log_level level);
bool log_is_json(void);

/* log_setup, and lines go through the thread from now on. Returns false when it cannot start. */
bool log_start(enum log_level level, bool json);

/* Writes what is queued (at most one second) and ends the thread. Before start and after stop,
 * lines are written directly. */
void log_stop(void);

bool log_on(enum log_level level);

/* A member of a line. Values are escaped: no byte of a client can forge a line. */
struct log_field {
    struct slice name; /* a literal of ours */
    enum {
        LOG_TEXT,
        LOG_OPTIONAL_TEXT, /* left out when text.ptr is NULL */
        LOG_PLAIN_WORD,    /* text; readable lines show it without its name */
        LOG_NUMBER,
        LOG_STATUS_CODE,  /* number; the same, coloured by its first digit */
        LOG_MICROSECONDS, /* number; readable lines show a duration without its name */
    } kind;
    struct slice text;
    int64_t number;
};

/* `event` is a fixed name such as `request` or `login_failed`, of at most 64 characters. A line
 * beyond 2,048 bytes loses the ends of its values, or whole fields; never its form. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count);

#define LOG_FIELDS(...)                                                                            \
    (const struct log_field[]){__VA_ARGS__},                                                       \
        sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define LOG_FIELD(field, what, ...)                                                                \
    {                                                                                              \
        .name = {field, sizeof(field) - 1}, .kind = (what), __VA_ARGS__                            \
    }
#define LOG_T(field, slice)           LOG_FIELD(field, LOG_TEXT, .text = (slice))
#define LOG_O(field, slice)           LOG_FIELD(field, LOG_OPTIONAL_TEXT, .text = (slice))
#define LOG_WORD(field, slice)        LOG_FIELD(field, LOG_PLAIN_WORD, .text = (slice))
#define LOG_N(field, value)           LOG_FIELD(field, LOG_NUMBER, .number = (int64_t)(value))
#define LOG_HTTP_STATUS(field, value) LOG_FIELD(field, LOG_STATUS_CODE, .number = (int64_t)(value))
#define LOG_US(field, value)          LOG_FIELD(field, LOG_MICROSECONDS, .number = (int64_t)(value))

/* A line with only a message. */
void log_message(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same whatever the level, for what has to be told: why a start failed, where it listens. */
void log_always(enum log_level level, const char *event, const struct log_field *fields,
                size_t count);

/* The last line of a process that crashes, `crashed`; safe in a signal handler. */
void log_crash(const struct log_field *fields, size_t count);

#endif
