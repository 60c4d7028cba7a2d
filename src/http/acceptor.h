// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_ACCEPTOR_H
#define TASKHOLD_HTTP_ACCEPTOR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/loop.h"

/* Counts the open connections of each client (see base/client_key.h), over all loops. */
struct addresses;

/* At most `most` for each address; room for `connections` at once. NULL without memory. */
struct addresses *addresses_create(size_t most, size_t connections);
void addresses_destroy(struct addresses **addresses);

/* Counts one more, or returns false when the address has its share. Any thread. */
bool addresses_enter(struct addresses *addresses, const struct in6_addr *address);
void addresses_leave(struct addresses *addresses, const struct in6_addr *address);

/* Takes new connections for a loop, within its bounds. */

/* Begins to listen; false when the kernel refuses. */
bool acceptor_start(struct http_loop *loop);

/* Takes what waits in the backlog once more and closes the listener. */
void acceptor_stop(struct http_loop *loop);

/* The listener is readable: takes a bounded number of connections. Above a bound the connection
 * that was idle for longest gives way, of the same client if it is that client's bound. When none
 * is idle, a few new ones are guests that only routes with `always` answer, and the others are told
 * so and closed. Not to be called while events of the turn are still to be handled. Without
 * descriptors it gives one up to get rid of a waiting client, then pauses. */
void acceptor_accept(struct http_loop *loop);

/* A connection has ended. */
void acceptor_left(struct http_loop *loop, const struct http_connection *c);

/* Goes on after a pause, which is over (`resume_ms`). */
void acceptor_resume(struct http_loop *loop);

#endif
