// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_FIELDS_H
#define TASKHOLD_HTTP_FIELDS_H

#include "http/route.h"

/* What the header fields of a request say. Pure functions. */

/* Content negotiation (RFC 9110 sections 8.3, 8.4 and 12.5.1). */

/* Whether Accept lets a body of `produces` (`type/subtype`, maybe with parameters) through.
 * Elements that are malformed are ignored, as if they were not there. Read leniently, for clients
 * that send what RFC 9110 does not allow: a lone `*` is any type, a weight may be `.2` or have more
 * digits than three. */
bool http_accepts(const struct http_request *request, struct slice produces);

/* Whether Accept-Encoding lets gzip through (RFC 9110 section 12.5.3). No field is no restriction;
 * an empty one allows nothing. Malformed elements are ignored. */
bool http_accepts_gzip(const struct http_request *request);

enum http_body_type {
    HTTP_BODY_TYPE_GOOD,
    HTTP_BODY_TYPE_CODING,    /* a Content-Encoding */
    HTTP_BODY_TYPE_REPEATED,  /* more than one Content-Type */
    HTTP_BODY_TYPE_TYPE,      /* another media type */
    HTTP_BODY_TYPE_CHARSET,   /* another charset */
    HTTP_BODY_TYPE_PARAMETER, /* a parameter that the type does not have */
};

/* Whether the body's Content-Type and Content-Encoding are among `consumes` (bits of enum
 * http_consumes), and what is wrong. No Content-Type counts as JSON. An empty parameter (`;` at the
 * end) and `utf8` for the charset are let through: clients write them. */
enum http_body_type http_body_type(const struct http_request *request, unsigned consumes);

/* Conditional requests (RFC 9110 section 13) for entity tags that are one opaque text. Every tag of
 * this server is strong, and names one version of one representation.
 *
 * A proxy that compresses an answer changes its tag: nginx, HAProxy and Varnish put W/ before it;
 * Apache, Caddy, lighttpd and Jetty add the coding within the quotes ("x-gzip", "x--gzip",
 * "x;gzip"), old ones after them ("x"-gzip). The client sends back what it got. So both are taken
 * off before tags are compared, also for If-Match, where the standard has a weak tag match nothing:
 * else no edit behind such a proxy could name the version that it is based on. */

/* A parsed If-Match or If-None-Match. `any` is `*`. `list` is the raw field, checked. */
struct http_condition {
    bool present;
    bool any;
    struct slice list;
};

struct http_conditions {
    struct http_condition match;      /* If-Match */
    struct http_condition none_match; /* If-None-Match */
};

/* Parses both fields. Returns NULL, or the name of the one that is neither `*` nor a list of entity
 * tags (the caller answers 400 invalid_header). */
const char *http_conditions_parse(const struct http_request *r, struct http_conditions *conditions);

/* Takes the next tag off a checked list: without quotes, W/ and what a proxy added. Returns false
 * at the end. */
bool http_condition_next(struct slice *list, struct slice *opaque);

/* Whether the condition names `tag` (in quotes); `any` names everything. */
bool http_condition_names(const struct http_condition *condition, struct slice tag);

/* What becomes of a GET or HEAD (section 13.2.2) of what has `tag` (in quotes). */
enum http_conditions_verdict {
    HTTP_CONDITIONS_GO,
    HTTP_CONDITIONS_NOT_MODIFIED, /* 304 */
    HTTP_CONDITIONS_FAILED,       /* 412 */
};
enum http_conditions_verdict http_conditions_judge(const struct http_conditions *conditions,
                                                   struct slice tag);

#define HTTP_TRACE_ID_LEN 32

/* The trace-id of `traceparent` (W3C Trace Context, section 3.2): 32 lower-case hexadecimal digits,
 * not all zero. ptr NULL: there is no such field, more than one, or it is not as it must be. */
struct slice http_trace_id(const struct http_request *request);

#endif
