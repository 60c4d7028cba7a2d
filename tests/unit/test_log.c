// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

/* The log's standard error is a pipe while a test runs. */
struct capture {
    int saved;
    int from;
};

static struct capture begin_capture(void)
{
    struct capture capture = {.saved = dup(STDERR_FILENO)};
    int ends[2];

    if (pipe(ends) != 0 || dup2(ends[1], STDERR_FILENO) < 0) {
        abort();
    }
    close(ends[1]);
    capture.from = ends[0];
    return capture;
}

/* What was written, ended by NUL. Frees nothing: the caller does. */
static char *end_capture(struct capture capture)
{
    size_t size = 4 << 20;
    char *text = malloc(size);
    size_t len = 0;
    ssize_t n = 0;

    dup2(capture.saved, STDERR_FILENO);
    close(capture.saved);
    if (!text) {
        abort();
    }
    while ((n = read(capture.from, text + len, size - len - 1)) > 0) {
        len += (size_t)n;
    }
    close(capture.from);
    text[len] = '\0';
    return text;
}

/* Lines that were dropped since the start. */
static unsigned long long dropped_ever(void)
{
    static const char name[] = "\ntaskhold_log_lines_dropped_total ";
    struct buffer out;

    buffer_init(&out, (size_t)1 << 20);
    metrics_write(&out);
    buffer_add_char(&out, '\0');
    const char *at = out.failed ? NULL : strstr(out.data, name);
    assert_non_null(at);
    const unsigned long long dropped = strtoull(at + strlen(name), NULL, 10);
    buffer_finish(&out);
    return dropped;
}

/* One line after its time stamp, which is checked by its form. */
static void assert_line(const char *line, const char *before, const char *after)
{
    struct slice stamp = {line + strlen(before), CLOCK_RFC3339_LEN};
    int64_t ms = 0;

    assert_int_equal(strncmp(line, before, strlen(before)), 0);
    assert_true(clock_parse_rfc3339(stamp, &ms));
    assert_string_equal(stamp.ptr + stamp.len, after);
}

static void write_one(bool json, enum log_level level, struct slice value)
{
    assert_true(log_start(LOG_DEBUG, json));
    log_write(level, "request", LOG_FIELDS(LOG_T("path", value), LOG_N("status", -200)));
    log_stop();
}

static void writes_json(void **state)
{
    static const struct {
        struct slice value;
        const char *shown;
    } cases[] = {
        {{NULL, 0}, ""},
        {{"/v1/tasks", 9}, "/v1/tasks"},
        {{"a\"b\\c", 5}, "a\\\"b\\\\c"},
        {{"a\r\nb", 4}, "a\\u000d\\u000ab"},
        {{"\033[2J\0\x7f", 6}, "\\u001b[2J\\u0000\\u007f"},
        {{"\xff\xc3\xa4\xc3", 4}, "\\ufffd\xc3\xa4\\ufffd"},
        {{"\xc2\x9b\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80", 11},
         "\\u009b\xc2\xa0\xe2\x82\xac\xf0\x9f\x98\x80"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct capture capture = begin_capture();
        char expected[256];
        char *text = NULL;
        write_one(true, LOG_INFO, cases[i].value);
        text = end_capture(capture);
        (void)snprintf(expected, sizeof expected,
                       "\",\"level\":\"info\",\"event\":\"request\",\"path\":\"%s\","
                       "\"status\":-200}\n",
                       cases[i].shown);
        assert_line(text, "{\"ts\":\"", expected);
        free(text);
    }
}

static void writes_readable_text(void **state)
{
    static const struct {
        struct slice value;
        const char *shown;
    } cases[] = {
        {{NULL, 0}, "\"\""},
        {{"/v1/tasks", 9}, "/v1/tasks"},
        {{"a b", 3}, "\"a b\""},
        {{"x status=500", 12}, "\"x status=500\""},
        {{"a=b", 3}, "\"a=b\""},
        {{"a\"\nb", 4}, "\"a\\\"\\u000ab\""},
        {{"\033[31m", 5}, "\"\\u001b[31m\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct capture capture = begin_capture();
        char expected[256];
        char *text = NULL;
        write_one(false, LOG_WARN, cases[i].value);
        text = end_capture(capture);
        (void)snprintf(expected, sizeof expected, " WARN  request path=%s status=-200\n",
                       cases[i].shown);
        assert_line(text, "", expected);
        free(text);
    }
}

/* A request on one line: what one looks for first stands first and without names. */
static void writes_requests_for_people(void **state)
{
    static const struct {
        int64_t us;
        const char *shown;
    } cases[] = {{0, "0us"},          {999, "999us"},    {1000, "1.0ms"},     {1250, "1.2ms"},
                 {999999, "999.9ms"}, {1000000, "1.0s"}, {61550000, "61.5s"}, {-1, "0us"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct capture capture = begin_capture();
        char expected[256];
        char *text = NULL;
        assert_true(log_start(LOG_INFO, false));
        log_write(LOG_INFO, "request",
                  LOG_FIELDS(LOG_WORD("method", SLICE("GET")), LOG_WORD("route", slice_of(NULL)),
                             LOG_HTTP_STATUS("status", 404), LOG_US("us", cases[i].us),
                             LOG_O("code", SLICE("not_found")), LOG_O("user_id", slice_of(NULL))));
        log_stop();
        text = end_capture(capture);
        (void)snprintf(expected, sizeof expected, " INFO  request GET - 404 %s code=not_found\n",
                       cases[i].shown);
        assert_line(text, "", expected);
        free(text);
    }
}

/* On a terminal: no day, names that stand back, a status whose colour tells. */
static void writes_requests_for_a_terminal(void **state)
{
    static const struct {
        int64_t status;
        const char *color;
    } cases[] = {{204, "32"}, {304, "32"}, {404, "33"}, {503, "31"}};
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    const int saved = dup(STDERR_FILENO);
    struct termios form;
    char expected[256];
    char text[512];

    (void)state;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_int_equal(tcgetattr(terminal, &form), 0);
    cfmakeraw(&form); /* a line feed stays one */
    assert_int_equal(tcsetattr(terminal, TCSANOW, &form), 0);
    (void)unsetenv("NO_COLOR");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)dup2(terminal, STDERR_FILENO);
        log_setup(LOG_INFO, false);
        log_write(LOG_INFO, "request",
                  LOG_FIELDS(LOG_HTTP_STATUS("status", cases[i].status),
                             LOG_T("client", SLICE("\033[5m"))));
        (void)dup2(saved, STDERR_FILENO);
        const ssize_t len = read(master, text, sizeof text);
        (void)snprintf(expected, sizeof expected,
                       "Z\033[0m \033[32mINFO  \033[0mrequest \033[%sm%d\033[0m "
                       "\033[2mclient=\033[0m\"\\u001b[5m\"\n",
                       cases[i].color, (int)cases[i].status);
        assert_int_equal(len, 4 + strlen("15:04:05.123") + strlen(expected));
        assert_memory_equal(text, "\033[2m", 4);
        assert_memory_equal(text + (size_t)len - strlen(expected), expected, strlen(expected));
    }
    log_setup(LOG_INFO, false);
    (void)close(terminal);
    (void)close(saved);
    (void)close(master);
}

static void writes_requests_for_programs(void **state)
{
    const struct capture capture = begin_capture();
    char *text = NULL;

    (void)state;
    assert_true(log_start(LOG_INFO, true));
    log_write(LOG_INFO, "request",
              LOG_FIELDS(LOG_WORD("method", SLICE("GET")), LOG_WORD("route", slice_of(NULL)),
                         LOG_HTTP_STATUS("status", 404), LOG_US("us", 1250),
                         LOG_O("code", SLICE("not_found")), LOG_O("user_id", slice_of(NULL))));
    log_stop();
    text = end_capture(capture);
    assert_line(text, "{\"ts\":\"",
                "\",\"level\":\"info\",\"event\":\"request\",\"method\":\"GET\",\"route\":\"\","
                "\"status\":404,\"us\":1250,\"code\":\"not_found\"}\n");
    free(text);
}

/* Whatever the length and wherever the cut falls: one line, whole JSON, UTF-8. */
static void bounds_a_line(void **state)
{
    static const struct {
        const char *unit;
        size_t len;
    } units[] = {{"a", 1}, {"\n", 1}, {"\xc3\xa4", 2}, {"\xf0\x9f\x98\x80", 4}, {"\xff", 1}};
    char value[8192];

    (void)state;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        for (size_t shift = 0; shift < 8; shift++) {
            const struct capture capture = begin_capture();
            char *text = NULL;
            size_t len = 0;
            memset(value, 'x', sizeof value);
            for (size_t at = shift; at + units[u].len <= sizeof value; at += units[u].len) {
                memcpy(value + at, units[u].unit, units[u].len);
            }
            write_one(true, LOG_ERROR, (struct slice){value, sizeof value});
            text = end_capture(capture);
            len = strlen(text);
            assert_in_range(len, 2000, 2048);
            assert_string_equal(text + len - 3, "\"}\n");
            assert_ptr_equal(strchr(text, '\n'), text + len - 1);
            assert_true(text[len - 4] != '\\');
            free(text);
        }
    }
}

static void keeps_to_its_level(void **state)
{
    static const enum log_level levels[] = {LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF};

    (void)state;
    for (unsigned least = LOG_DEBUG; least <= LOG_OFF; least++) {
        const struct capture capture = begin_capture();
        char *text = NULL;
        unsigned lines = 0;
        assert_true(log_start((enum log_level)least, true));
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(log_on(levels[i]), i >= least);
            log_message(levels[i], "note", "number %d of %s", 1, "one");
        }
        log_stop();
        text = end_capture(capture);
        for (const char *at = text; (at = strstr(at, "\"message\":\"number 1 of one\"}\n")); at++) {
            lines++;
        }
        assert_int_equal(lines, 4 - least);
        free(text);
    }
}

static void writes_directly_when_it_does_not_run(void **state)
{
    const struct capture capture = begin_capture();
    char *text = NULL;

    (void)state;
    assert_true(log_start(LOG_INFO, true));
    log_stop();
    log_stop();
    log_message(LOG_INFO, "late", "still here");
    text = end_capture(capture);
    assert_non_null(strstr(text, "\"event\":\"late\",\"message\":\"still here\"}\n"));
    free(text);
}

static void *write_many(void *number)
{
    for (int i = 0; i < 500; i++) {
        log_write(LOG_INFO, "many",
                  LOG_FIELDS(LOG_N("thread", (intptr_t)number), LOG_N("line", i)));
    }
    return NULL;
}

struct reading {
    int from;
    unsigned lines;
    char text[1 << 18]; /* the end of what was read */
    size_t len;
};

static void *read_all(void *argument)
{
    struct reading *reading = argument;
    char piece[4096];
    ssize_t n = 0;

    while ((n = read(reading->from, piece, sizeof piece)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            reading->lines += piece[i] == '\n' ? 1 : 0;
        }
        if (reading->len + (size_t)n > sizeof reading->text) {
            reading->len = 0;
        }
        memcpy(reading->text + reading->len, piece, (size_t)n);
        reading->len += (size_t)n;
    }
    return NULL;
}

static void takes_lines_of_many_threads(void **state)
{
    const struct capture capture = begin_capture();
    static struct reading reading;
    pthread_t reader;
    pthread_t threads[4];

    (void)state;
    reading = (struct reading){.from = capture.from};
    assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);
    assert_true(log_start(LOG_INFO, true));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, (void *)i), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    log_stop();
    dup2(capture.saved, STDERR_FILENO);
    close(capture.saved);
    assert_int_equal(pthread_join(reader, NULL), 0);
    close(capture.from);
    assert_int_equal(reading.lines, 2000);
}

/* Nobody reads: callers go on, lines are dropped and counted, and later a line says how many. */
static void drops_and_counts_when_nobody_reads(void **state)
{
    const struct capture capture = begin_capture();
    const uint64_t before = dropped_ever();
    static struct reading reading;
    char expected[64];
    pthread_t reader;
    unsigned written = 0;

    (void)state;
    reading = (struct reading){.from = capture.from};
    assert_true(log_start(LOG_INFO, true));
    while (dropped_ever() < before + 100) {
        log_message(LOG_INFO, "flood", "line %u", written++);
        assert_true(written < 1000000);
    }
    assert_int_equal(pthread_create(&reader, NULL, read_all, &reading), 0);
    log_stop();
    dup2(capture.saved, STDERR_FILENO);
    close(capture.saved);
    assert_int_equal(pthread_join(reader, NULL), 0);
    close(capture.from);
    assert_int_equal(reading.lines, written - 100 + 1);
    (void)snprintf(expected, sizeof expected, "\"event\":\"log_dropped\",\"lines\":100}\n");
    assert_non_null(memmem(reading.text, reading.len, expected, strlen(expected)));
}

/* Stops the log while its reader has stopped reading. Returns what is wrong, or 0. */
static int stop_unread(void)
{
    const uint64_t before = dropped_ever();
    int64_t started = 0;

    if (!log_start(LOG_INFO, true)) {
        return 1;
    }
    while (dropped_ever() == before) {
        log_message(LOG_INFO, "flood", "line");
    }
    started = clock_mono_ms();
    log_stop();
    if (clock_mono_ms() - started > 5000) {
        return 2;
    }
    log_message(LOG_INFO, "late", "dropped, for standard error blocks");
    return log_start(LOG_INFO, true) ? 3 : 0;
}

/* In a process of its own, for the writer is left behind in its write. */
static void stops_although_nobody_reads(void **state)
{
    const struct capture capture = begin_capture();
    const pid_t child = fork();
    int status = 0;

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        _exit(stop_unread());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    free(end_capture(capture));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_json),
        cmocka_unit_test(writes_readable_text),
        cmocka_unit_test(writes_requests_for_people),
        cmocka_unit_test(writes_requests_for_a_terminal),
        cmocka_unit_test(writes_requests_for_programs),
        cmocka_unit_test(bounds_a_line),
        cmocka_unit_test(keeps_to_its_level),
        cmocka_unit_test(writes_directly_when_it_does_not_run),
        cmocka_unit_test(takes_lines_of_many_threads),
        cmocka_unit_test(drops_and_counts_when_nobody_reads),
        cmocka_unit_test(stops_although_nobody_reads),
    };
    metrics_start();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
