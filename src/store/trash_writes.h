// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRASH_WRITES_H
#define TASKHOLD_STORE_TRASH_WRITES_H

#include "store/item_walk.h"

/* What leaves the trash: back to where it was, or for good. Each task of a deletion is a thing of
 * its own there; what stood below one and went in the same deletion goes along with it. Pure
 * functions. */

/* Brings the task op->id back, with what went along. What it refers to and is there no more, or
 * would make a circle or a tree that is too deep or too large, is left out: its list, its parent,
 * tasks that it waits for; never the task. It keeps its position unless another one has it by now.
 *
 * The walk was begun for an ITEM_INSERT with the verb that the journal gets (STORE_RESTORE, or that
 * of an undo). Sets op->item, op->outcome, op->revision and op->verdict: UPDATED, NOT_FOUND or
 * PRECONDITION_FAILED; the last two with the step NOTHING. False: the walk ends. */
bool trash_writes_restore(struct item_walk *walk);

/* Takes the task op->id out of the trash for good, with what went along. The step becomes
 * ITEM_PURGE, or NOTHING, with op->outcome as above, but DELETED. False: the walk ends. */
bool trash_writes_purge(struct item_walk *walk);

/* What both are sure to ask for. */
struct item_ask trash_writes_ask(const struct store_item_write *op);

#endif
