// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ITEM_FILTER_H
#define TASKHOLD_API_ITEM_FILTER_H

#include "api/item_query.h"

/* The filters and orders of item_query.h. */

struct item_reading {
    const struct http_query *query;
    struct arena *arena;
    const struct zone *zone; /* NULL: unknown; what is made of it is not used then */
    int64_t clock;
    struct store_item_list *list;
    struct http_problem_errors *errors;
    bool failed; /* without memory */
};

#define ITEM_QUERY_VALUES_MOST 100 /* of one parameter */

/* Adds an error; `detail` is copied. */
void item_complain(struct item_reading *r, const char *parameter, const char *code,
                   const char *detail);

/* Reads every filter of the resource into a term of the list. */
void item_read_filters(struct item_reading *r);

/* Reads `sort`. */
void item_read_sort(struct item_reading *r);

/* Does an answer with that filter, or that order, depend on a zone? */
bool item_filter_is_zoned(const struct resource_filter *filter);
bool item_order_is_zoned(enum list_order order);

#endif
