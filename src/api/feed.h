// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_FEED_H
#define TASKHOLD_API_FEED_H

#include "auth/keys.h"
#include "base/json_writer.h"
#include "store/store.h"

/* What GET /v1/changes and GET /v1/events have in common: their cursors, and how one change is
 * written. */

/* ---- cursors ---- */

/* A place in the changes of an account: opaque to clients, authenticated, bound to the user and to
 * the epoch of the database. The same place is always the same text, of base64url. */

#define FEED_CURSOR_MOST 128 /* characters */

enum feed_cursor {
    FEED_CURSOR_GOOD,
    FEED_CURSOR_BAD,  /* not exactly one of ours for this user */
    FEED_CURSOR_GONE, /* of another epoch: from before a restore, say */
};

/* Appends the cursor of `place`, which is one that store_changes gives as `next`. */
void feed_cursor_make(const struct keys *keys, struct uuid epoch, struct uuid user,
                      const struct store_changes_place *place, struct buffer *out);

enum feed_cursor feed_cursor_read(const struct keys *keys, struct uuid epoch, struct uuid user,
                                  struct slice text, struct store_changes_place *place)
    __attribute__((warn_unused_result));

/* The form without its MAC: a version, WALKING or AFTER, the epoch, the revision; of a walk the
 * kind, the time and the id of the item. */
#define FEED_PACKED_MOST 51
size_t feed_cursor_pack(struct uuid epoch, const struct store_changes_place *place,
                        uint8_t packed[static FEED_PACKED_MOST]);
enum feed_cursor feed_cursor_unpack(struct slice packed, struct uuid epoch,
                                    struct store_changes_place *place);

/* What is wrong with one that is FEED_CURSOR_BAD, for `errors`. */
#define FEED_CURSOR_DETAIL                                                                         \
    "Must be a cursor of the changes of this account, as GET /v1/changes or GET /v1/events gave "  \
    "it. Begin again without one."

/* Appends the detail of ERROR_CURSOR_GONE, without a NUL. `keep_seconds`: the setting. */
void feed_add_gone(struct buffer *out, int64_t keep_seconds);

/* ---- what is sent ---- */

/* `{"kind":…,"op":…,"id":…,"revision":…,"at":…}`, with the item, byte for byte as GET answers it,
 * unless it was deleted. */
void feed_write_change(struct json_writer *w, const struct store_change *change);

/* Bytes that a change of the resource has at most. */
size_t feed_change_most(const struct resource *resource);

#endif
