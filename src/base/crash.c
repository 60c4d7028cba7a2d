// SPDX-License-Identifier: MIT
#include "base/crash.h"

#include <assert.h>
#include <execinfo.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

#define FRAMES_MOST 32
#define STACK_SIZE  65536 /* more than what on_crash calls takes */

/* Where the linker put the program's code. */
extern const char __executable_start; /* NOLINT(bugprone-reserved-identifier) */
extern const char etext;

/* Text that is put together without a call that may lock or allocate (signal-safety(7)). */
struct crash_text {
    size_t len;
    char text[512];
};

static void add(struct crash_text *out, const char *text)
{
    while (*text && out->len < sizeof out->text) {
        out->text[out->len++] = *text++;
    }
}

static void add_number(struct crash_text *out, uintptr_t value, unsigned base)
{
    char digits[3 * sizeof value + 1] = "";
    size_t at = sizeof digits - 1;

    do {
        digits[--at] = ASCII_HEX[value % base];
        value /= base;
    } while (value > 0);
    add(out, base == 16 ? "0x" : "");
    add(out, digits + at);
}

/* ---- an assertion that fails ---- */

static struct crash_text failed_assertion;
static atomic_bool assertion_has_failed; /* only the first one is told */
static atomic_bool is_telling;

/* What assert() calls, in the place of the C library's, whose text would not be in the log's form.
 * NOLINTNEXTLINE(bugprone-reserved-identifier) */
void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
    if (!atomic_exchange(&assertion_has_failed, true)) {
        struct crash_text *out = &failed_assertion;
        add(out, file);
        add(out, ":");
        add_number(out, line, 10);
        add(out, ": ");
        add(out, function);
        add(out, ": assertion failed: ");
        add(out, assertion);
        if (!atomic_load(&is_telling)) {
            const ssize_t written =
                write(STDERR_FILENO, out->text, out->len) + write(STDERR_FILENO, "\n", 1);
            (void)written;
        }
    }
    abort();
}

/* ---- the line ---- */

static const struct {
    int number;
    const char *name;
} crashes[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"},
};

static void on_crash(int number, siginfo_t *info, void *context)
{
    struct crash_text what = {0};
    struct crash_text frames = {0};
    char thread[17] = "";
    void *found[FRAMES_MOST];
    const int count = backtrace(found, FRAMES_MOST);
    const uintptr_t start = (uintptr_t)&__executable_start;

    (void)context;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        add(&what, crashes[i].number == number ? crashes[i].name : "");
    }
    if (number != SIGABRT) {
        add(&what, " at ");
        add_number(&what, (uintptr_t)info->si_addr, 16);
    } else if (atomic_load(&assertion_has_failed)) {
        what = failed_assertion;
    }
    /* Frames of the program itself, by their place in its file; those of libraries are left out.
     * One byte before where a call returns to is still in the line of the call. */
    for (int i = 0; i < count; i++) {
        const uintptr_t at = (uintptr_t)found[i] - 1;
        if (at >= start && at < (uintptr_t)&etext) {
            add(&frames, frames.len > 0 ? " " : "");
            add_number(&frames, at - start, 16);
        }
    }
    (void)prctl(PR_GET_NAME, thread);
    log_crash(LOG_FIELDS(LOG_T("message", ((struct slice){what.text, what.len})),
                         LOG_T("version", SLICE(TASKHOLD_VERSION)),
                         LOG_T("thread", slice_of(thread)),
                         LOG_T("addr2line", ((struct slice){frames.text, frames.len}))));
    signal(number, SIG_DFL);
    raise(number);
}

void crash_tell(void)
{
    assert(!atomic_load(&is_telling));
    struct sigaction crash = {.sa_sigaction = on_crash,
                              .sa_flags = (int)(SA_RESETHAND | SA_SIGINFO | SA_ONSTACK)};
    static struct crash_stack stack; /* of the first thread */
    void *frames[2];

    crash_stack_begin(&stack);
    (void)backtrace(frames, 2); /* loads what it needs, which a handler must not */
    atomic_store(&is_telling, true);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        sigaction(crashes[i].number, &crash, NULL);
    }
}

void crash_stack_begin(struct crash_stack *stack)
{
    assert(stack);
    void *memory =
        mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const stack_t ours = {.ss_sp = memory, .ss_size = STACK_SIZE};
    *stack = (struct crash_stack){0};
    if (memory != MAP_FAILED && sigaltstack(&ours, &stack->before) == 0) {
        stack->memory = memory;
    } else if (memory != MAP_FAILED) {
        (void)munmap(memory, STACK_SIZE);
    }
}

void crash_stack_end(struct crash_stack *stack)
{
    assert(stack);
    if (stack->memory) {
        (void)sigaltstack(&stack->before, NULL);
        (void)munmap(stack->memory, STACK_SIZE);
    }
}

void crash_let_through(sigset_t *blocked)
{
    assert(blocked);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        sigdelset(blocked, crashes[i].number);
    }
}
