// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_CHANGE_OPERATIONS_H
#define TASKHOLD_STORE_CHANGE_OPERATIONS_H

#include "model/resource.h"
#include "store/operation.h"

/* What changed in a space, in the order of its journal. Who follows it first walks over everything
 * there is, in the order of the tables, and then goes on with the changes after the revision at
 * which the walk began: so what the walk had passed when it changed comes then. */

#define STORE_CHANGES_MOST 500 /* changes of one page */
#define STORE_CHANGES_SCAN_MOST                                                                    \
    1000 /* rows of the journal that one page looks at; fewer, when its                            \
            limit is small */

enum store_changes_from {
    STORE_CHANGES_FROM_START, /* everything there is, and on from there */
    STORE_CHANGES_FROM_NOW,   /* nothing: `next` is where that begins which is newer */
    STORE_CHANGES_WALKING,    /* in the walk that began at `revision`, after an item */
    STORE_CHANGES_AFTER,      /* after the change that took `revision` */
};

struct store_changes_place {
    enum store_changes_from from;
    int64_t revision;
    const struct resource *resource; /* of WALKING: the item's, its time and its id */
    int64_t created_at;
    struct uuid id;
};

struct store_change {
    const struct resource *resource;
    struct uuid id;
    int64_t revision;
    int64_t at;       /* when it changed; of an item that is there, its updated_at */
    const void *item; /* as it is now; NULL: it was deleted */
};

/* One page. Of the changes of the journal those are given that are the last of their item, so each
 * comes where its last change stands and is never older than what is stored.
 *
 * `begin` (may be NULL) runs before the first change, when `revision` is known, and answers false
 * when none are wanted. It may run again, after changes were given too: then all that was given is
 * void, and the page begins anew. `each` gets a change, whose texts live only during that call; it
 * answers false when there is no room for it: the page ends before it. It must take the first. A
 * page ends by itself after `limit` changes, after texts of more than STORE_PAGE_BYTES, and when it
 * has looked at some rows of the journal; it may be empty and still have `more`.
 *
 * `gone`: the place is not one of this space's any more, because a change after it was forgotten,
 * or because it is ahead; then neither of the two runs. A space that is gone has the revision 0 and
 * nothing in it. */
struct store_changes {
    struct store_op op;
    struct uuid space;
    struct store_changes_place after;
    unsigned limit; /* 1 to STORE_CHANGES_MOST */
    bool doubtful;  /* `begin` will likely refuse: so no changes are read before it has run */
    bool (*begin)(struct store_changes *op);
    bool (*each)(struct store_changes *op, const struct store_change *change);
    int64_t revision;                /* out: of the space */
    bool gone;                       /* out */
    struct store_changes_place next; /* out: WALKING, or AFTER; where `more` is false, all changes
                                        up to next.revision were given. When there was no page,
                                        `after` */
    bool more;                       /* out: something after `next` was there */

    /* The engine's own: */
    unsigned count;
    int64_t bytes;
    bool full;
};

/* ---- for engines ---- */

/* Begins the page, or begins it anew, with the row of the space. Answers whether changes are
 * wanted: then `next` is where they come from, FROM_START as a walk that has seen nothing. */
bool store_changes_begin(struct store_changes *op, int64_t revision, int64_t forgotten);

/* The same row, as a later part of the walk saw it. False: the page is `gone` after all. */
bool store_changes_look_again(struct store_changes *op, int64_t revision, int64_t forgotten);

/* Gives the next change, of a page that is not `full`, and moves `next` after it. */
void store_changes_give(struct store_changes *op, const struct store_change *change);

/* The walk has seen all items of next.resource: goes on with the next resource. */
void store_changes_walked(struct store_changes *op);

/* The journal was read up to store_changes_last(), unless the page is `full`. */
void store_changes_scanned(struct store_changes *op);

/* The last revision that a page after a change looks at. Revisions follow each other, so that
 * these are few rows, whatever order an engine reads them in. */
int64_t store_changes_last(const struct store_changes *op);

#endif
