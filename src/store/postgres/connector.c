// SPDX-License-Identifier: MIT
#include "store/postgres/connector.h"

#include <assert.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/owner.h"

#define PAUSE_LEAST_MS 100
#define PAUSE_MOST_MS  1000
#define FULL_MS        5000 /* between attempts while there are some connections, but not all */

#define CONNECTOR_MAGIC 0x62e91d4au

struct connector {
    unsigned magic; /* CONNECTOR_MAGIC */
    const struct connect_options *options;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    struct connector_order *first;
    struct connector_order **end;
    struct connector_client *clients;
    unsigned most;
    unsigned pause_ms; /* 0: the last attempt was good */
    bool lost;         /* there is none, and that was told */
    bool full;         /* attempts fail although there are connections, or there are `most` */
    bool stopping;
};

/* ---- what the clients have; the mutex is held ---- */

static unsigned count_held(const struct connector *connector)
{
    unsigned held = 0;
    for (const struct connector_client *c = connector->clients; c; c = c->next)
        held += c->held;
    return held;
}

static unsigned count_orders(const struct connector *connector)
{
    unsigned count = 0;
    for (const struct connector_order *o = connector->first; o; o = o->next)
        count++;
    return count;
}

/* Asks those who have most for one each, until as many are asked as others starve. */
static void borrow(struct connector *connector)
{
    unsigned missing = 0;
    for (const struct connector_client *c = connector->clients; c; c = c->next)
        missing += c->starving;
    for (const struct connector_client *c = connector->clients; c; c = c->next)
        missing -= c->asked && c->held > 0 && missing > 0;
    for (; missing > 0; missing--) {
        struct connector_client *richest = NULL;
        for (struct connector_client *c = connector->clients; c; c = c->next) {
            if (c->held > 0 && !c->asked && (!richest || c->held > richest->held))
                richest = c;
        }
        if (!richest)
            return;
        richest->asked = true;
        inbox_post(richest->inbox, &richest->lend);
    }
}

static void take_out(struct connector *connector, struct connector_order **place)
{
    struct connector_order *order = *place;
    *place = order->next;
    if (connector->end == &order->next)
        connector->end = place;
}

/* To who starves, else who has fewest, else who came first; closes it when nobody waits. */
static void hand_over(struct connector *connector, PGconn *connection)
{
    struct connector_order **best = NULL;
    for (struct connector_order **place = &connector->first; *place; place = &(*place)->next) {
        const struct connector_client *client = (*place)->client;
        const bool better =
            !best || client->starving > (*best)->client->starving ||
            (client->starving == (*best)->client->starving && client->held < (*best)->client->held);
        if (better)
            best = place;
    }
    if (!best) {
        PQfinish(connection);
        return;
    }
    struct connector_order *order = *best;
    take_out(connector, best);
    order->client->held++;
    order->client->starving = false;
    order->connection = connection;
    inbox_post(order->client->inbox, &order->message);
    if (connector->full)
        borrow(connector); /* others may starve still */
}

/* ---- one attempt ---- */

/* One line when the database is lost and one when it is back, not one for each attempt. A server
 * that gives no more while others of our connections live is full, not lost; the first failure may
 * be that of a server that goes down. */
static void tell_failure(struct connector *connector, bool refused, const char *why)
{
    const unsigned held = count_held(connector);
    if (held == 0 || refused) {
        if (connector->lost)
            return;
        connector->lost = true;
        connector->full = false;
        log_message(LOG_WARN, "database_lost", "no connection to PostgreSQL: %s", why);
    } else if (held > 0 && connector->pause_ms > 0 && !connector->full) {
        connector->full = true;
        log_message(LOG_WARN, "database_full",
                    "PostgreSQL gives no more connections than %u of %u (%s); the loops share "
                    "them. Raise its limit, or lower DATABASE_POOL or THREADS",
                    held, held + count_orders(connector), why);
    }
}

/* ---- the thread; the mutex is held but where it says so ---- */

/* An attempt is made for whoever stands first when it has succeeded, so that an order can be taken
 * back at any time. */
static bool serve_first(struct connector *connector)
{
    char why[256] = "";
    if (count_held(connector) >= connector->most) {
        if (!connector->full)
            log_message(LOG_WARN, "database_full",
                        "%u of %u connections are made, half of what PostgreSQL allows, so that "
                        "another node finds room; the loops share them. Raise its limit, or lower "
                        "DATABASE_POOL or THREADS",
                        connector->most, connector->most + count_orders(connector));
        connector->full = true;
        borrow(connector);
        return false;
    }
    (void)pthread_mutex_unlock(&connector->mutex);
    bool refused = false;
    PGconn *connection = connect_ready(connector->options, &refused, why, sizeof why);
    (void)pthread_mutex_lock(&connector->mutex);
    if (!connection) {
        tell_failure(connector, refused, why);
        const unsigned next_ms = connector->pause_ms ? connector->pause_ms * 2 : PAUSE_LEAST_MS;
        connector->pause_ms = next_ms < PAUSE_MOST_MS ? next_ms : PAUSE_MOST_MS;
        borrow(connector);
        return false;
    }
    if (connector->lost)
        log_message(LOG_INFO, "database_back", "PostgreSQL is connected again");
    connector->lost = false;
    if (connector->full && count_orders(connector) <= 1) {
        connector->full = false;
        log_message(LOG_INFO, "database_room", "PostgreSQL gives all connections that are wanted");
    }
    connector->pause_ms = 0;
    hand_over(connector, connection);
    return true;
}

/* Waits while there are orders and for as long as the pause says, and up to half as long again, so
 * that the nodes do not all come at once. While some are had, the others can wait longer. */
static void pause_between(struct connector *connector)
{
    const int64_t begun_ms = clock_mono_ms();
    const unsigned more_ms = randombytes_uniform(connector->pause_ms / 2 + 1);
    while (connector->first && !connector->stopping) {
        const bool some = count_held(connector) > 0 && connector->full;
        if (connector->pause_ms == 0 && count_held(connector) < connector->most)
            return; /* it waited at the bound only */
        const int64_t until_ms = begun_ms + (some ? FULL_MS : connector->pause_ms) + more_ms;
        if (!thread_wait_until(&connector->changed, &connector->mutex, until_ms))
            return;
    }
}

static void *run(void *argument)
{
    struct connector *connector = OWNER_CAST(argument, struct connector, CONNECTOR_MAGIC);
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

static void finish_sync(struct connector *connector)
{
    (void)pthread_cond_destroy(&connector->changed);
    (void)pthread_mutex_destroy(&connector->mutex);
}

struct connector *connector_create(const struct connect_options *options, unsigned most)
{
    struct connector *connector = calloc(1, sizeof *connector);
    if (!connector)
        return NULL;
    assert(options && most > 0);
    OWNER_SET(connector, CONNECTOR_MAGIC);
    connector->options = options;
    connector->most = most;
    connector->end = &connector->first;
    if (!thread_condition_init(&connector->changed)) {
        free(connector);
        return NULL;
    }
    (void)pthread_mutex_init(&connector->mutex, NULL);
    if (!thread_start(&connector->thread, "connector", 0, run, connector)) {
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

void connector_join(struct connector *connector, struct connector_client *client)
{
    (void)pthread_mutex_lock(&connector->mutex);
    client->next = connector->clients;
    connector->clients = client;
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_leave(struct connector *connector, struct connector_client *client)
{
    (void)pthread_mutex_lock(&connector->mutex);
    struct connector_client **place = &connector->clients;
    while (*place && *place != client)
        place = &(*place)->next;
    assert(*place);
    *place = client->next;
    (void)pthread_cond_signal(&connector->changed); /* there may be room for others now */
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_request(struct connector *connector, struct connector_order *order, unsigned held)
{
    (void)pthread_mutex_lock(&connector->mutex);
    order->connection = NULL;
    order->next = NULL;
    order->client->held = held;
    *connector->end = order;
    connector->end = &order->next;
    (void)pthread_cond_signal(&connector->changed);
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_hurry(struct connector *connector, struct connector_client *client)
{
    (void)pthread_mutex_lock(&connector->mutex);
    client->starving = true;
    if (connector->full)
        borrow(connector);
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_lend(struct connector *connector, struct connector_client *client,
                    PGconn *connection, unsigned held)
{
    (void)pthread_mutex_lock(&connector->mutex);
    client->asked = false;
    client->held = held;
    hand_over(connector, connection);
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_count(struct connector *connector, unsigned *held, unsigned *awaited, bool *full)
{
    (void)pthread_mutex_lock(&connector->mutex);
    *held = count_held(connector);
    *awaited = count_orders(connector);
    *full = connector->full;
    (void)pthread_mutex_unlock(&connector->mutex);
}

void connector_cancel(struct connector *connector, struct connector_order *order)
{
    (void)pthread_mutex_lock(&connector->mutex);
    struct connector_order **place = &connector->first;
    while (*place && *place != order)
        place = &(*place)->next;
    if (*place)
        take_out(connector, place);
    (void)pthread_cond_signal(&connector->changed);
    (void)pthread_mutex_unlock(&connector->mutex);
}
