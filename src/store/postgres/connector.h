#ifndef TASKHOLD_STORE_POSTGRES_CONNECTOR_H
#define TASKHOLD_STORE_POSTGRES_CONNECTOR_H

#include "base/inbox.h"
#include "store/postgres/connect.h"

/* A thread that makes connections, because finding a host can block and a loop must not. It tries
 * until it succeeds, first at once, then with growing pauses (100 ms to 1 s, with jitter). */
struct connector;

/* One connection that is wanted. Belongs to the connector from the request until its message runs
 * on the loop of `inbox`; `connection` is then ready for use (connect.h), statements prepared. */
struct connector_order {
    struct inbox_message message; /* `run` is set by the one who asks */
    struct inbox *inbox;
    PGconn *connection;
    struct connector_order *next;
};

/* NULL without memory or thread. `options` outlive it. */
struct connector *connector_create(const struct connect_options *options);

/* Ends the thread, waiting for an attempt that is under way (seconds). No order may be left. */
void connector_destroy(struct connector **connector);

/* Any thread. */
void connector_request(struct connector *connector, struct connector_order *order);

/* Takes the order back: afterwards its message is not posted any more. When it was posted before,
 * `connection` is set, and is the caller's. Does not wait. */
void connector_cancel(struct connector *connector, struct connector_order *order);

#endif
