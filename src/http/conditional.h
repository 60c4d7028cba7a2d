#ifndef TASKHOLD_HTTP_CONDITIONAL_H
#define TASKHOLD_HTTP_CONDITIONAL_H

#include "http/message.h"

/* Conditional requests (RFC 9110 section 13) for entity tags that are one opaque text. */

/* A parsed If-Match or If-None-Match. `any` is `*`. `list` is the raw field, checked. */
struct http_condition {
    bool present;
    bool any;
    struct slice list;
};

/* Parses a field. Returns false when the field is there and not `*` or a list of entity tags
 * (the caller answers 400 invalid_header). */
bool http_condition_parse(const struct http_request *r, enum http_field field,
                          struct http_condition *condition);

/* Whether the condition names `tag` (with its quotes). `weak`: W/ is ignored on the list's side
 * (If-None-Match); else a weak tag never matches (If-Match). `any` matches everything. */
bool http_condition_names(const struct http_condition *condition, struct slice tag, bool weak);

#endif
