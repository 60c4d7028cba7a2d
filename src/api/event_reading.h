// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_EVENT_READING_H
#define TASKHOLD_API_EVENT_READING_H

#include "api/context.h"
#include "base/owner.h"

/* What changed in a user's space after one place, read from the store and written as the events of
 * GET /v1/events. Streams of one user that stand at the same place read together: one question to
 * the store, and one text for all of them. On the loop of the streams. */

struct event_reading {
    unsigned magic;               /* EVENT_READING_MAGIC */
    struct event_reader *readers; /* NULL: all have left */
    struct api_loop *loop;
    struct uuid user;
    struct arena *arena;
    bool calling; /* the store's function has not returned */
    bool stale;   /* there was word of more after it began */
    int64_t begun_us;

    /* For its readers, once it is done: */
    bool done;
    int64_t took_us;
    struct buffer page; /* the events; `failed`: without memory */
    struct store_changes changes;
};

#define EVENT_READER_MAGIC 0xb1745c9eu

/* Embedded in who reads. */
struct event_reader {
    unsigned magic; /* EVENT_READER_MAGIC */
    /* It is done. Not called for what was done before event_reading_begin returned. The reader may
     * leave in this call. */
    void (*done)(struct event_reader *reader);

    /* The reading's own: */
    struct event_reading *of; /* NULL: nothing is read */
    struct event_reader *next;
};

/* Reads from `after` on. False: without memory. */
bool event_reading_begin(struct event_reader *reader, struct api_loop *loop, struct uuid user,
                         const struct store_changes_place *after)
    __attribute__((warn_unused_result));

/* Takes part in what another one of the same user reads. False: that is not all that would be read
 * from `after` on now. */
bool event_reading_join(struct event_reader *reader, const struct event_reader *other,
                        const struct store_changes_place *after)
    __attribute__((warn_unused_result));

/* There is word of a change: who comes later reads anew. One that reads nothing is fine, here and
 * below. */
void event_reading_outdate(const struct event_reader *reader);

/* Has taken what there was, or takes it no more. */
void event_reading_leave(struct event_reader *reader);

/* The field `id` of an event: where the changes after it begin. */
void event_add_id(const struct api_loop *loop, struct uuid user,
                  const struct store_changes_place *place, struct buffer *out);

#endif
