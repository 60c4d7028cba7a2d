// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_TRAFFIC_H
#define TASKHOLD_HTTP_TRAFFIC_H

#include "http/loop.h"

/* What one server counts of its requests and connections (base/metrics.h): by the path of the
 * route's row, never by what a client sent. Every call is cheap, and does nothing on a server that
 * does not count. */
struct http_traffic;

/* Adds the series of these routes. NULL without memory. */
struct http_traffic *traffic_create(const struct http_route *routes, size_t count);
void traffic_destroy(struct http_traffic **traffic);

/* A request was answered; x->took_us is set. */
void traffic_answered(const struct http_exchange *x);

/* A request was refused because there is too much to do. */
void traffic_shed(const struct http_loop *loop);

/* A connection came and was taken; or was turned away for `reason`: `full`, `address`,
 * `descriptors`. */
void traffic_accepted(const struct http_loop *loop);
void traffic_turned_away(const struct http_loop *loop, const char *reason);

/* At the end of a turn: what is open now. */
void traffic_turn(const struct http_loop *loop);

#endif
