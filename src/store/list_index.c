// SPDX-License-Identifier: MIT
#include "store/list_index.h"

#define STATUSES_ALL ((1u << TASK_STATUS_COUNT) - 1)

bool list_index_filters(const struct store_task_list *op)
{
    const unsigned statuses = op->statuses & STATUSES_ALL;
    return statuses != 0 && statuses != STATUSES_ALL;
}

unsigned list_index_of(const struct store_task_list *op)
{
    return (unsigned)op->sort * 8 + (op->descending ? 4 : 0) + (op->after ? 2 : 0) +
           (list_index_filters(op) ? 1 : 0);
}
