// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_TRACE_H
#define TASKHOLD_HTTP_TRACE_H

#include "http/message.h"

#define HTTP_TRACE_ID_LEN 32

/* The trace-id of `traceparent` (W3C Trace Context, section 3.2): 32 lower-case hexadecimal digits,
 * not all zero. ptr NULL: there is no such field, more than one, or it is not as it must be. */
struct slice http_trace_id(const struct http_request *request);

#endif
