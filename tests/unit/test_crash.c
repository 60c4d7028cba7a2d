// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/log.h"
#include "base/thread.h"
#include "sanitizers.h"

/* ---- what crashes, by a name that the backtrace must lead to ---- */

static volatile int after; /* keeps calls from being jumps */

__attribute__((noinline)) static void touches_what_is_not_there(void)
{
    *(volatile char *)(uintptr_t)4096 = 1;
    after++;
}

__attribute__((noinline)) static void promises_too_much(void)
{
    const volatile int two = 2;

    assert(two == 3);
    after++;
}

static void *touch_on_thread(void *unused)
{
    touches_what_is_not_there();
    return unused;
}

static void touches_on_a_thread(void)
{
    pthread_t thread;

    if (thread_start(&thread, "fragile", 0, touch_on_thread, NULL)) {
        pthread_join(thread, NULL);
    }
}

/* More calls than any stack has room for. */
__attribute__((noinline)) static int calls_itself(int depth)
{
    volatile char frame[4096];

    frame[0] = (char)depth;
    return depth == INT_MAX ? 0 : calls_itself(depth + 1) + frame[0];
}

static void overflows(void)
{
    after = calls_itself(0);
}

static void *overflow_on_thread(void *unused)
{
    overflows();
    return unused;
}

static void overflows_on_a_thread(void)
{
    pthread_t thread;

    if (thread_start(&thread, "deep", 0, overflow_on_thread, NULL)) {
        pthread_join(thread, NULL);
    }
}

/* ---- what is told of it ---- */

struct end {
    int signal;
    char text[4096]; /* of standard error */
};

static struct end end_of(void (*crash)(void), bool told)
{
    const struct rlimit none = {0, 0};
    struct end end = {0};
    int ends[2];
    int status = 0;
    size_t len = 0;
    ssize_t n = 0;

    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &none);
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        log_setup(LOG_OFF, true);
        if (told) {
            crash_tell();
        }
        crash();
        _exit(0);
    }
    (void)close(ends[1]);
    while ((n = read(ends[0], end.text + len, sizeof end.text - 1 - len)) > 0) {
        len += (size_t)n;
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return end;
}

/* Whether addr2line finds the function among the frames of the line. */
static bool leads_to(const char *line, const char *function)
{
    char command[2048];
    char name[256];
    char program[512] = "";
    bool found = false;
    const char *frames = strstr(line, "\"addr2line\":\"");

    assert_non_null(frames);
    assert_true(readlink("/proc/self/exe", program, sizeof program - 1) > 0);
    frames += strlen("\"addr2line\":\"");
    (void)snprintf(command, sizeof command, "addr2line -f -e '%s' %.*s", program,
                   (int)strcspn(frames, "\""), frames);
    FILE *names = popen(command, "r");
    assert_non_null(names);
    while (fgets(name, sizeof name, names)) {
        found = found || strncmp(name, function, strlen(function)) == 0;
    }
    (void)pclose(names);
    return found;
}

static void a_fault_is_told(void **state)
{
    const struct end end = end_of(touches_what_is_not_there, true);

    (void)state;
    assert_int_equal(end.signal, SIGSEGV);
    assert_non_null(strstr(end.text, "\"event\":\"crashed\",\"message\":\"SIGSEGV at 0x1000\""));
    assert_non_null(strstr(end.text, "\"version\":\"" TASKHOLD_VERSION "\""));
    assert_true(leads_to(end.text, "touches_what_is_not_there"));
    assert_ptr_equal(strchr(end.text, '\n'), end.text + strlen(end.text) - 1);
}

static void a_failed_assertion_is_told(void **state)
{
    const struct end end = end_of(promises_too_much, true);

    (void)state;
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, "test_crash.c:"));
    assert_non_null(strstr(end.text, "promises_too_much"));
    assert_non_null(strstr(end.text, ": assertion failed: two == 3\","));
    assert_true(leads_to(end.text, "promises_too_much"));
    assert_ptr_equal(strchr(end.text, '\n'), end.text + strlen(end.text) - 1);
}

static void a_thread_is_told_by_name(void **state)
{
    const struct end end = end_of(touches_on_a_thread, true);

    (void)state;
    assert_int_equal(end.signal, SIGSEGV);
    assert_non_null(strstr(end.text, "\"thread\":\"fragile\""));
    assert_true(leads_to(end.text, "touches_what_is_not_there"));
}

static void an_overflow_of_the_stack_is_told(void **state)
{
    void (*const overflowing[])(void) = {overflows, overflows_on_a_thread};

    (void)state;
    if (UNDER_TSAN) {
        print_message("SKIPPED: ThreadSanitizer's own calls overflow first\n");
        skip(); /* ThreadSanitizer's own calls overflow first */
    }
    for (size_t i = 0; i < sizeof overflowing / sizeof *overflowing; i++) {
        const struct end end = end_of(overflowing[i], true);
        assert_int_equal(end.signal, SIGSEGV);
        assert_non_null(strstr(end.text, "\"event\":\"crashed\",\"message\":\"SIGSEGV at 0x"));
        assert_true(leads_to(end.text, "calls_itself"));
    }
}

static void an_assertion_is_told_without_a_log(void **state)
{
    const struct end end = end_of(promises_too_much, false);

    (void)state;
    assert_int_equal(end.signal, SIGABRT);
    assert_non_null(strstr(end.text, ": assertion failed: two == 3\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_is_told),
        cmocka_unit_test(a_failed_assertion_is_told),
        cmocka_unit_test(a_thread_is_told_by_name),
        cmocka_unit_test(an_overflow_of_the_stack_is_told),
        cmocka_unit_test(an_assertion_is_told_without_a_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
