#ifndef TASKHOLD_HTTP_ACCEPTOR_H
#define TASKHOLD_HTTP_ACCEPTOR_H

#include <netinet/in.h>

#include "http/loop.h"

/* Takes new connections for a loop, within its bounds. */

/* Begins to listen; false when the kernel refuses. */
bool acceptor_start(struct http_loop *loop);

/* Takes what waits in the backlog once more and closes the listener. */
void acceptor_stop(struct http_loop *loop);

/* The listener is readable: takes a bounded number of connections. One above the bounds is told so
 * and closed. Without descriptors it gives one up to get rid of a waiting client, then pauses. */
void acceptor_accept(struct http_loop *loop);

/* A connection has ended. */
void acceptor_left(struct http_loop *loop, const struct in6_addr *address);

/* Goes on after a pause that is over. */
void acceptor_resume(struct http_loop *loop);

/* The shorter of `wait` (-1: for ever) and the rest of a pause, in milliseconds. */
int acceptor_wait_ms(const struct http_loop *loop, int wait);

#endif
