// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_ITEM_MOVES_H
#define TASKHOLD_STORE_ITEM_MOVES_H

#include "store/item_walk.h"

/* Puts `item` where op->place says, among the siblings that it has by now; where it is already,
 * nothing changes. Where no short key is left between its neighbours, all siblings get new ones.
 * False: the walk ends. A pure function. */
bool item_moves_place(struct item_walk *walk, const void *old, void *item);

/* A key for a new sibling directly after `item`, where that stands; ptr NULL: `item` is the last
 * one, and so is the new one then. Where no short key is left there, all siblings get new ones.
 * False: the walk ends. */
bool item_moves_key_after(struct item_walk *walk, void *item, struct slice *key);

/* Keeps the position of an item that comes back to these siblings, unless one of them has it by
 * now: then it stands directly after that one, or becomes the last (walk->put_last). False: the
 * walk ends. */
bool item_moves_keep(struct item_walk *walk, void *item);

#endif
