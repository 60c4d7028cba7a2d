// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_UNDO_WRITES_H
#define TASKHOLD_STORE_UNDO_WRITES_H

#include "store/item_walk.h"

/* Taking back the last change of a task: op->undo is the revision that it took. Pure functions.
 *
 * What the change replaced is put back, the members that only the server sets included, and with it
 * what changed along in the same call, as far as nobody has changed that since. What it made goes
 * into the trash, what it deleted comes back. So the undo of an undo leads to where the first
 * change led. What would have to become another value than it was is refused instead:
 * ERROR_CANNOT_UNDO. */

#define UNDO_FOLLOWED_MOST 10000 /* that changed along, and are put back */

/* The walk was begun with no step. Sets op->outcome: UPDATED, DELETED, NOT_FOUND,
 * PRECONDITION_FAILED, or CHANGED_SINCE with op->revision and op->item as it is; the last three
 * with the step NOTHING. False: the walk ends. */
bool undo_writes_decide(struct item_walk *walk);

#endif
