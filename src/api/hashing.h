#ifndef TASKHOLD_API_HASHING_H
#define TASKHOLD_API_HASHING_H

#include "api/failures.h"
#include "auth/hasher.h"
#include "http/message.h"

/* Jobs for the pool that hashes passwords, which may be full: then 503 is sent and the answer is
 * false. `password` lives until `done`. */

/* Compares with `hash`; an empty one costs the same and never matches. `guess` was taken; it is
 * given back when the answer is false. */
bool hashing_verify(struct http_exchange *x, struct password_job *job, struct slice password,
                    struct slice hash, const struct failures *guess,
                    void (*done)(struct password_job *job), void *caller)
    __attribute__((warn_unused_result));

/* Makes a new hash. `guess` as above, or NULL. */
bool hashing_make(struct http_exchange *x, struct password_job *job, struct slice password,
                  const struct failures *guess, void (*done)(struct password_job *job),
                  void *caller) __attribute__((warn_unused_result));

/* What a job made or compared with, as a slice of the job. */
struct slice hashing_result(const struct password_job *job);

/* Overwrites a password that is not needed any more. */
void hashing_wipe(struct slice *password);

#endif
