// SPDX-License-Identifier: MIT
#include "cli/signals.h"

#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "base/thread.h"

#define FRAMES_MOST 16

static struct {
    struct signals_hooks hooks;
    pthread_t thread;
    atomic_bool ending;
    bool running;
} state;

static const struct {
    int number;
    const char *name;
} crashes[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},
    {SIGILL, "SIGILL"},   {SIGABRT, "SIGABRT"},
};

/* ---- those that ask for something ---- */

static void asked_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
}

static void *signals_main(void *unused)
{
    sigset_t set;
    int number = 0;

    (void)unused;
    asked_set(&set);
    while (!atomic_load(&state.ending)) {
        if (sigwait(&set, &number) != 0 || atomic_load(&state.ending)) {
            continue;
        }
        if (number == SIGHUP) {
            state.hooks.reload(state.hooks.context);
        } else {
            state.hooks.stop(state.hooks.context, number == SIGINT ? "SIGINT" : "SIGTERM");
        }
    }
    return NULL;
}

static void on_nothing(int number)
{
    (void)number;
}

bool signals_start(const struct signals_hooks *hooks)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    /* Never run. A signal that is ignored (nohup), or that PID 1 has no handler for, would not even
     * wait for the thread. */
    const struct sigaction nothing = {.sa_handler = on_nothing, .sa_flags = (int)SA_RESTART};
    sigset_t set;

    state.hooks = *hooks;
    atomic_store(&state.ending, false);
    asked_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(numbers[i], &nothing, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    state.running = thread_start(&state.thread, "signals", 0, signals_main, NULL);
    return state.running;
}

void signals_end(void)
{
    if (!state.running) {
        return;
    }
    atomic_store(&state.ending, true);
    pthread_kill(state.thread, SIGHUP);
    pthread_join(state.thread, NULL);
    state.running = false;
}

/* ---- those of a crash ---- */

/* The linker's name for where the program was loaded to. */
extern const char __executable_start; /* NOLINT(bugprone-reserved-identifier) */

/* Text that is put together without a call that may lock or allocate (signal-safety(7)). */
struct crash_text {
    size_t len;
    char text[512];
};

static void crash_add(struct crash_text *out, const char *text)
{
    while (*text && out->len < sizeof out->text) {
        out->text[out->len++] = *text++;
    }
}

static void crash_add_hex(struct crash_text *out, uintptr_t value)
{
    char digits[2 * sizeof value + 1] = "";
    size_t at = sizeof digits - 1;

    do {
        digits[--at] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value > 0);
    crash_add(out, "0x");
    crash_add(out, digits + at);
}

/* Where addr2line looks for it; what is another library's is left out. */
static void crash_add_frames(struct crash_text *out)
{
    void *frames[FRAMES_MOST];
    const int count = backtrace(frames, FRAMES_MOST);
    const uintptr_t start = (uintptr_t)&__executable_start;

    crash_add(out, "; addr2line -e taskhold");
    for (int i = 0; i < count; i++) {
        const uintptr_t at = (uintptr_t)frames[i];
        if (at >= start && at - start < (uintptr_t)64 * 1024 * 1024) {
            crash_add(out, " ");
            crash_add_hex(out, at - start);
        }
    }
}

static void on_crash(int number, siginfo_t *info, void *context)
{
    struct crash_text out = {0};

    (void)context;
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        crash_add(&out, crashes[i].number == number ? crashes[i].name : "");
    }
    if (number != SIGABRT) {
        crash_add(&out, " at ");
        crash_add_hex(&out, (uintptr_t)info->si_addr);
    }
    crash_add(&out, ": a fault of the program; the supervisor should start it again");
    crash_add_frames(&out);
    log_crash((struct slice){out.text, out.len});
    signal(number, SIG_DFL);
    raise(number);
}

void signals_tell_crashes(void)
{
    struct sigaction crash = {.sa_sigaction = on_crash,
                              .sa_flags = (int)(SA_RESETHAND | SA_SIGINFO)};
    void *frames[2];

    (void)backtrace(frames, 2); /* loads what it needs, which a handler must not */
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        sigaction(crashes[i].number, &crash, NULL);
    }
}
