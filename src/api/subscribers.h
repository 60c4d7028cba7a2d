// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_SUBSCRIBERS_H
#define TASKHOLD_API_SUBSCRIBERS_H

#include "base/owner.h"
#include "base/thread.h"
#include "base/uuid.h"

/* Who wants to hear that a space has changed. A word of it is a revision and nothing else: it
 * keeps no changes for anybody, and several of them become one while a loop is busy. So all of it
 * is bounded by the number of streams; a space that nobody listens to costs an atomic load. */

/* ---- what the process has; any thread ---- */

struct subscriptions;

#define SUBSCRIBERS_MOST 20 /* of one user */

/* NULL without memory. */
struct subscriptions *subscriptions_create(void);

/* Every loop must have left before. */
void subscriptions_destroy(struct subscriptions **subscriptions);

/* Everything up to `revision` of the space is committed. Called after the commit. */
void subscriptions_committed(struct subscriptions *subscriptions, struct uuid space,
                             int64_t revision);

/* Sessions of the user may have ended; of any user (NULL). */
void subscriptions_doubt(struct subscriptions *subscriptions, const struct uuid *user);

/* How often any user's were doubted. */
uint64_t subscriptions_doubts(const struct subscriptions *subscriptions);

/* Spaces that somebody listens to, at most `most`, some perhaps twice; goes on at `*place`, which
 * begins as 0. Returns how many; 0: these were all. */
size_t subscriptions_list(struct subscriptions *subscriptions, size_t *place, struct uuid *spaces,
                          size_t most);

/* ---- what one loop has; on its thread ---- */

struct subscribers;

/* NULL without memory. `inbox` outlives it. */
struct subscribers *subscribers_create(struct subscriptions *subscriptions, struct inbox *inbox);

/* Those who are left hear nothing more. */
void subscribers_destroy(struct subscribers **subscribers);

#define SUBSCRIBER_MAGIC 0x39c8d1a6u

/* Embedded in who listens. */
struct subscriber {
    unsigned magic; /* SUBSCRIBER_MAGIC */
    /* The space has changed, or the session is to be looked at. `since_us`: when the first word of
     * that came, by clock_mono_us; 0: there was none. It may not leave in this call. */
    void (*wake)(struct subscriber *subscriber, int64_t since_us);

    /* The table's own: */
    struct subscription *of; /* NULL: it does not listen */
    struct subscriber *next;
    struct subscriber **place;
};

enum subscribers_verdict { SUBSCRIBERS_JOINED, SUBSCRIBERS_TOO_MANY, SUBSCRIBERS_NO_MEMORY };

/* Listens from now on: what is read after this call and what is told miss nothing between them. */
enum subscribers_verdict subscribers_join(struct subscribers *subscribers,
                                          struct subscriber *subscriber, struct uuid user)
    __attribute__((warn_unused_result));

/* Those of the same user on this loop, itself among them, by `next`. NULL: it does not listen. */
struct subscriber *subscribers_first(const struct subscriber *subscriber);

/* One that does not listen may leave too. */
void subscribers_leave(struct subscriber *subscriber);

#endif
