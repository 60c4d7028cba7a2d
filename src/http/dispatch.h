#ifndef TASKHOLD_HTTP_DISPATCH_H
#define TASKHOLD_HTTP_DISPATCH_H

#include "http/message.h"

/* Leads a whole request to its answer: path (404), method (405), OPTIONS, overload (503), token
 * (401), quota (429), Accept (406), Content-Type (415), handler. Each column of the route's row is
 * enforced here and nowhere else. See http_continue for hooks that answer later. */
void http_dispatch(struct http_exchange *x);

/* 503 with Retry-After. */
void dispatch_refuse_overload(struct http_exchange *x);

#endif
