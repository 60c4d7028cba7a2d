// SPDX-License-Identifier: MIT
#include "auth/hasher.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/owner.h"
#include "base/thread.h"

#define QUEUE_DEFAULT 64
#define THREADS_MOST  256
#define STACK_BYTES   (256 * 1024)

struct hasher {
    pthread_mutex_t mutex;
    pthread_cond_t changed; /* a job came, or `ending` */
    struct password_job *first;
    struct password_job *last;
    bool ending;
    atomic_uint waiting;
    unsigned queue_most;
    char unknown[PASSWORD_HASH_MOST]; /* what an unknown user's password is compared with */
    unsigned thread_count;
    pthread_t threads[];
};

/* ---- one job ---- */

static void done(struct inbox_message *message)
{
    struct password_job *job = OWNER_OF(message, struct password_job, message, PASSWORD_JOB_MAGIC);

    job->done(job);
}

static void work(const struct hasher *hasher, struct password_job *job)
{
    const int64_t begun_us = clock_mono_us();
    if (job->work == PASSWORD_VERIFY) {
        enum password_match match = password_hash_compare(job->password, job->hash);
        if (match == PASSWORD_NO_HASH) {
            match = password_hash_compare(job->password, hasher->unknown);
            match = match == PASSWORD_NO_MEMORY ? match : PASSWORD_DIFFERS;
        }
        job->ok = match == PASSWORD_MATCHES || match == PASSWORD_MATCHES_OUTDATED;
        job->outdated = match == PASSWORD_MATCHES_OUTDATED;
        job->failed = match == PASSWORD_NO_MEMORY;
    } else {
        job->ok = password_hash_make(job->password, job->hash);
        job->outdated = false;
        job->failed = !job->ok;
    }
    metrics_observe(METRIC_HASH_DURATION, clock_mono_us() - begun_us);
    job->message.run = done;
    inbox_post(job->inbox, &job->message); /* the job is its owner's again */
}

/* ---- the pool ---- */

/* Waits for a job. NULL at the end. */
static struct password_job *take(struct hasher *hasher)
{
    struct password_job *job = NULL;

    pthread_mutex_lock(&hasher->mutex);
    while (!hasher->first && !hasher->ending) {
        pthread_cond_wait(&hasher->changed, &hasher->mutex);
    }
    if (!hasher->ending) {
        job = hasher->first;
        hasher->first = job->next;
        hasher->last = hasher->first ? hasher->last : NULL;
        atomic_fetch_sub_explicit(&hasher->waiting, 1, memory_order_relaxed);
        metrics_add(METRIC_HASH_QUEUE, -1);
    }
    pthread_mutex_unlock(&hasher->mutex);
    return job;
}

static void *run(void *argument)
{
    struct hasher *hasher = argument;
    struct password_job *job = NULL;

    thread_share(THREAD_PATIENT); /* logins may be slow; who is logged in does not wait for them */
    while ((job = take(hasher)) != NULL) {
        work(hasher, job);
    }
    return NULL;
}

struct hasher *hasher_create(unsigned threads, unsigned queue_most)
{
    const unsigned count = threads < THREADS_MOST ? threads : THREADS_MOST;
    struct hasher *hasher = NULL;

    assert(threads > 0);
    if (sodium_init() < 0) {
        return NULL;
    }
    hasher = calloc(1, sizeof *hasher + count * sizeof *hasher->threads);
    if (!hasher) {
        return NULL;
    }
    hasher->queue_most = queue_most ? queue_most : QUEUE_DEFAULT;
    password_hash_make_unknown(hasher->unknown);
    pthread_mutex_init(&hasher->mutex, NULL);
    pthread_cond_init(&hasher->changed, NULL);
    while (hasher->thread_count < count) {
        if (!thread_start(&hasher->threads[hasher->thread_count], "hasher", STACK_BYTES, run,
                          hasher)) {
            hasher_destroy(&hasher);
            return NULL;
        }
        hasher->thread_count++;
    }
    return hasher;
}

void hasher_destroy(struct hasher **hasher)
{
    assert(hasher);
    struct hasher *pool = *hasher;

    *hasher = NULL;
    if (!pool) {
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->ending = true;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->mutex);
    for (unsigned i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

bool hasher_submit(struct hasher *hasher, struct password_job *job)
{
    assert(hasher && job && job->inbox && job->done);
    OWNER_SET(job, PASSWORD_JOB_MAGIC);
    pthread_mutex_lock(&hasher->mutex);
    const bool room = hasher_waiting(hasher) < hasher->queue_most;
    if (room) {
        job->next = NULL;
        if (hasher->last) {
            hasher->last->next = job;
        } else {
            hasher->first = job;
        }
        hasher->last = job;
        atomic_fetch_add_explicit(&hasher->waiting, 1, memory_order_relaxed);
        metrics_add(METRIC_HASH_QUEUE, 1);
        pthread_cond_signal(&hasher->changed);
    }
    pthread_mutex_unlock(&hasher->mutex);
    metrics_add(METRIC_HASH_REFUSED, room ? 0 : 1);
    return room;
}

unsigned hasher_waiting(const struct hasher *hasher)
{
    assert(hasher);
    return atomic_load_explicit(&hasher->waiting, memory_order_relaxed);
}
