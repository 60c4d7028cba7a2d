// SPDX-License-Identifier: MIT
#include "http/watchdog.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
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
    const int64_t until_ms = clock_mono_ms() + ms;
    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->ending && thread_wait_until(&watchdog->changed, &watchdog->lock, until_ms)) {
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

struct watchdog *watchdog_start(struct http_server *server)
{
    const size_t loops = server->options.threads;
    struct watchdog *watchdog = calloc(1, sizeof *watchdog + loops * sizeof(struct beat));
    if (!watchdog) {
        return NULL;
    }
    if (!thread_condition_init(&watchdog->changed)) {
        free(watchdog);
        return NULL;
    }
    watchdog->server = server;
    pthread_mutex_init(&watchdog->lock, NULL);
    if (!thread_start(&watchdog->thread, "watchdog", 0, watchdog_main, watchdog)) {
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
