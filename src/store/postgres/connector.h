// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_CONNECTOR_H
#define TASKHOLD_STORE_POSTGRES_CONNECTOR_H

#include "base/thread.h"
#include "store/postgres/connect.h"

/* A thread that makes connections, because finding a host can block and a loop must not. It tries
 * until it succeeds, first at once, then with growing pauses (100 ms to 1 s, with jitter).
 *
 * The server may allow fewer connections than all sessions want together. Then the session that has
 * the fewest is served first, and one that has work and no connection at all is lent one of another
 * session's, which gets one back in the same way. */
struct connector;

/* A session, as the connector knows it. What follows `lend` is the connector's own. */
struct connector_client {
    struct inbox *inbox;
    struct inbox_message lend; /* runs on the session's loop: give one up with connector_lend */
    struct connector_client *next;
    unsigned held; /* connections that it has */
    bool asked;    /* `lend` was posted and not answered */
    bool starving; /* it has work and no connection */
};

/* One connection that is wanted. Belongs to the connector from the request until its message runs
 * on the loop of `inbox`; `connection` is then ready for use (connect.h), statements prepared. */
struct connector_order {
    struct inbox_message message; /* `run` is set by the one who asks */
    struct connector_client *client;
    PGconn *connection;
    struct connector_order *next;
};

/* At most `most` connections are made and not yet given back; at least 1. NULL without memory or
 * thread. `options` outlive it. */
struct connector *connector_create(const struct connect_options *options, unsigned most);

/* Ends the thread, waiting for an attempt that is under way (seconds). No order may be left. */
void connector_destroy(struct connector **connector);

/* A session comes and goes. Its `inbox` and `lend.run` are set; when it goes, it has no order and
 * no connection any more, and its `lend` may still be in its inbox. */
void connector_join(struct connector *connector, struct connector_client *client);
void connector_leave(struct connector *connector, struct connector_client *client);

/* `held`: the connections that the client has now. */
void connector_request(struct connector *connector, struct connector_order *order, unsigned held);

/* The client has work and no connection, and an order that waits. */
void connector_hurry(struct connector *connector, struct connector_client *client);

/* The client gives up a connection that is idle, and has `held` left. It becomes the connector's.
 */
void connector_lend(struct connector *connector, struct connector_client *client,
                    PGconn *connection, unsigned held);

/* How many connections there are and how many more are waited for; `*full`: the server or the bound
 * gives no more. Any thread. */
void connector_count(struct connector *connector, unsigned *held, unsigned *awaited, bool *full);

/* Takes the order back: afterwards its message is not posted any more. When it was posted before,
 * `connection` is set, and is the caller's. Does not wait. */
void connector_cancel(struct connector *connector, struct connector_order *order);

#endif
