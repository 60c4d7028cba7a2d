// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_CONDITIONAL_H
#define TASKHOLD_HTTP_CONDITIONAL_H

#include "http/message.h"

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

#endif
