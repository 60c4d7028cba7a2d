// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ITEM_QUERY_H
#define TASKHOLD_API_ITEM_QUERY_H

#include "auth/keys.h"
#include "http/query.h"
#include "model/zone.h"
#include "store/store.h"

/* The query of GET /v1/COLLECTION: limit, cursor, what lists of the resource are filtered and
 * ordered by (model/resource.h), sort, include, time_zone. */

#define ITEM_QUERY_LIMIT 50

struct item_query {
    struct http_query query;
    const char *const *names; /* that there may be, ended by NULL */

    /* Does the answer depend on a zone? And on one, or on the clock, so that it may change while
     * nothing in the space does? */
    bool zoned;
    bool unsteady;
    bool filtered; /* it names a filter */

    struct slice asked; /* the query as it came */

    /* What the list cache knows a page by; not of an unsteady one. */
    struct slice key;
    int64_t clock; /* of the first page of an unsteady one, else 0 */
};

/* Reads the names of the request's query, and whether it is zoned. All that is wrong goes to
 * `errors`. Returns false when memory ran out. */
bool item_query_begin(const struct http_request *request, const struct resource *resource,
                      struct arena *arena, struct item_query *query,
                      struct http_problem_errors *errors) __attribute__((warn_unused_result));

/* The same of a query that has the filters, time_zone, max and dry_run, and nothing else. */
bool item_query_begin_filter(const struct http_request *request, const struct resource *resource,
                             struct arena *arena, struct item_query *query,
                             struct http_problem_errors *errors)
    __attribute__((warn_unused_result));

/* The value of time_zone=; ptr NULL: there is none. */
struct slice item_query_zone(const struct item_query *query);

/* What the values are read with. */
struct item_query_reading {
    const struct keys *keys;
    struct uuid cursor_space;
    struct arena *arena;     /* what is made lives in it */
    const struct zone *zone; /* in which days are counted; NULL: there is no such zone */
    int64_t now;
};

/* Reads the values into `list`, whose resource and space are set. The rest is as above. */
bool item_query_read(struct item_query *query, const struct item_query_reading *reading,
                     struct store_item_list *list, struct http_problem_errors *errors)
    __attribute__((warn_unused_result));

/* Reads the values of the filters alone. */
bool item_query_read_filters(struct item_query *query, const struct item_query_reading *reading,
                             struct store_item_list *list, struct http_problem_errors *errors)
    __attribute__((warn_unused_result));

/* Reads `limit`, of any call that has pages; what is wrong goes to `errors`. */
void item_query_read_limit(const struct http_query *query, unsigned *limit,
                           struct http_problem_errors *errors);

/* Appends the query of the next page: the parameters of this one with another cursor. */
void item_query_add_next(const struct item_query *query, struct slice cursor, struct buffer *out);

#endif
