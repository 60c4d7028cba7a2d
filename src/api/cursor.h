// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_CURSOR_H
#define TASKHOLD_API_CURSOR_H

#include "auth/keys.h"
#include "store/store.h"

/* Where the next page of a list begins: opaque to clients, authenticated, bound to the user, the
 * filter and the order. */

struct cursor {
    enum store_sort sort;
    bool descending;
    unsigned statuses; /* as in store_task_list */
    struct store_position position;
};

/* Whose list a cursor belongs to: those of an account from before a restore are no longer good,
 * because its pages and those of today would not fit together. */
struct uuid cursor_space(struct uuid epoch, struct uuid user);

/* Appends base64url of the packed cursor and a MAC over it and the space. */
void cursor_make(const struct keys *keys, struct uuid space, const struct cursor *cursor,
                 struct buffer *out);

/* Returns false for whatever is not exactly a cursor of ours for this space, and when memory runs
 * out. The position's text lives in `arena`. */
bool cursor_parse(const struct keys *keys, struct uuid space, struct slice text,
                  struct arena *arena, struct cursor *cursor);

/* The packed form without its MAC: version, sort, descending, statuses, id, key. The position's
 * text points into `bytes`. */
#define CURSOR_HEAD_LEN 20
bool cursor_unpack(struct slice bytes, struct cursor *cursor);

#endif
