// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_HISTORY_OPERATIONS_H
#define TASKHOLD_STORE_HISTORY_OPERATIONS_H

#include "model/resource.h"
#include "store/item_operations.h"
#include "store/operation.h"

/* What was done to one thing, as far as the journal is kept. */

#define STORE_HISTORY_MOST 100 /* changes of a page */

/* Of the newest so many changes of one thing a history tells; the older ones cost too much to find.
 */
#define STORE_HISTORY_ROWS_MOST 10000

/* Who made a change; `id` all zero: nobody's session, but a command of the operator. */
struct store_actor {
    struct uuid id;
    bool is_token;     /* of a script; else a session */
    struct slice name; /* of the token, or the user agent; ptr NULL: not known */
};

struct store_past_change {
    int64_t revision;
    int64_t at;
    enum store_verb verb; /* what was written */
    bool is_undo;
    struct store_actor by;
    unsigned members; /* those that differ, as a mask; stamps (FIELD_STAMP) left out */
    const void *from; /* of resource->size bytes, good for `members`; NULL: the thing was new */
    const void *to;   /* likewise */
};

/* One page, the newest first. A page ends after `limit` changes, and after texts of more than
 * STORE_PAGE_BYTES. */
struct store_history {
    struct store_op op;
    const struct resource *resource;
    struct uuid space;
    struct uuid id;
    int64_t before;                  /* only changes before this revision; 0: all */
    unsigned limit;                  /* 1 to STORE_HISTORY_MOST */
    bool found;                      /* out: there is such a thing, or it is in the trash */
    struct store_past_change *items; /* out */
    unsigned count;                  /* out */
    bool more;                       /* out: there are changes before the last */
};

#endif
