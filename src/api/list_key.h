// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_LIST_KEY_H
#define TASKHOLD_API_LIST_KEY_H

#include "store/store.h"

/* Appends what a list asks for, whatever its page: resource, terms, orders, and the zone of an
 * order by dates. Equal bytes are equal lists. */
void list_key_add(const struct store_item_list *list, struct buffer *out);

#endif
