// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_THREAD_H
#define TASKHOLD_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts a thread. `name` is shown by `top -H` and debuggers, at most 15 characters of it.
 * `stack_bytes` 0: as the system has it. The thread gets no signals, so that those for the process
 * go to whoever waits for them; only the signals of a crash reach it (base/crash.h). False, with
 * errno: the system refuses. The caller joins it. */
bool thread_start(pthread_t *thread, const char *name, size_t stack_bytes, void *(*run)(void *),
                  void *argument) __attribute__((warn_unused_result));

/* A condition variable for thread_wait_until. False, with errno: the system refuses. */
bool thread_condition_init(pthread_cond_t *condition) __attribute__((warn_unused_result));

/* pthread_cond_wait, at most until clock_mono_ms reaches `until_ms`; nobody can move that by
 * setting a clock. False: it has. */
bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ms);

#endif
