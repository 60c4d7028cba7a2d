// SPDX-License-Identifier: MIT
#include "api/hashing.h"

#include <sodium.h>

#include "api/context.h"
#include "api/respond.h"

/* The answer ends the request, and its memory is another's then: so the password goes first. */
static void refuse(struct http_exchange *x, struct slice *password, const struct login_limit *guess,
                   enum error error)
{
    hashing_wipe(password);
    if (guess) {
        login_limit_give_back(guess);
    }
    respond_error(x, error, NULL);
}

static void submit(struct http_exchange *x, struct password_job *job, struct slice *password,
                   const struct login_limit *guess, void (*done)(struct password_job *job),
                   void *caller)
{
    job->inbox = http_loop_inbox(x->loop);
    job->password = *password;
    job->done = done;
    job->caller = caller;
    if (!hasher_submit(api_of(x)->hasher, job)) {
        refuse(x, password, guess, ERROR_OVERLOADED);
    }
}

void hashing_verify(struct http_exchange *x, struct password_job *job, struct slice *password,
                    struct slice hash, struct login_limit *guess,
                    void (*done)(struct password_job *job), void *caller)
{
    *job = (struct password_job){.work = PASSWORD_VERIFY};
    if (!login_limit_take(guess)) {
        hashing_wipe(password);
        login_limit_refuse(guess);
        return;
    }
    if (hash.len >= sizeof job->hash) {
        refuse(x, password, guess, ERROR_INTERNAL_ERROR);
        return;
    }
    if (hash.len > 0) {
        memcpy(job->hash, hash.ptr, hash.len);
    }
    submit(x, job, password, guess, done, caller);
}

void hashing_make(struct http_exchange *x, struct password_job *job, struct slice *password,
                  const struct login_limit *guess, void (*done)(struct password_job *job),
                  void *caller)
{
    *job = (struct password_job){.work = PASSWORD_HASH};
    submit(x, job, password, guess, done, caller);
}

struct slice hashing_result(const struct password_job *job)
{
    return slice_of(job->hash);
}

void hashing_wipe(struct slice *password)
{
    if (password->ptr) {
        /* The bytes are ours: decoding copied them into the request's arena. */
        sodium_memzero((void *)(uintptr_t)password->ptr, password->len);
        *password = (struct slice){0};
    }
}
