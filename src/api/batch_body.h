// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_BATCH_BODY_H
#define TASKHOLD_API_BATCH_BODY_H

#include "base/json_reader.h"
#include "model/field.h"
#include "store/store.h"

/* The body of POST /v1/tasks/batch. */

struct batch_operation {
    struct store_item_write write;     /* the resource, the verb, the id, the values */
    struct slice if_match;             /* ptr NULL: none */
    const struct field_errors *errors; /* what is wrong with `task`, as its own call has it; NULL:
                                          nothing */
};

struct batch_body {
    struct batch_operation *operations;
    unsigned count; /* 1 to STORE_BATCH_MOST, unless there are errors */
    bool atomic;
    struct field_errors errors; /* what is wrong with the batch itself, of whatever operation */
};

#define BATCH_MATCH_MOST 1024  /* bytes of an `if_match` */
#define BATCH_TOKENS     65536 /* members, elements and brackets at most */

/* Reads it. JSON_READ_INVALID: `why` says why it is no JSON. `content` (JSON_READER_DIGEST bytes;
 * NULL: not needed) becomes the digest of what it says. What is made lives in `arena`. An id that a
 * create does not have is made. May touch the disk, as zones_find. */
enum json_read batch_body_read(struct slice text, struct arena *arena, struct zones *zones,
                               struct batch_body *body, uint8_t *content,
                               char why[static JSON_READER_WHY])
    __attribute__((warn_unused_result));

#endif
