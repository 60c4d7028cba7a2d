// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_HASHING_H
#define TASKHOLD_API_HASHING_H

#include "api/login_limit.h"
#include "auth/hasher.h"
#include "http/message.h"

/* Jobs for the pool that hashes passwords. Either `done` is called on the loop of `x`, or the
 * request is refused: the password is wiped, what says why is sent, and nothing of the request may
 * be touched any more. So a call of these is the last thing a handler does. `password` lives until
 * `done`. */

/* Takes `guess` and compares with `hash`; an empty one costs the same and never matches. Refused
 * with 429 when no guess is left, and with 503 when the pool is full: then the guess is given back.
 */
void hashing_verify(struct http_exchange *x, struct password_job *job, struct slice *password,
                    struct slice hash, struct login_limit *guess,
                    void (*done)(struct password_job *job), void *caller);

/* Makes a new hash. `guess`: one that was taken and is given back with a 503, or NULL. */
void hashing_make(struct http_exchange *x, struct password_job *job, struct slice *password,
                  const struct login_limit *guess, void (*done)(struct password_job *job),
                  void *caller);

/* What a job made or compared with, as a slice of the job. */
struct slice hashing_result(const struct password_job *job);

/* Overwrites a password that is not needed any more. */
void hashing_wipe(struct slice *password);

#endif
