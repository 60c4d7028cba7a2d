// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_TASK_QUERY_H
#define TASKHOLD_API_TASK_QUERY_H

#include "api/cursor.h"
#include "http/query.h"

/* The query of GET /v1/tasks: limit, cursor, status, sort, include. */

#define TASK_QUERY_LIMIT      50
#define TASK_QUERY_LIMIT_MOST 100

extern const char *const task_query_names[];

/* Fills the order, filter and position of `list` (whose user is set), and whether the total was
 * asked for. All that is wrong goes to `errors`. Returns false when anything is wrong. */
bool task_query_read(const struct keys *keys, struct uuid space, const struct http_query *query,
                     struct arena *arena, struct store_task_list *list, bool *with_total,
                     struct http_problem_errors *errors);

/* What the list cache knows a page by: the same bytes for the same filter, order and place, however
 * they were spelled. Lives in `arena`; ptr NULL without memory. */
struct slice task_query_key(const struct http_query *query, const struct store_task_list *list,
                            struct arena *arena);

/* Appends the query of the next page: the parameters of this one with another cursor. */
void task_query_add_next(const struct http_query *query, struct slice cursor, struct buffer *out);

#endif
