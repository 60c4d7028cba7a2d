// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_WAIT_GRAPH_H
#define TASKHOLD_STORE_WAIT_GRAPH_H

#include "base/arena.h"
#include "base/slice.h"
#include "base/uuid.h"

/* Which tasks wait for which, when some come back that others may have come to wait for meanwhile.
 * Pure functions. */

struct wait_node {
    struct uuid id;
    struct slice waits; /* a JSON array of ids, or ptr NULL */
    bool back;          /* it comes back; else it is there already */
    bool tied;          /* out: it stands in a circle, or between two */
};

/* Sorts the nodes by their ids and finds those that are tied, in time that grows as the waits do.
 * Those that are there already form no circle, nor do those that come back together; so none is
 * left where of the tied ones none that comes back waits for one that is there. False without
 * memory. */
bool wait_graph_tie(struct wait_node *nodes, size_t count, struct arena *arena)
    __attribute__((warn_unused_result));

/* Of sorted nodes; NULL: it is none of them. */
const struct wait_node *wait_graph_find(const struct wait_node *nodes, size_t count,
                                        const struct uuid *id);

/* Cuts the next id off a JSON array of ids. False after the last. */
bool wait_graph_next(struct slice *waits, struct uuid *id);

#endif
