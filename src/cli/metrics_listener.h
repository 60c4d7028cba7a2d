// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_METRICS_LISTENER_H
#define TASKHOLD_CLI_METRICS_LISTENER_H

#include <stddef.h>

#include "api/api.h"

/* A second, small HTTP server on a thread of its own, for /metrics. */
struct metrics_listener;

/* Listens on `address`, HOST:PORT with an IPv6 host in brackets, and answers at once. NULL on
 * failure, with a line to show in `why`. `api` is borrowed. */
struct metrics_listener *metrics_listener_open(const char *address, struct api *api, char *why,
                                               size_t size);

/* Where it can be asked: `http://127.0.0.1:9100/metrics`. */
const char *metrics_listener_url(const struct metrics_listener *listener);

/* Ends it, and waits for its thread; NULL is fine. */
void metrics_listener_close(struct metrics_listener **listener);

#endif
