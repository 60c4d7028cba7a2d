// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#define NAME_LEN 16 /* with its NUL; pthread_setname_np takes no more */

/* All but those of a crash: blocked, they would end the process without a word. */
static void set_of_blocked(sigset_t *set)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};

    sigfillset(set);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        sigdelset(set, crashes[i]);
    }
}

bool thread_start(pthread_t *thread, const char *name, size_t stack_bytes, void *(*run)(void *),
                  void *argument)
{
    char short_name[NAME_LEN];
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;

    assert(thread && name && run);
    errno = pthread_attr_init(&attributes);
    if (errno != 0) {
        return false;
    }
    if (stack_bytes > 0) {
        errno = pthread_attr_setstacksize(&attributes, stack_bytes);
        assert(errno == 0); /* it is above PTHREAD_STACK_MIN */
    }
    set_of_blocked(&blocked);
    pthread_sigmask(SIG_SETMASK, &blocked, &before);
    const int result = pthread_create(thread, &attributes, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (result == 0) {
        (void)snprintf(short_name, sizeof short_name, "%s", name);
        (void)pthread_setname_np(*thread, short_name);
    }
    errno = result;
    return result == 0;
}

bool thread_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    assert(condition);
    errno = pthread_condattr_init(&attributes);
    if (errno == 0) {
        errno = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        errno = errno == 0 ? pthread_cond_init(condition, &attributes) : errno;
        pthread_condattr_destroy(&attributes);
    }
    return errno == 0;
}

bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000),
                                   .tv_nsec = (long)(until_ms % 1000) * 1000000};

    assert(condition && lock && until_ms >= 0);
    return pthread_cond_timedwait(condition, lock, &until) != ETIMEDOUT;
}
