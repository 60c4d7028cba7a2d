// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_CRASH_H
#define TASKHOLD_BASE_CRASH_H

/* From now on a crash (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) writes one line of the log to
 * standard error before the process ends as it would have ended anyway: the signal and the address,
 * or the assertion that failed; the version; the thread; and the backtrace, as arguments for
 * `addr2line -e taskhold`. To be called once, before other threads start. */
void crash_tell(void);

#endif
