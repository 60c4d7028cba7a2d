// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_THREAD_H
#define TASKHOLD_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How threads begin, wait, and answer an event loop. */

/* Starts a thread. `name` is shown by `top -H` and debuggers, at most 15 characters of it.
 * `stack_bytes` 0: as the system has it. The thread gets no signals, so that those for the process
 * go to whoever waits for them; only the signals of a crash (base/crash.h) reach it, and the one of
 * thread_run_everywhere. False, with errno: the system refuses. The caller joins it. */
bool thread_start(pthread_t *thread, const char *name, size_t stack_bytes, void *(*run)(void *),
                  void *argument) __attribute__((warn_unused_result));

/* Makes a call in this thread and in every one that thread_start made, for what the kernel keeps by
 * thread. In the others it runs inside a signal's handler: only what is safe there
 * (signal-safety(7)). Returns after the last of them. One call at a time. False: one of them
 * returned false. */
bool thread_run_everywhere(bool (*run)(void *argument), void *argument)
    __attribute__((warn_unused_result));

/* How the calling thread shares a processor with others that want it. */
enum thread_share {
    THREAD_PROMPT,  /* it works for short times, and runs soon after it wakes */
    THREAD_PATIENT, /* it works for long times, and others come first */
};

/* From now on. Where the kernel cannot or may not, it shares as all do. */
void thread_share(enum thread_share share);

/* A condition variable for thread_wait_until. False, with errno: the system refuses. */
bool thread_condition_init(pthread_cond_t *condition) __attribute__((warn_unused_result));

/* pthread_cond_wait, at most until clock_mono_ms reaches `until_ms`; nobody can move that by
 * setting a clock. False: it has. */
bool thread_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until_ms);

/* A queue of messages and an eventfd. Any thread may post; only the loop that owns the inbox runs
 * it. */
struct inbox;

/* Embedded in what is sent. Belongs to the inbox from the post until `run` is called. */
struct inbox_message {
    struct inbox_message *next;
    void (*run)(struct inbox_message *message);
};

/* NULL when the kernel gives no eventfd or there is no memory. */
struct inbox *inbox_create(void);

/* Messages still queued are dropped, not run. */
void inbox_destroy(struct inbox **inbox);

/* The descriptor to wait for in epoll (readable when there is something to run). */
int inbox_fd(const struct inbox *inbox);

/* Never fails and never blocks. The eventfd is written only when the queue was empty. */
void inbox_post(struct inbox *inbox, struct inbox_message *message);

/* Runs what was posted up to now, in the order of posting. Returns whether there was anything. */
bool inbox_run(struct inbox *inbox);

#endif
