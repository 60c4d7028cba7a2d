// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_HASHER_H
#define TASKHOLD_AUTH_HASHER_H

#include "auth/password.h"
#include "base/thread.h"

/* Hashes passwords on a pool of threads. Memory is threads x 19 MiB whatever comes in, and goes
 * back to the system after each hash. */
struct hasher;

enum password_work {
    PASSWORD_HASH,   /* makes `hash` of `password` */
    PASSWORD_VERIFY, /* compares `password` with `hash`; one that is empty or no hash of ours costs
                      * the same work and matches nothing */
};

#define PASSWORD_JOB_MAGIC 0x6bd1e0a4u

/* A job, allocated by the caller; belongs to the pool until `done` runs on the caller's loop. */
struct password_job {
    unsigned magic;               /* the pool's own: PASSWORD_JOB_MAGIC */
    struct inbox_message message; /* the pool's own */
    struct password_job *next;    /* the pool's own */
    struct inbox *inbox;
    enum password_work work;
    struct slice password;         /* any bytes; lives until done, wiped by its owner */
    char hash[PASSWORD_HASH_MOST]; /* in for VERIFY, out for HASH; ends in NUL */
    bool ok;                       /* out: made, or matches */
    bool failed;                   /* out: no memory, so nothing is known: the caller answers 503 */
    bool outdated; /* out, VERIFY that matched: `hash` has weaker parameters than today's */
    void (*done)(struct password_job *job);
    void *caller;
};

/* `threads`, at least one (see base/machine.h). At most `queue_most` jobs wait (0: 64). NULL
 * without memory or threads. */
struct hasher *hasher_create(unsigned threads, unsigned queue_most);

/* Ends the threads after the hashes they are at; jobs that wait are dropped. The inboxes of all
 * jobs must still be there, and their loops must have ended. */
void hasher_destroy(struct hasher **hasher);

/* Returns false when the queue is full: the caller answers 503 with Retry-After. Any thread. */
bool hasher_submit(struct hasher *hasher, struct password_job *job)
    __attribute__((warn_unused_result));

/* Jobs that wait, for metrics and readiness. Any thread. */
unsigned hasher_waiting(const struct hasher *hasher);

#endif
