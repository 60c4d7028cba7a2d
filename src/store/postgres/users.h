// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_USERS_H
#define TASKHOLD_STORE_POSTGRES_USERS_H

#include "store/postgres/job.h"

/* A job that first locks a user's row and reads it: nothing else changes that user until the
 * commit. First in what such a work keeps of a job. */
struct locked_user {
    struct job job;
    bool found;
    struct user user; /* when found; texts in the operation's arena */
};

/* Sends the statement; the rest is filled in with its answer. */
void locked_user_ask(struct locked_user *locked, const struct uuid *id);

/* The hash that a change to `next` expects to find: `verified`, or `next` itself when an earlier
 * run of the job set it. */
struct slice locked_user_expected(const struct locked_user *locked, struct slice verified,
                                  struct slice next);

/* Sends the new hash. `now` 0: the account counts as unchanged (a rehash of the same password). */
void locked_user_put_hash(struct locked_user *locked, struct slice hash, int64_t now);

#endif
