// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_QUERY_H
#define TASKHOLD_HTTP_QUERY_H

#include "http/problem.h"

/* Query parameters of `application/x-www-form-urlencoded` form. */

#define HTTP_QUERY_PARAMETERS 40

struct http_query {
    unsigned count;
    struct {
        struct slice name;
        struct slice value;
        bool joined; /* the value stands in room of its own, with space after it */
    } list[HTTP_QUERY_PARAMETERS];
};

/* Splits and decodes `r->query` (decoded text lives in `arena`) and checks it against the route's
 * allowed names: unknown, repeated, empty, badly encoded and too many are added to `errors`.
 * Returns false when any was added or memory ran out.
 *
 * An allowed name that ends with `[]` is a list's. Its values may come after one name, with
 * commas, or after the name again and again, with or without `[]`: `s=a,b`, `s=a&s=b`,
 * `s[]=a&s[]=b` are the same, the parameter `s` with the value `a,b`.
 *
 * One that ends with `[,]` is the same for values that may have commas: only a comma that was not
 * percent-encoded stands between two, and in the value there is HTTP_QUERY_BREAK in its place. */
#define HTTP_QUERY_BREAK '\0'
bool http_query_parse(const struct http_request *r, const char *const *allowed, struct arena *arena,
                      struct http_query *query, struct http_problem_errors *errors);

/* An allowed name without the `[]` or `[,]` of a list. */
struct slice http_query_name(const char *allowed);

/* Whether it ends with `[,]`. */
bool http_query_breaks(const char *allowed);

/* Appends `value` as a query may have it: what is not unreserved (RFC 3986 section 2.3) is
 * percent-encoded, but for what stands between values: a comma, or HTTP_QUERY_BREAK, which becomes
 * one, where `breaks`. */
void http_query_escape(struct slice value, bool breaks, struct buffer *out);

/* The value of the parameter `name`, which has no `[]`; ptr NULL: absent. */
struct slice http_query_get(const struct http_query *query, struct slice name);

#endif
