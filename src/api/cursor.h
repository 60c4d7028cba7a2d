// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_CURSOR_H
#define TASKHOLD_API_CURSOR_H

#include "auth/keys.h"
#include "store/store.h"

/* Where the next page of a list begins: opaque to clients, authenticated, bound to the space, the
 * resource, the filter and the order. */

/* Whose list a cursor belongs to: those of an account from before a restore are no longer good,
 * because its pages and those of today would not fit together. */
struct uuid cursor_space(struct uuid epoch, struct uuid space);

/* Appends base64url of the packed cursor and a MAC over it and the space: the place after
 * `position` in the list that `list` asks for. */
void cursor_make(const struct keys *keys, struct uuid space, const struct store_item_list *list,
                 const struct store_position *position, struct buffer *out);

enum cursor_verdict {
    CURSOR_GOOD,
    CURSOR_BAD,    /* not exactly a cursor of ours for this space, or memory ran out */
    CURSOR_OTHERS, /* of another filter or order */
};

/* Sets list->after and list->position; the rest of `list` is what the cursor must belong to. Texts
 * live in `arena`. */
enum cursor_verdict cursor_read(const struct keys *keys, struct uuid space, struct slice text,
                                struct arena *arena, struct store_item_list *list);

/* The packed form without its MAC: version, kind, place of the sort key among the fields, flags (1
 * descending, 2 the key is null), a digest of the filter, id, key. The key points into `bytes`. */
#define CURSOR_HEAD_LEN 28
enum cursor_verdict cursor_unpack(struct slice bytes, const struct store_item_list *list,
                                  struct store_position *position);

#endif
