// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/thread.h"

/* ---- one line ---- */

enum log_style { LOG_STYLE_JSON, LOG_STYLE_TEXT, LOG_STYLE_COLOR };

/* Longer lines lose the ends of their values, or whole fields; never their form. */
#define LINE_MOST 2048

/* Keeps the compiler from clearing a line that is about to be written. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define LINE_UNSET __attribute__((uninitialized))
#endif
#endif
#ifndef LINE_UNSET
#define LINE_UNSET
#endif

struct line {
    enum log_style style;
    size_t len;
    char text[LINE_MOST];
};

/* Kept free for what ends a value and the line: a quote, a brace, a line feed. */
#define TAIL 3

/* Bytes around a name at most, with blanks, quotes and colours. */
#define FRAME 10

#define EVENT_MOST 64

/* Where it stands in RFC 3339. */
#define TIME_OF_DAY 11

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static size_t room(const struct line *line)
{
    const size_t most = sizeof line->text - TAIL;
    return line->len < most ? most - line->len : 0;
}

/* Without regard to the tail: for what closes. */
static void put(struct line *line, struct slice text)
{
    if (text.len > 0) {
        memcpy(line->text + line->len, text.ptr, text.len);
        line->len += text.len;
    }
}

static void put_time(struct line *line)
{
    char text[CLOCK_RFC3339_LEN];

    clock_format_rfc3339(clock_wall_ms(), text);
    if (line->style == LOG_STYLE_COLOR) {
        /* Whoever watches knows the day. */
        put(line, SLICE("\033[2m"));
        put(line, (struct slice){text + TIME_OF_DAY, sizeof text - TIME_OF_DAY});
        put(line, SLICE("\033[0m"));
        return;
    }
    put(line, (struct slice){text, sizeof text});
}

static void put_head(struct line *line, enum log_level level, const char *event)
{
    static const char *const marks[] = {"DEBUG ", "INFO  ", "WARN  ", "ERROR "};
    static const char *const colors[] = {"\033[2m", "\033[32m", "\033[33m", "\033[31m"};

    if (line->style == LOG_STYLE_JSON) {
        put(line, SLICE("{\"ts\":\""));
        put_time(line);
        put(line, SLICE("\",\"level\":\""));
        put(line, slice_of(level_names[level]));
        put(line, SLICE("\",\"event\":\""));
        put(line, slice_of(event));
        put(line, SLICE("\""));
        return;
    }
    const bool color = line->style == LOG_STYLE_COLOR;
    put_time(line);
    put(line, SLICE(" "));
    put(line, slice_of(color ? colors[level] : NULL));
    put(line, slice_of(marks[level]));
    put(line, color ? SLICE("\033[0m") : SLICE(""));
    put(line, slice_of(event));
}

/* Plain bytes stand for themselves everywhere. */
static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\';
}

/* Writes what stands for the code point at the start of `text`, if there is room, and takes it off.
 */
static bool put_special(struct line *line, struct slice *text)
{
    const size_t step = utf8_step(*text);
    const unsigned char byte = (unsigned char)text->ptr[step == 2 ? 1 : 0];
    char escape[6] = {'\\', 'u', '0', '0', ASCII_HEX[byte >> 4], ASCII_HEX[byte & 15]};
    struct slice out = {escape, sizeof escape};

    if (step == 0) {
        out = SLICE("\\ufffd");
    } else if (byte == '"' || byte == '\\') {
        escape[1] = (char)byte;
        out.len = 2;
    } else if (step > 2 || (step == 2 && ((unsigned char)text->ptr[0] != 0xc2 || byte >= 0xa0))) {
        /* No C1 (U+0080 to U+009F): terminals take some of them for the start of a command. */
        out = (struct slice){text->ptr, step};
    }
    if (out.len > room(line)) {
        return false;
    }
    put(line, out);
    *text = slice_from(*text, step == 0 ? 1 : step);
    return true;
}

/* How many bytes at the start are plain, in steps of eight; there may be more of them. */
static size_t plain_steps(struct slice text)
{
    const uint64_t ones = 0x0101010101010101;
    size_t plain = 0;
    uint64_t bytes = 0;

    while (plain + sizeof bytes <= text.len) {
        memcpy(&bytes, text.ptr + plain, sizeof bytes);
        const uint64_t quote = bytes ^ (ones * '"');
        const uint64_t backslash = bytes ^ (ones * '\\');
        const uint64_t del = bytes ^ (ones * 0x7f);
        /* Each term sets the top bit of a byte that it means, and of none when there is none. */
        const uint64_t found =
            (bytes - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones) | bytes;
        if (found & (ones * 0x80)) {
            break;
        }
        plain += sizeof bytes;
    }
    return plain;
}

static void put_escaped(struct line *line, struct slice text)
{
    while (text.len > 0) {
        size_t plain = plain_steps(text);
        while (plain < text.len && is_plain(text.ptr[plain])) {
            plain++;
        }
        if (plain > room(line)) {
            put(line, (struct slice){text.ptr, room(line)});
            return;
        }
        put(line, (struct slice){text.ptr, plain});
        text = slice_from(text, plain);
        if (text.len > 0 && !put_special(line, &text)) {
            return;
        }
    }
}

static void put_number(struct line *line, int64_t number)
{
    char room[SLICE_DECIMAL_MOST];

    put(line, slice_decimal(number, room));
}

/* `850us`, `1.2ms`, `3.4s`. */
static void put_duration(struct line *line, int64_t us)
{
    const int64_t unit = us < 1000 ? 1 : us < 1000000 ? 1000 : 1000000;
    const char tenth = (char)('0' + us % unit * 10 / unit);

    put_number(line, us / unit);
    if (unit > 1) {
        put(line, (struct slice){(const char[]){'.', tenth}, 2});
    }
    put(line, unit == 1 ? SLICE("us") : unit == 1000 ? SLICE("ms") : SLICE("s"));
}

static void put_text(struct line *line, struct slice text)
{
    bool quoted = line->style == LOG_STYLE_JSON || text.len == 0;

    /* In readable lines a value without blanks and specials goes without quotes. */
    for (size_t i = 0; i < text.len && !quoted; i++) {
        quoted = !is_plain(text.ptr[i]) || text.ptr[i] == ' ' || text.ptr[i] == '=';
    }
    put(line, quoted ? SLICE("\"") : SLICE(""));
    put_escaped(line, text);
    put(line, quoted ? SLICE("\"") : SLICE(""));
}

/* A field without a name, in readable lines. False: it is none of those. */
static bool put_plain(struct line *line, const struct log_field *field)
{
    const bool color = line->style == LOG_STYLE_COLOR;

    switch (field->kind) {
    case LOG_STATUS_CODE:
        put(line, SLICE(" "));
        put(line, slice_of(!color                 ? NULL
                           : field->number >= 500 ? "\033[31m"
                           : field->number >= 400 ? "\033[33m"
                                                  : "\033[32m"));
        put_number(line, field->number);
        put(line, color ? SLICE("\033[0m") : SLICE(""));
        return true;
    case LOG_MICROSECONDS:
        put(line, SLICE(" "));
        put_duration(line, field->number > 0 ? field->number : 0);
        return true;
    case LOG_PLAIN_WORD:
        put(line, SLICE(" "));
        if (field->text.ptr) {
            put_text(line, field->text);
        } else {
            put(line, SLICE("-"));
        }
        return true;
    default: return false;
    }
}

/* Of its text, control characters (C1 and DEL too), quotes and backslashes are escaped, and what is
 * not UTF-8 is replaced by U+FFFD. */
static void add_field(struct line *line, const struct log_field *field)
{
    static const struct slice before[] = {{",\"", 2}, {" ", 1}, {" \033[2m", 5}};
    static const struct slice after[] = {{"\":", 2}, {"=", 1}, {"=\033[0m", 5}};

    /* The name with its frame, and a number or the first character of a text. */
    if (room(line) < field->name.len + FRAME + 20 ||
        (field->kind == LOG_OPTIONAL_TEXT && !field->text.ptr) ||
        (line->style != LOG_STYLE_JSON && put_plain(line, field))) {
        return;
    }
    put(line, before[line->style]);
    put(line, field->name);
    put(line, after[line->style]);
    if (field->kind >= LOG_NUMBER) {
        put_number(line, field->number);
    } else {
        put_text(line, field->text);
    }
}

static _Atomic int style = LOG_STYLE_TEXT;

static void make_line(struct line *line, enum log_level level, const char *event,
                      const struct log_field *fields, size_t count)
{
    assert(level < LOG_OFF && event && strlen(event) <= EVENT_MOST);
    line->style = (enum log_style)atomic_load_explicit(&style, memory_order_relaxed);
    line->len = 0;
    put_head(line, level, event);
    for (size_t i = 0; i < count; i++) {
        add_field(line, &fields[i]);
    }
    put(line, line->style == LOG_STYLE_JSON ? SLICE("}\n") : SLICE("\n"));
}

/* ---- the ring and its writer ---- */

/* Some thousand request lines. */
#define RING_SIZE (512 * 1024)

/* How long the writer gathers lines after the first, so that a busy server pays one wake-up and one
 * write for many of them. */
#define GATHER_MS 20

/* How long log_stop waits for a reader of standard error that has stopped reading. */
#define STOP_MS 1000

/* Callers append at `head`, the writer takes at `tail`; both only grow and are used modulo the
 * size. The bytes between them belong to the writer, who reads them without the lock. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled; /* waits the writer; on the monotonic clock */
    pthread_cond_t ended;  /* waits log_stop; on the monotonic clock */
    pthread_t writer;
    bool running; /* lines go into the ring */
    bool stopping;
    bool writer_ended;
    bool lost; /* the writer was left behind in a write that never came back */
    size_t head;
    size_t tail;
    uint64_t dropped; /* not told of yet */
    char ring[RING_SIZE];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int least_level = LOG_INFO;

bool log_on(enum log_level level)
{
    return (int)level >= atomic_load_explicit(&least_level, memory_order_relaxed) &&
           level < LOG_OFF;
}

/* Writes all of it, however long that takes. An error that is not a matter of time loses it: there
 * is nowhere to complain. */
static void write_out(struct slice text)
{
    while (text.len > 0) {
        const ssize_t n = write(STDERR_FILENO, text.ptr, text.len);
        if (n >= 0) {
            text.ptr += n;
            text.len -= (size_t)n;
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){.fd = STDERR_FILENO, .events = POLLOUT}, 1, -1);
        } else if (errno != EINTR) {
            return;
        }
    }
}

static void *run_writer(void *unused)
{
    struct line line LINE_UNSET;

    (void)unused;
    pthread_mutex_lock(&state.lock);
    for (;;) {
        while (state.head == state.tail && state.dropped == 0 && !state.stopping) {
            pthread_cond_wait(&state.filled, &state.lock);
        }
        const int64_t until_ms = clock_mono_ms() + GATHER_MS;
        while (!state.stopping && state.head - state.tail < RING_SIZE / 2 &&
               thread_wait_until(&state.filled, &state.lock, until_ms)) {
        }
        if (state.head == state.tail && state.dropped == 0) {
            break;
        }
        const size_t from = state.tail % RING_SIZE;
        const size_t len = state.head - state.tail;
        const size_t first = len < RING_SIZE - from ? len : RING_SIZE - from;
        const uint64_t dropped = state.dropped;
        state.dropped = 0;
        pthread_mutex_unlock(&state.lock);
        write_out((struct slice){state.ring + from, first});
        write_out((struct slice){state.ring, len - first});
        if (dropped > 0) {
            make_line(&line, LOG_WARN, "log_dropped", LOG_FIELDS(LOG_N("lines", dropped)));
            write_out((struct slice){line.text, line.len});
        }
        pthread_mutex_lock(&state.lock);
        state.tail += len;
    }
    state.writer_ended = true;
    pthread_cond_signal(&state.ended);
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

enum log_level log_level_of(const char *name)
{
    unsigned level = 0;

    assert(name);
    while (level < LOG_OFF && strcmp(name, level_names[level]) != 0) {
        level++;
    }
    return (enum log_level)level;
}

void log_setup(enum log_level level, bool json)
{
    const char *no_color = getenv("NO_COLOR");
    const bool color = isatty(STDERR_FILENO) && (!no_color || *no_color == '\0');

    log_set_level(level);
    atomic_store(&style, json ? LOG_STYLE_JSON : color ? LOG_STYLE_COLOR : LOG_STYLE_TEXT);
}

void log_set_level(enum log_level level)
{
    assert(level <= LOG_OFF);
    atomic_store(&least_level, (int)level);
}

bool log_is_json(void)
{
    return atomic_load(&style) == LOG_STYLE_JSON;
}

bool log_start(enum log_level level, bool json)
{
    bool good = false;

    log_setup(level, json);
    pthread_mutex_lock(&state.lock);
    if (!state.running && !state.lost && thread_condition_init(&state.filled) &&
        thread_condition_init(&state.ended)) {
        state.stopping = false;
        state.writer_ended = false;
        good = thread_start(&state.writer, "log", 0, run_writer, NULL);
        state.running = good;
    }
    pthread_mutex_unlock(&state.lock);
    return good;
}

void log_stop(void)
{
    pthread_mutex_lock(&state.lock);
    if (!state.running) {
        pthread_mutex_unlock(&state.lock);
        return;
    }
    state.running = false;
    state.stopping = true;
    pthread_cond_signal(&state.filled);
    const int64_t until_ms = clock_mono_ms() + STOP_MS;
    while (!state.writer_ended && thread_wait_until(&state.ended, &state.lock, until_ms)) {
    }
    const bool ended = state.writer_ended;
    state.lost = !ended;
    pthread_mutex_unlock(&state.lock);
    if (ended) {
        pthread_join(state.writer, NULL);
        pthread_cond_destroy(&state.filled);
        pthread_cond_destroy(&state.ended);
    } else {
        pthread_detach(state.writer);
    }
}

/* Copies a line into the ring, or counts it as dropped. */
static void push(struct slice line)
{
    const size_t at = state.head % RING_SIZE;
    const size_t first = line.len < RING_SIZE - at ? line.len : RING_SIZE - at;
    const bool was_quiet = state.head == state.tail && state.dropped == 0;
    const bool was_half = state.head - state.tail >= RING_SIZE / 2;

    if (line.len > RING_SIZE - (state.head - state.tail)) {
        state.dropped++;
        metrics_add(METRIC_LOG_DROPPED, 1);
    } else {
        memcpy(state.ring + at, line.ptr, first);
        memcpy(state.ring, line.ptr + first, line.len - first);
        state.head += line.len;
    }
    /* The first line wakes the writer, and the one that makes it hurry. */
    if (was_quiet || (!was_half && state.head - state.tail >= RING_SIZE / 2)) {
        pthread_cond_signal(&state.filled);
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    assert(event && (fields || count == 0));
    if (log_on(level)) {
        log_always(level, event, fields, count);
    }
}

void log_crash(const struct log_field *fields, size_t count)
{
    struct line line LINE_UNSET;

    make_line(&line, LOG_ERROR, "crashed", fields, count);
    write_out((struct slice){line.text, line.len});
}

void log_always(enum log_level level, const char *event, const struct log_field *fields,
                size_t count)
{
    assert(level < LOG_OFF && (fields || count == 0));
    struct line line LINE_UNSET;
    bool direct = false;

    make_line(&line, level, event, fields, count);
    pthread_mutex_lock(&state.lock);
    if (state.running) {
        push((struct slice){line.text, line.len});
    } else {
        /* A writer that did not end in time waits for standard error; so would the caller. */
        direct = !state.lost;
    }
    pthread_mutex_unlock(&state.lock);
    if (direct) {
        write_out((struct slice){line.text, line.len});
    }
}

void log_message(enum log_level level, const char *event, const char *format, ...)
{
    assert(event && format);
    char text[1024];
    va_list arguments;

    if (!log_on(level)) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_always(level, event, LOG_FIELDS(LOG_T("message", slice_of(text))));
}
