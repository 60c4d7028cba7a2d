// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_DEADLINE_H
#define TASKHOLD_HTTP_DEADLINE_H

#include "http/connection.h"

/* When a connection that waits as it does now has waited for long enough, in milliseconds of the
 * loop's clock; TIMERS_NEVER while it is a handler that is waited for. */
int64_t deadline_of(const struct http_connection *c);

#endif
