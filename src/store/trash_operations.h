// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRASH_OPERATIONS_H
#define TASKHOLD_STORE_TRASH_OPERATIONS_H

#include "model/task.h"
#include "store/operation.h"

/* The tasks of a space that were deleted and may come back, what was deleted last first. They leave
 * the trash by a struct store_item_write. A page ends after `limit` tasks, and by itself after
 * texts of more than STORE_PAGE_BYTES. A space that is gone has none. */
struct store_trashed {
    const struct task *task; /* as it was */
    int64_t revision;        /* of its deletion, */
    int64_t deleted_at;      /* and when that was */
};

struct store_trash_list {
    struct store_op op;
    struct uuid space;
    int64_t before;              /* what was deleted before this revision; INT64_MAX: all */
    unsigned limit;              /* 1 to STORE_LIMIT_MOST */
    struct store_trashed *items; /* out */
    unsigned count;              /* out */
    bool more;                   /* out: there are tasks after the last */

    int64_t bytes; /* the engine's own */
};

/* ---- for engines ---- */

/* Empties the page. */
void store_trash_begin(struct store_trash_list *op);

/* Adds the next row; `json` lives long enough. Answers whether another one may be given; `*error`
 * is set where it may not because something is wrong. */
bool store_trash_give(struct store_trash_list *op, int64_t revision, int64_t deleted_at,
                      struct slice json, enum error *error);

#endif
