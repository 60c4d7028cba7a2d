// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_REQUEST_ZONE_H
#define TASKHOLD_API_REQUEST_ZONE_H

#include "http/problem.h"
#include "model/zone.h"

/* The time zone that a request counts its days in: that of `time_zone=`, or the caller's own. */

#define REQUEST_ZONE "time_zone" /* the parameter */

/* The zone that the parameter names (`name`, decoded, its ptr not NULL). One that is not known goes
 * to `errors`, and `*zone` is NULL then; else the caller releases it. Returns false when it could
 * not be looked for: that is 503. May touch the disk, as zones_find. */
bool request_zone_named(const struct http_exchange *x, struct slice name,
                        struct http_problem_errors *errors, struct zone **zone)
    __attribute__((warn_unused_result));

/* Finds the zone of the account that the token is for, and goes on with `next`, then or later: so
 * it is the last thing that its caller does. `next` takes the zone over, which is UTC where the
 * account's is known no more, and releases it. When there is no such account any more, or no
 * memory, the request was answered and `next` never runs. */
void request_zone_of_caller(struct http_exchange *x,
                            void (*next)(struct http_exchange *x, void *context, struct zone *zone),
                            void *context);

#endif
