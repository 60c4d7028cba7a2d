// SPDX-License-Identifier: MIT
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_line.h"
#include "base/metrics.h"
#include "base/thread.h"

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
    uint64_t dropped_ever;
    char ring[RING_SIZE];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Atomic int least_level = LOG_INFO;
static _Atomic int style = LOG_STYLE_TEXT;

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

/* Waits, with the lock held, for a line, and then a little for more of them. Returns false when the
 * ring is empty and the log ends. */
static bool await_lines(void)
{
    while (state.head == state.tail && state.dropped == 0 && !state.stopping) {
        pthread_cond_wait(&state.filled, &state.lock);
    }
    const int64_t until_ms = clock_mono_ms() + GATHER_MS;
    while (!state.stopping && state.head - state.tail < RING_SIZE / 2 &&
           thread_wait_until(&state.filled, &state.lock, until_ms)) {
    }
    return state.head != state.tail || state.dropped != 0;
}

static void write_dropped(uint64_t dropped)
{
    struct log_line line;

    log_line_begin(&line, (enum log_style)style, LOG_WARN, "log_dropped");
    log_line_add(&line, &(struct log_field)LOG_N("lines", dropped));
    log_line_end(&line);
    write_out((struct slice){line.text, line.len});
}

/* Writes what stands in the ring, in one or two pieces. Called and left with the lock held. */
static void write_ring(void)
{
    const size_t from = state.tail % RING_SIZE;
    const size_t len = state.head - state.tail;
    const size_t first = len < RING_SIZE - from ? len : RING_SIZE - from;
    const uint64_t dropped = state.dropped;

    state.dropped = 0;
    pthread_mutex_unlock(&state.lock);
    write_out((struct slice){state.ring + from, first});
    write_out((struct slice){state.ring, len - first});
    if (dropped > 0) {
        write_dropped(dropped);
    }
    pthread_mutex_lock(&state.lock);
    state.tail += len;
}

static void *run_writer(void *unused)
{
    (void)unused;
    pthread_mutex_lock(&state.lock);
    while (await_lines()) {
        write_ring();
    }
    state.writer_ended = true;
    pthread_cond_signal(&state.ended);
    pthread_mutex_unlock(&state.lock);
    return NULL;
}

static enum log_style choose_style(bool json)
{
    const char *no_color = getenv("NO_COLOR");

    if (json) {
        return LOG_STYLE_JSON;
    }
    return isatty(STDERR_FILENO) && (!no_color || *no_color == '\0') ? LOG_STYLE_COLOR
                                                                     : LOG_STYLE_TEXT;
}

enum log_level log_level_of(const char *name)
{
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    unsigned level = 0;

    while (level < LOG_OFF && strcmp(name, levels[level]) != 0) {
        level++;
    }
    return (enum log_level)level;
}

void log_setup(enum log_level level, bool json)
{
    atomic_store(&least_level, (int)level);
    atomic_store(&style, (int)choose_style(json));
}

void log_set_level(enum log_level level)
{
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
    bool ended = false;

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
    ended = state.writer_ended;
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
        state.dropped_ever++;
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

static void emit(const struct log_line *line)
{
    const struct slice text = {line->text, line->len};
    bool direct = false;

    pthread_mutex_lock(&state.lock);
    if (state.running) {
        push(text);
    } else {
        /* With a writer left behind, standard error blocks; so would the caller. */
        direct = !state.lost;
    }
    pthread_mutex_unlock(&state.lock);
    if (direct) {
        write_out(text);
    }
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               size_t count)
{
    if (log_on(level)) {
        log_always(level, event, fields, count);
    }
}

void log_crash(const struct log_field *fields, size_t count)
{
    struct log_line line LOG_LINE_UNSET;

    log_line_begin(&line, (enum log_style)atomic_load(&style), LOG_ERROR, "crashed");
    for (size_t i = 0; i < count; i++) {
        log_line_add(&line, &fields[i]);
    }
    log_line_end(&line);
    write_out((struct slice){line.text, line.len});
}

void log_always(enum log_level level, const char *event, const struct log_field *fields,
                size_t count)
{
    struct log_line line LOG_LINE_UNSET;

    log_line_begin(&line, (enum log_style)atomic_load_explicit(&style, memory_order_relaxed), level,
                   event);
    for (size_t i = 0; i < count; i++) {
        log_line_add(&line, &fields[i]);
    }
    log_line_end(&line);
    emit(&line);
}

void log_message(enum log_level level, const char *event, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    if (!log_on(level)) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    log_write(level, event, LOG_FIELDS(LOG_T("message", slice_of(text))));
}

uint64_t log_dropped(void)
{
    uint64_t dropped = 0;

    pthread_mutex_lock(&state.lock);
    dropped = state.dropped_ever;
    pthread_mutex_unlock(&state.lock);
    return dropped;
}
