// SPDX-License-Identifier: MIT
#include "cli/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/thread.h"

static struct {
    struct signals_hooks hooks;
    pthread_t thread;
    atomic_bool ending;
    bool running;
} state;

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
