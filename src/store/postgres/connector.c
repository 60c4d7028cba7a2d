#include "store/postgres/connector.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <sodium.h>

#include "base/log.h"

#define PAUSE_LEAST_MS 100
#define PAUSE_MOST_MS  1000

struct connector {
    const struct connect_options *options;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct connector_order *first;
    struct connector_order **end;
    bool stopping;

    /* The thread's own: */
    unsigned pause_ms; /* 0: the last attempt was good */
};

/* ---- one attempt ---- */

static PGconn *attempt(const struct connect_options *options, char *why, size_t why_size)
{
    PGconn *connection = connect_open(options, why, why_size);
    if (connection && options->prepare && !connect_prepare(connection)) {
        char reason[200];
        connect_reason(connection, reason, sizeof reason);
        (void)snprintf(why, why_size, "%s (is there a pooler between? DATABASE_PREPARED=off)",
                       reason);
        PQfinish(connection);
        connection = NULL;
    }
    return connection;
}

/* One line when the database is lost and one when it is back, not one for each attempt. */
static void tell(struct connector *connector, bool connected, const char *why)
{
    const bool was_lost = connector->pause_ms > 0;
    if (!connected && !was_lost)
        log_message(LOG_WARN, "database_lost", "no connection to PostgreSQL: %s", why);
    if (connected && was_lost)
        log_message(LOG_INFO, "database_back", "PostgreSQL is connected again");
}

static void grow_pause(struct connector *connector)
{
    const unsigned next = connector->pause_ms * 2;
    if (next == 0)
        connector->pause_ms = PAUSE_LEAST_MS;
    else
        connector->pause_ms = next < PAUSE_MOST_MS ? next : PAUSE_MOST_MS;
}

/* ---- the thread; the mutex is held but where it says so ---- */

static void hand_over(struct connector *connector, PGconn *connection)
{
    struct connector_order *order = connector->first;
    connector->first = order->next;
    if (!connector->first)
        connector->end = &connector->first;
    order->connection = connection;
    inbox_post(order->inbox, &order->message);
}

/* An attempt is made for whoever stands first when it has succeeded, so that an order can be taken
 * back at any time. */
static bool serve_first(struct connector *connector)
{
    char why[256] = "";
    (void)pthread_mutex_unlock(&connector->mutex);
    PGconn *connection = attempt(connector->options, why, sizeof why);
    tell(connector, connection != NULL, why);
    (void)pthread_mutex_lock(&connector->mutex);
    if (!connection) {
        grow_pause(connector);
        return false;
    }
    connector->pause_ms = 0;
    if (connector->first)
        hand_over(connector, connection);
    else
        PQfinish(connection);
    return true;
}

/* Waits while there are orders and for as long as the pause says, and up to half as long again, so
 * that the nodes do not all come at once. */
static void pause_between(struct connector *connector)
{
    struct timespec until;
    const unsigned ms = connector->pause_ms + randombytes_uniform(connector->pause_ms / 2);
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    int rc = 0;
    while (connector->first && !connector->stopping && rc == 0)
        rc = pthread_cond_timedwait(&connector->changed, &connector->mutex, &until);
}

static void *run(void *argument)
{
    struct connector *connector = argument;
    (void)pthread_mutex_lock(&connector->mutex);
    while (!connector->stopping) {
        if (!connector->first)
            (void)pthread_cond_wait(&connector->changed, &connector->mutex);
        else if (!serve_first(connector))
            pause_between(connector);
    }
    (void)pthread_mutex_unlock(&connector->mutex);
    return NULL;
}

/* ---- the callers' side ---- */

static void init_sync(struct connector *connector)
{
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&connector->mutex, NULL);
    (void)pthread_cond_init(&connector->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
}

static void finish_sync(struct connector *connector)
{
    (void)pthread_cond_destroy(&connector->changed);
    (void)pthread_mutex_destroy(&connector->mutex);
}

struct connector *connector_create(const struct connect_options *options)
{
    struct connector *connector = calloc(1, sizeof *connector);
    if (!connector)
        return NULL;
    connector->options = options;
    connector->end = &connector->first;
    init_sync(connector);
    if (pthread_create(&connector->thread, NULL, run, connector) != 0) {
        finish_sync(connector);
        free(connector);
        return NULL;
    }
    return connector;
}

void connector_destroy(struct connector **connector)
{
    struct connector *c = *connector;
    if (!c)
        return;
    *connector = NULL;
    (void)pthread_mutex_lock(&c->mutex);
    c->stopping = true;
    (void)pthread_cond_signal(&c->changed);
    (void)pthread_mutex_unlock(&c->mutex);
    (void)pthread_join(c->thread, NULL);
    finish_sync(c);
    free(c);
}

void connector_request(struct connector *connector, struct connector_order *order)
{
    (void)pthread_mutex_lock(&connector->mutex);
    order->connection = NULL;
    order->next = NULL;
    *connector->end = order;
    connector->end = &order->next;
    (void)pthread_cond_signal(&connector->changed);
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_cancel(struct connector *connector, struct connector_order *order)
{
    (void)pthread_mutex_lock(&connector->mutex);
    struct connector_order **place = &connector->first;
    while (*place && *place != order)
        place = &(*place)->next;
    if (*place) {
        *place = order->next;
        if (connector->end == &order->next)
            connector->end = place;
    }
    (void)pthread_cond_signal(&connector->changed);
    (void)pthread_mutex_unlock(&connector->mutex);
}
