// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_RATE_H
#define TASKHOLD_API_RATE_H

#include "auth/throttle.h"
#include "http/message.h"

/* How quotas show in answers: RateLimit-Policy and RateLimit of
 * draft-ietf-httpapi-ratelimit-headers, and 429. */

/* Adds both fields. A second quota of the same answer adds field lines of its own, which RFC 9110
 * section 5.3 makes one list. */
void rate_add_fields(struct http_exchange *x, const struct throttle *throttle,
                     const struct throttle_state *state);

/* Sends 429 with Retry-After, and logs which quota it was. `what`: what it counts, for people. */
void rate_refuse(struct http_exchange *x, const struct throttle *throttle,
                 const struct throttle_state *state, const char *what);

#endif
