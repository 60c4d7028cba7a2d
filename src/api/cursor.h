// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_CURSOR_H
#define TASKHOLD_API_CURSOR_H

#include "auth/keys.h"
#include "store/store.h"

/* Where the next page of a list begins: opaque to clients, authenticated, bound to the space, the
 * resource, the filter and the order. It carries the clock of the first page, so that an answer
 * that depends on it is the same list from its first page to its last. */

/* Whose list a cursor belongs to: those of an account from before a restore are no longer good,
 * because its pages and those of today would not fit together. */
struct uuid cursor_space(struct uuid epoch, struct uuid space);

/* Appends base64url of the packed cursor and a MAC over it and the space: the place after
 * `position` in the list that `list` asks for. `clock` is given back by cursor_clock. */
void cursor_make(const struct keys *keys, struct uuid space, const struct store_item_list *list,
                 int64_t clock, const struct store_position *position, struct buffer *out);

enum cursor_verdict {
    CURSOR_GOOD,
    CURSOR_BAD,    /* not exactly a cursor of ours for this space, or memory ran out */
    CURSOR_OTHERS, /* of another filter or order */
};

/* The packed form, without its MAC, of a text that is a cursor of ours for this space; it lives in
 * `arena`. False: it is none, or memory ran out. */
bool cursor_open(const struct keys *keys, struct uuid space, struct slice text, struct arena *arena,
                 struct slice *packed) __attribute__((warn_unused_result));

/* The clock that is in it, whose list may still be another one; 0: there is none, or it is no
 * packed cursor. */
int64_t cursor_clock(struct slice packed);

/* The place that is in it; `list` is what it must belong to. Keys point into `packed`, what is made
 * of them lives in `arena`.
 *
 * Packed is: version, kind, a bit for each key that is null, 0; a digest of the filter and the
 * order, the id, the clock; then the keys that are not null: a number takes 8 bytes, an id 16, a
 * text its length in 2 and itself; before the id of a list stands its position. */
#define CURSOR_HEAD_LEN 36
enum cursor_verdict cursor_unpack(struct slice packed, const struct store_item_list *list,
                                  struct arena *arena, struct store_position *position);

/* Both; sets list->after and list->position when it is good. */
enum cursor_verdict cursor_read(const struct keys *keys, struct uuid space, struct slice text,
                                struct arena *arena, struct store_item_list *list);

/* The same of the pages of labels, which are no resource: the place after the label `after`. */
void cursor_make_label(const struct keys *keys, struct uuid space, struct slice after,
                       struct buffer *out);

/* False: it is none, or memory ran out. `*after` lives in `arena`. */
bool cursor_read_label(const struct keys *keys, struct uuid space, struct slice text,
                       struct arena *arena, struct slice *after)
    __attribute__((warn_unused_result));

/* The same of the history of the thing `id`, or of the trash (all zero): the place before the
 * change that took a revision. */
void cursor_make_history(const struct keys *keys, struct uuid space, struct uuid id, int64_t before,
                         struct buffer *out);

/* False: it is none of that thing's, or memory ran out. Packed is: version, 255, the id, the
 * revision in 8 bytes. */
bool cursor_unpack_history(struct slice packed, struct uuid id, int64_t *before)
    __attribute__((warn_unused_result));
bool cursor_read_history(const struct keys *keys, struct uuid space, struct slice text,
                         struct uuid id, struct arena *arena, int64_t *before)
    __attribute__((warn_unused_result));

#endif
