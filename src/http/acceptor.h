// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_ACCEPTOR_H
#define TASKHOLD_HTTP_ACCEPTOR_H

#include <netinet/in.h>

#include "http/loop.h"

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

/* Goes on after a pause that is over. */
void acceptor_resume(struct http_loop *loop);

/* The shorter of `wait` (-1: for ever) and the rest of a pause, in milliseconds. */
int acceptor_wait_ms(const struct http_loop *loop, int wait);

#endif
