// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_CRASH_H
#define TASKHOLD_BASE_CRASH_H

#include <signal.h>

/* From now on a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes one line of the log to
 * standard error before the process ends as it would have ended anyway: the signal and the address,
 * or the assertion that failed; the version; the thread; and the backtrace, as arguments for
 * `addr2line -e taskhold`. To be called once, before other threads start. */
void crash_tell(void);

/* A stack for the signals of a crash in the calling thread, without which the overflow of its own
 * stack could not be told: from begin until end. Without memory there is none. */
struct crash_stack {
    stack_t before;
    void *memory;
};
void crash_stack_begin(struct crash_stack *stack);
void crash_stack_end(struct crash_stack *stack);

/* Takes the signals of a crash out of a set that a thread is to block: blocked, they would end the
 * process without a word. */
void crash_let_through(sigset_t *blocked);

#endif
