// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ITEM_MOVE_H
#define TASKHOLD_API_ITEM_MOVE_H

#include "model/field.h"
#include "store/store.h"

/* Reads the body of POST /v1/COLLECTION/{id}/move into a write, whose resource and id are set; of
 * `reading` only the arena must be. What is not valid goes to its errors. False without memory. */
bool item_move_read(struct field_reading *reading, struct json_reader *reader,
                    struct store_item_write *write) __attribute__((warn_unused_result));

#endif
