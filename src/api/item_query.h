// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ITEM_QUERY_H
#define TASKHOLD_API_ITEM_QUERY_H

#include "auth/keys.h"
#include "http/query.h"
#include "store/store.h"

/* The query of GET /v1/COLLECTION: limit, cursor, the members of the resource that lists are
 * filtered by, sort, include. */

#define ITEM_QUERY_LIMIT 50

struct item_query {
    struct http_query query;
    const char *const *names; /* that there may be, ended by NULL */
    /* What the list cache knows a page by: the same bytes for the same filter, order and place,
     * however they were spelled. */
    struct slice key;
};

/* Reads the request's query into `list`, whose resource and space are set. All that is wrong goes
 * to `errors`. Returns false when memory ran out. What it makes lives in `arena`. */
bool item_query_read(const struct http_request *request, const struct keys *keys,
                     struct uuid cursor_space, struct arena *arena, struct item_query *query,
                     struct store_item_list *list, struct http_problem_errors *errors)
    __attribute__((warn_unused_result));

/* Appends the query of the next page: the parameters of this one with another cursor. */
void item_query_add_next(const struct item_query *query, struct slice cursor, struct buffer *out);

#endif
