// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_ROUTER_H
#define TASKHOLD_HTTP_ROUTER_H

#include "http/route.h"

/* From what a request asks for to the row of the table that answers it. */

/* A request target (RFC 9112 section 3.2): origin-form, absolute-form of http and https, and `*`.
 */
struct http_target {
    struct slice target; /* path and query as sent */
    struct slice path;   /* percent-decoded once, see HTTP_PATH_SLASH; empty for `*` */
    struct slice query;  /* raw; ptr NULL when there is none */
    struct slice host;   /* of an absolute-form; ptr NULL otherwise */
    /* The path has an empty segment before the last, `.` or `..`. It is never resolved: a proxy in
     * front may have read it in another way. Nothing stands there. */
    bool nowhere;
    const char *why; /* after ERROR_MALFORMED_REQUEST: what is wrong, for people */
};

/* What is wrong with a Host field or a URL that has no http_host_valid. */
#define HTTP_HOST_FORM                                                                             \
    "The host must be a name or an address, with a port or without: `example.com:8080`, "          \
    "`[2001:db8::1]`."

/* Refuses with ERROR_MALFORMED_REQUEST: a fragment, user information, bytes that no URI has,
 * encoded controls, and what is not UTF-8 when decoded. ERROR_UNAVAILABLE
 * when the arena has run out. ERROR_NONE when good. */
enum error http_target_parse(struct slice text, enum http_method method, struct arena *arena,
                             struct http_target *target) __attribute__((warn_unused_result));

/* Whether `host` is `uri-host [":" port]` with a host that is not empty (RFC 9110 section 7.2, RFC
 * 3986 section 3.2.2). */
bool http_host_valid(struct slice host);

/* What stands in a decoded path for a slash or a backslash that was sent percent-encoded, and is no
 * other character that it can have. A route lets them stand for its `{name}` only; where there is
 * none the request is malformed. */
#define HTTP_PATH_SLASH     '\x01'
#define HTTP_PATH_BACKSLASH '\x02'

/* What is wrong with a path that is not well encoded. */
#define HTTP_PATH_FORM                                                                             \
    "The path is not well encoded: each % needs two hexadecimal digits, and what they stand for "  \
    "must be UTF-8 without slashes, backslashes and control characters. A percent sign itself is " \
    "%25."

bool http_path_is_masked(struct slice path);

/* With what they stand for; `path` itself where there are none. ptr NULL without memory. */
struct slice http_path_unmask(struct slice path, struct arena *arena);

struct http_router;

/* Builds the index. `routes` must outlive it. NULL without memory. */
struct http_router *http_router_create(const struct http_route *routes, size_t count);
void http_router_destroy(struct http_router **router);

struct http_match {
    const struct http_route *route; /* NULL: no such path, or the path lacks the method */
    unsigned allow;    /* bit (1 << method) for each method of the path; 0: no such path */
    bool malformed_id; /* no such path, because something else stands where an id belongs */
    struct slice parameters[HTTP_PATH_PARAMETERS]; /* slices of the path given */
    struct uuid id;                                /* what stands for the last {id} */
};

/* HEAD finds the row of GET. `allow` has HEAD wherever GET is, and OPTIONS always. */
struct http_match http_router_find(const struct http_router *router, enum http_method method,
                                   struct slice path);

#define HTTP_METHODS_ALL ((1U << HTTP_METHOD_COUNT) - 1)

/* Appends `GET, HEAD, OPTIONS`, the methods of `allow`. */
void http_methods_add(struct buffer *out, unsigned allow);

/* Adds the field `name` with them to the head. */
void http_respond_methods(struct http_exchange *x, const char *name, unsigned allow);

#endif
