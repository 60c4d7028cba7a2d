#include "api/hashing.h"

#include <sodium.h>

#include "api/context.h"
#include "api/respond.h"

/* `guess`: what is given back when the pool is full; may be NULL. */
static bool submit(struct http_exchange *x, struct password_job *job, struct slice password,
                   const struct failures *guess, void (*done)(struct password_job *job),
                   void *caller)
{
    job->inbox = http_loop_inbox(x->loop);
    job->password = password;
    job->done = done;
    job->caller = caller;
    if (hasher_submit(api_of(x)->hasher, job)) {
        return true;
    }
    if (guess) {
        failures_give_back(guess);
    }
    respond_error(x, ERROR_OVERLOADED, NULL);
    return false;
}

bool hashing_verify(struct http_exchange *x, struct password_job *job, struct slice password,
                    struct slice hash, const struct failures *guess,
                    void (*done)(struct password_job *job), void *caller)
{
    *job = (struct password_job){.work = PASSWORD_VERIFY};
    if (hash.len >= sizeof job->hash) {
        failures_give_back(guess);
        respond_error(x, ERROR_INTERNAL_ERROR, NULL);
        return false;
    }
    if (hash.len > 0) {
        memcpy(job->hash, hash.ptr, hash.len);
    }
    return submit(x, job, password, guess, done, caller);
}

bool hashing_make(struct http_exchange *x, struct password_job *job, struct slice password,
                  const struct failures *guess, void (*done)(struct password_job *job),
                  void *caller)
{
    *job = (struct password_job){.work = PASSWORD_HASH};
    return submit(x, job, password, guess, done, caller);
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
