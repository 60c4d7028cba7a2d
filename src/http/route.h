// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_ROUTE_H
#define TASKHOLD_HTTP_ROUTE_H

#include "http/message.h"

/* One row a call: the only place where these columns stand. The dispatcher enforces each of them
 * before the handler runs; zero is always the strictest choice. */

enum http_access {
    HTTP_ACCESS_TOKEN = 0, /* only with a valid token: the authorize hook decides */
    HTTP_ACCESS_PUBLIC,
    HTTP_ACCESS_EITHER, /* the authorize hook leaves who calls, or why nobody is known */
};

/* What a body may be; 0: the call takes no body (one that is sent anyway is refused; probes ignore
 * it). */
enum http_consumes {
    HTTP_CONSUMES_NOTHING = 0,
    HTTP_CONSUMES_JSON = 1,        /* application/json */
    HTTP_CONSUMES_MERGE_PATCH = 2, /* application/merge-patch+json too; bits are added up */
};

typedef void http_handler_fn(struct http_exchange *x);

struct http_route {
    enum http_method method; /* GET serves HEAD too */
    /* `/v1/tasks/{id}`: `{id}` stands for a UUID in any case, any other {…} for one segment, and
     * `{name}` for one that may have encoded slashes in it. */
    const char *path;
    const char *operation_id;
    http_handler_fn *handler;
    const char *produces; /* media type, for Accept; NULL: no body on success */
    const void *subject;  /* what the call is about, for a handler of several rows; may be NULL */
    /* Reads the values of the query and of header fields, and answers 400 (then it is false) where
     * they are wrong. Asked only before a body is refused that the call does not take: the handler
     * reads them itself. NULL: there are none. */
    bool (*values)(struct http_exchange *x);
    uint32_t body_most; /* bytes; 0: the server's MAX_BODY_BYTES */
    uint8_t access;     /* enum http_access */
    uint8_t scope;    /* what a caller who is not good for everything must be good for, as the owner
                       * counts it; enforced by the authorize hook. 0: no such caller */
    uint8_t consumes; /* enum http_consumes */
    uint8_t quota;    /* the owner's number of a quota; 0: none */
    bool query;       /* the handler takes parameters, and checks them; else none is allowed */
    bool query_ignored; /* outside /v1: any query is allowed and ignored */
    bool always;        /* answered under overload too: health and metrics */
};

#endif
