#ifndef TASKHOLD_AUTH_PASSWORD_H
#define TASKHOLD_AUTH_PASSWORD_H

#include "base/inbox.h"
#include "base/slice.h"

/* The policy for new passwords, and Argon2id on a pool of threads. */

enum password_verdict {
    PASSWORD_OK,
    PASSWORD_TOO_SHORT,
    PASSWORD_TOO_LONG,       /* above USER_PASSWORD_MOST bytes */
    PASSWORD_COMMON,         /* one of the most common that fit the policy */
    PASSWORD_CONTAINS_EMAIL, /* the local part, of 4 characters or more, ASCII case aside */
};

/* `least` in code points. `email` may be empty. `password` is valid UTF-8. */
enum password_verdict password_check(struct slice password, struct slice email, unsigned least);

/* The pool. Memory is threads x 19 MiB whatever comes in. */
struct hasher;

#define PASSWORD_HASH_MOST 128 /* bytes of an encoded hash, NUL included */

enum password_work {
    PASSWORD_HASH,   /* makes `hash` of `password` */
    PASSWORD_VERIFY, /* compares `password` with `hash`; `hash` empty: does the same work, no match
                      */
};

/* A job, allocated by the caller; belongs to the pool until `done` runs on the caller's loop. */
struct password_job {
    struct inbox_message message; /* the pool's own */
    struct password_job *next;    /* the pool's own */
    struct inbox *inbox;
    enum password_work work;
    struct slice password;         /* lives until done */
    char hash[PASSWORD_HASH_MOST]; /* in for VERIFY, out for HASH; ends in NUL */
    bool ok;                       /* out: made, or matches */
    bool outdated; /* out, VERIFY that matched: `hash` has weaker parameters than today's */
    void (*done)(struct password_job *job);
    void *caller;
};

/* `threads` 0: half the cores, at least one. At most `queue_most` jobs wait (0: 64). NULL without
 * memory or threads. */
struct hasher *hasher_create(unsigned threads, unsigned queue_most);

/* Ends the threads; jobs that wait are dropped. Loops must have ended before. */
void hasher_destroy(struct hasher **hasher);

/* Returns false when the queue is full: the caller answers 503 with Retry-After. */
bool hasher_submit(struct hasher *hasher, struct password_job *job)
    __attribute__((warn_unused_result));

/* Jobs that wait, for metrics and readiness. */
unsigned hasher_waiting(const struct hasher *hasher);

#endif
