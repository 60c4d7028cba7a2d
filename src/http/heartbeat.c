// SPDX-License-Identifier: MIT
#include "http/heartbeat.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "http/loop.h"
#include "http/server_state.h"

/* The question to one loop. */
struct beat {
    struct inbox_message message; /* first: `answer` gets this address */
    atomic_bool asked;            /* and not answered yet */
};

struct heartbeat {
    struct http_server *server;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ending;
    struct beat beats[];
};

static void answer(struct inbox_message *message)
{
    atomic_store(&((struct beat *)message)->asked, false);
}

static void ask(struct heartbeat *heartbeat)
{
    for (unsigned i = 0; i < heartbeat->server->options.threads; i++) {
        struct beat *beat = &heartbeat->beats[i];
        if (!atomic_exchange(&beat->asked, true)) {
            beat->message.run = answer;
            inbox_post(heartbeat->server->loops[i]->inbox, &beat->message);
        }
    }
}

static bool all_answered(struct heartbeat *heartbeat)
{
    for (unsigned i = 0; i < heartbeat->server->options.threads; i++) {
        if (atomic_load(&heartbeat->beats[i].asked)) {
            return false;
        }
    }
    return true;
}

/* Waits for `ms` or the end; false at the end. */
static bool wait_for(struct heartbeat *heartbeat, unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&heartbeat->lock);
    int waited = 0;
    while (!heartbeat->ending && waited == 0) {
        waited = pthread_cond_timedwait(&heartbeat->changed, &heartbeat->lock, &until);
    }
    const bool going = !heartbeat->ending;
    pthread_mutex_unlock(&heartbeat->lock);
    return going;
}

static void *heartbeat_main(void *argument)
{
    struct heartbeat *heartbeat = argument;
    const struct http_server_options *options = &heartbeat->server->options;
    bool going = true;
    while (going) {
        const bool draining = http_server_draining(heartbeat->server);
        if (!draining) {
            ask(heartbeat);
        }
        going = wait_for(heartbeat, options->beat_ms);
        if (going && (draining || all_answered(heartbeat))) {
            options->beat();
        }
    }
    return NULL;
}

static bool start_thread(struct heartbeat *heartbeat)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool good = pthread_create(&heartbeat->thread, NULL, heartbeat_main, heartbeat) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

struct heartbeat *heartbeat_start(struct http_server *server)
{
    const size_t loops = server->options.threads;
    struct heartbeat *heartbeat = calloc(1, sizeof *heartbeat + loops * sizeof(struct beat));
    pthread_condattr_t clock;
    if (!heartbeat) {
        return NULL;
    }
    heartbeat->server = server;
    pthread_mutex_init(&heartbeat->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&heartbeat->changed, &clock);
    pthread_condattr_destroy(&clock);
    if (!start_thread(heartbeat)) {
        heartbeat_destroy(&heartbeat);
    }
    return heartbeat;
}

void heartbeat_stop(struct heartbeat *heartbeat)
{
    if (!heartbeat) {
        return;
    }
    pthread_mutex_lock(&heartbeat->lock);
    heartbeat->ending = true;
    pthread_cond_signal(&heartbeat->changed);
    pthread_mutex_unlock(&heartbeat->lock);
    pthread_join(heartbeat->thread, NULL);
}

void heartbeat_destroy(struct heartbeat **heartbeat)
{
    if (*heartbeat) {
        pthread_cond_destroy(&(*heartbeat)->changed);
        pthread_mutex_destroy(&(*heartbeat)->lock);
        free(*heartbeat);
        *heartbeat = NULL;
    }
}
