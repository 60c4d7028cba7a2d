// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_ITEM_WALK_H
#define TASKHOLD_STORE_ITEM_WALK_H

#include "store/decision.h"

/* One run of item_decide: what is known, what is asked for, and what is found wrong. A run begins
 * anew with each answer, so that it needs no state of its own. */
enum item_walk_state {
    ITEM_WALK_ON,
    ITEM_WALK_ASKS,
    ITEM_WALK_REFUSED, /* op->op.result says why */
    ITEM_WALK_NO_MEMORY,
};

struct item_walk {
    struct store_item_write *op;
    const struct item_before *before;
    unsigned given; /* members that the client gave a value itself, as a mask */
    enum item_walk_state state;
    struct field_reading complaints; /* what makes the write STORE_INVALID */
    bool put_last;                   /* the item goes to the end of its siblings */
    struct item_decision decision;
    struct item_follower *last_follower;
};

/* The answer; NULL: it is not there yet, and the walk ends. */
const struct item_answer *item_walk_ask(struct item_walk *walk, const struct item_ask *ask);

/* Adds a follower after the others. False: no memory, and the walk ends. */
bool item_walk_add(struct item_walk *walk, const struct item_follower *follower);

/* Ends the walk: nothing is written, and `error` is the result. */
void item_walk_refuse(struct item_walk *walk, enum error error);

/* Notes that a member, or one item of it, goes against a rule. False without memory: the walk ends.
 */
bool item_walk_complain(struct item_walk *walk, struct slice member, const char *code,
                        const char *detail);

/* The JSON of the members of `mask`, in `arena`; ptr NULL without memory. */
struct slice item_encode(const struct resource *resource, const void *item, unsigned mask,
                         struct arena *arena);

#endif
