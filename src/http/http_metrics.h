// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_HTTP_METRICS_H
#define TASKHOLD_HTTP_HTTP_METRICS_H

#include "base/metrics.h"
#include "http/loop.h"

/* What one server counts of its requests and connections (base/metrics.h): by the path of the
 * route's row, never by what a client sent. On a server that does not count, the first
 * and the last call below are not made, and the others do nothing. */
struct http_metrics;

/* Adds the series of these routes. NULL without memory. */
struct http_metrics *http_metrics_create(const struct http_route *routes, size_t count);
void http_metrics_destroy(struct http_metrics **metrics);

/* A request was answered; x->took_us is set. */
void http_metrics_answered(const struct http_exchange *x);

/* One more of a counter without labels. */
void http_metrics_count(const struct http_loop *loop, enum metric metric);

/* A connection was turned away for `reason`: `full`, `address`, `descriptors`. */
void http_metrics_turned_away(const struct http_loop *loop, const char *reason);

/* At the end of a turn: what is open now. */
void http_metrics_turn(const struct http_loop *loop);

#endif
