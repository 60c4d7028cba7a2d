// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_BATCH_OPERATIONS_H
#define TASKHOLD_STORE_BATCH_OPERATIONS_H

#include "store/item_operations.h"

/* Several writes of items in one transaction: those of a list, or one of each item that a filter
 * finds. */

#define STORE_BATCH_MOST  100
#define STORE_FILTER_MOST 1000

/* What is written of each item that the terms find, in the order of creation. */
struct store_filter {
    struct store_item_list list; /* its resource and its terms; the rest is the engine's own */
    enum store_verb verb;        /* UPDATE or DELETE */
    const void *values;          /* as those of a store_item_write */
    unsigned set;
    unsigned most; /* 1 to STORE_FILTER_MOST: more that would change are none */
    bool dry_run;  /* nothing is kept of what is done */
};

/* All writes see what those before them did. Each is decided as if it were made alone, and its
 * outputs are then set: its `op` needs nothing but that. Its key is ignored; `now`,
 * `steady`, `space` and `actor` are those of all.
 *
 * A write is refused when its op.result is not ERROR_NONE, or its outcome is none of CREATED,
 * UPDATED and DELETED: then it has written nothing. `atomic`, and with a filter: the first that is
 * refused is the last that is decided, and nothing at all is written. An error that is no decision,
 * ERROR_OVERLOADED say, is that of the whole.
 *
 * ERROR_NOT_FOUND as the result: the space is gone. ERROR_QUOTA_EXCEEDED: with the answer that the
 * key keeps the space would hold more than may be. Else `outcome` says what happened. */
struct store_batch {
    struct store_op op;
    struct uuid space;
    struct uuid actor;
    struct store_item_write *writes; /* in the order in which they are made; with a filter: out */
    unsigned count;                  /* 0 to STORE_BATCH_MOST */
    bool atomic;
    struct store_filter *filter;            /* NULL: none */
    struct store_precondition precondition; /* with a filter: of the space's revision */
    struct store_idempotency idempotency;   /* of all together */
    int64_t now;
    int64_t steady;

    /* These run before `done`, on any thread, and make nothing but memory of `op.arena`. `begin`
     * runs first, and again whenever the database makes the engine begin anew. `judged` runs after
     * each write that was decided, whose outputs live no longer; false: there is no memory.
     * `answer` makes what the key keeps; ptr NULL: no memory. With a filter `begin` and `judged`
     * may be NULL; `judged` is told of what is refused and of nothing else. */
    void (*begin)(struct store_batch *batch);
    bool (*judged)(struct store_batch *batch, unsigned at);
    struct slice (*answer)(struct store_batch *batch);

    enum store_outcome outcome; /* out: UPDATED; KEY_REUSED; PRECONDITION_FAILED, as `verdict` and
                                   `revision` say; INVALID: one was refused, and so were all */
    enum store_verdict verdict; /* out */
    unsigned refused;           /* out: of INVALID, which one */
    bool too_many;     /* out: `matched` is more than the filter's `most`: nothing is done */
    int64_t matched;   /* out: what a filter finds, and what changes with that and was not found */
    int64_t changed;   /* out: how many things changed; each has a revision */
    int64_t revision;  /* out: of the space, after it */
    struct slice body; /* out: what `answer` made, where a key keeps it or kept it */
    bool replayed; /* out: the answer of an earlier request; of it nothing but the body is known */

    struct store_item_write whole; /* the engine's own: what is kept under the key */
};

#endif
