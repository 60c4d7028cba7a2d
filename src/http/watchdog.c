// SPDX-License-Identifier: MIT
#include "http/watchdog.h"

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

struct watchdog {
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

static void ask(struct watchdog *watchdog)
{
    for (unsigned i = 0; i < watchdog->server->options.threads; i++) {
        struct beat *beat = &watchdog->beats[i];
        if (!atomic_exchange(&beat->asked, true)) {
            beat->message.run = answer;
            inbox_post(watchdog->server->loops[i]->inbox, &beat->message);
        }
    }
}

static bool all_answered(struct watchdog *watchdog)
{
    for (unsigned i = 0; i < watchdog->server->options.threads; i++) {
        if (atomic_load(&watchdog->beats[i].asked)) {
            return false;
        }
    }
    return true;
}

/* Waits for `ms` or the end; false at the end. */
static bool wait_for(struct watchdog *watchdog, unsigned ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&watchdog->lock);
    int waited = 0;
    while (!watchdog->ending && waited == 0) {
        waited = pthread_cond_timedwait(&watchdog->changed, &watchdog->lock, &until);
    }
    const bool going = !watchdog->ending;
    pthread_mutex_unlock(&watchdog->lock);
    return going;
}

static void *watchdog_main(void *argument)
{
    struct watchdog *watchdog = argument;
    const struct http_server_options *options = &watchdog->server->options;
    bool going = true;
    while (going) {
        const bool draining = http_server_draining(watchdog->server);
        if (!draining) {
            ask(watchdog);
        }
        going = wait_for(watchdog, options->beat_ms);
        if (going && (draining || all_answered(watchdog))) {
            options->beat();
        }
    }
    return NULL;
}

static bool start_thread(struct watchdog *watchdog)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool good = pthread_create(&watchdog->thread, NULL, watchdog_main, watchdog) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return good;
}

struct watchdog *watchdog_start(struct http_server *server)
{
    const size_t loops = server->options.threads;
    struct watchdog *watchdog = calloc(1, sizeof *watchdog + loops * sizeof(struct beat));
    pthread_condattr_t clock;
    if (!watchdog) {
        return NULL;
    }
    watchdog->server = server;
    pthread_mutex_init(&watchdog->lock, NULL);
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&watchdog->changed, &clock);
    pthread_condattr_destroy(&clock);
    if (!start_thread(watchdog)) {
        watchdog_destroy(&watchdog);
    }
    return watchdog;
}

void watchdog_stop(struct watchdog *watchdog)
{
    if (!watchdog) {
        return;
    }
    pthread_mutex_lock(&watchdog->lock);
    watchdog->ending = true;
    pthread_cond_signal(&watchdog->changed);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
}

void watchdog_destroy(struct watchdog **watchdog)
{
    if (*watchdog) {
        pthread_cond_destroy(&(*watchdog)->changed);
        pthread_mutex_destroy(&(*watchdog)->lock);
        free(*watchdog);
        *watchdog = NULL;
    }
}
