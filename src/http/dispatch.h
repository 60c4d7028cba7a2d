// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_DISPATCH_H
#define TASKHOLD_HTTP_DISPATCH_H

#include "http/route.h"

/* Leads a request to its answer: path (404), method (405), OPTIONS, overload (503), token (401),
 * room and time (503), quota (429), Accept (406), Content-Type (415), body, handler. Each column of
 * the route's row is enforced here and nowhere else. All but the last two are judged from the head:
 * a body that has not come yet is waited for only then. See http_continue for hooks that answer
 * later. */
void http_dispatch(struct http_exchange *x);

/* 503 with Retry-After. `detail` NULL: the usual one. */
void dispatch_refuse_overload(struct http_exchange *x, const char *detail);

/* Whether the call looks at Accept. Probes do not: who sends them does not choose it. */
bool dispatch_negotiates(const struct http_route *route);

#endif
