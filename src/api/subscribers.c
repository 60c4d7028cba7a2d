// SPDX-License-Identifier: MIT
#include "api/subscribers.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"

#define BUCKETS 16384

#define PORT_MAGIC 0x6be20f4du

/* Where a loop is reached. It outlives the loop, because a word may be on its way. */
struct port {
    unsigned magic; /* PORT_MAGIC */
    struct port *next;
    struct subscriptions *owner;
    struct inbox *inbox; /* NULL: the loop is gone */
    struct inbox_message message;
    struct subscription *waiting; /* that there is a word for */
    bool posted;
};

/* The streams of one user on one loop. */
struct subscription {
    struct subscription *next; /* in its bucket */
    struct port *port;
    struct uuid user;
    int64_t revision; /* the newest that there was word of */
    int64_t since_us;
    struct subscription *next_waiting;
    bool is_waiting;
    bool dead; /* its last stream has left: freed when it waits no more */
    unsigned count;
    struct subscriber *first; /* the loop's own */
};

struct subscriptions {
    pthread_mutex_t lock; /* of everything but the atomics */
    atomic_size_t count;  /* of streams */
    atomic_uint_fast64_t doubts;
    struct port *ports;
    _Atomic(struct subscription *) buckets[BUCKETS]; /* written under the lock */
};

struct subscribers {
    struct port *port;
};

/* The last bytes of an id are random. */
static size_t bucket_of(struct uuid user)
{
    return ((size_t)user.bytes[13] << 16 | (size_t)user.bytes[14] << 8 | user.bytes[15]) % BUCKETS;
}

struct subscriptions *subscriptions_create(void)
{
    struct subscriptions *subscriptions = calloc(1, sizeof *subscriptions);
    if (subscriptions) {
        pthread_mutex_init(&subscriptions->lock, NULL);
    }
    return subscriptions;
}

void subscriptions_destroy(struct subscriptions **subscriptions)
{
    struct subscriptions *gone = *subscriptions;
    if (!gone) {
        return;
    }
    *subscriptions = NULL;
    while (gone->ports) {
        struct port *port = gone->ports;
        gone->ports = port->next;
        assert(!port->inbox);
        OWNER_END(port);
        free(port);
    }
    pthread_mutex_destroy(&gone->lock);
    free(gone);
}

/* ---- words; with the lock ---- */

static void tell(struct subscription *subscription, int64_t since_us)
{
    struct port *port = subscription->port;
    if (subscription->since_us == 0) {
        subscription->since_us = since_us;
    }
    if (subscription->is_waiting || !port->inbox) {
        return;
    }
    subscription->is_waiting = true;
    subscription->next_waiting = port->waiting;
    port->waiting = subscription;
    if (!port->posted) {
        port->posted = true;
        inbox_post(port->inbox, &port->message);
    }
}

void subscriptions_committed(struct subscriptions *subscriptions, struct uuid space,
                             int64_t revision)
{
    const size_t bucket = bucket_of(space);
    if (atomic_load(&subscriptions->count) == 0 || !atomic_load(&subscriptions->buckets[bucket])) {
        return;
    }
    pthread_mutex_lock(&subscriptions->lock);
    for (struct subscription *s = atomic_load(&subscriptions->buckets[bucket]); s; s = s->next) {
        /* Another one, not only a higher one: it may be told in another order. */
        if (uuid_eq(s->user, space) && revision != s->revision) {
            s->revision = revision;
            tell(s, clock_mono_us());
        }
    }
    pthread_mutex_unlock(&subscriptions->lock);
}

void subscriptions_doubt(struct subscriptions *subscriptions, const struct uuid *user)
{
    const size_t first = user ? bucket_of(*user) : 0;
    const size_t end = user ? first + 1 : BUCKETS;
    if (!user) {
        atomic_fetch_add(&subscriptions->doubts, 1);
    }
    if (atomic_load(&subscriptions->count) == 0) {
        return;
    }
    pthread_mutex_lock(&subscriptions->lock);
    for (size_t i = first; i < end; i++) {
        for (struct subscription *s = atomic_load(&subscriptions->buckets[i]); s; s = s->next) {
            if (!user || uuid_eq(s->user, *user)) {
                tell(s, 0);
            }
        }
    }
    pthread_mutex_unlock(&subscriptions->lock);
}

uint64_t subscriptions_doubts(const struct subscriptions *subscriptions)
{
    return atomic_load(&subscriptions->doubts);
}

size_t subscriptions_list(struct subscriptions *subscriptions, size_t *place, struct uuid *spaces,
                          size_t most)
{
    size_t count = 0;
    assert(most >= SUBSCRIBERS_MOST);
    if (atomic_load(&subscriptions->count) == 0) {
        return 0;
    }
    pthread_mutex_lock(&subscriptions->lock);
    for (; *place < BUCKETS; ++*place) {
        const size_t before = count;
        struct subscription *s = atomic_load(&subscriptions->buckets[*place]);
        for (; s && count < most; s = s->next) {
            spaces[count++] = s->user;
        }
        if (s && before > 0) {
            count = before; /* the whole bucket comes the next time */
            break;
        }
    }
    pthread_mutex_unlock(&subscriptions->lock);
    return count;
}

/* ---- a loop ---- */

/* On the loop: all who listen to what there is word of. */
static void hear(struct inbox_message *message)
{
    struct port *port = OWNER_OF(message, struct port, message, PORT_MAGIC);
    struct subscriptions *subscriptions = port->owner;
    pthread_mutex_lock(&subscriptions->lock);
    struct subscription *waiting = port->waiting;
    port->waiting = NULL;
    port->posted = false;
    pthread_mutex_unlock(&subscriptions->lock);
    while (waiting) {
        struct subscription *subscription = waiting;
        waiting = subscription->next_waiting;
        pthread_mutex_lock(&subscriptions->lock);
        const int64_t since_us = subscription->since_us;
        subscription->since_us = 0;
        subscription->is_waiting = false;
        pthread_mutex_unlock(&subscriptions->lock);
        for (struct subscriber *s = subscription->first; s; s = s->next) {
            s->wake(s, since_us);
        }
        if (subscription->dead) {
            free(subscription);
        }
    }
}

struct subscribers *subscribers_create(struct subscriptions *subscriptions, struct inbox *inbox)
{
    struct subscribers *subscribers = calloc(1, sizeof *subscribers);
    struct port *port = calloc(1, sizeof *port);
    assert(subscriptions && inbox);
    if (!subscribers || !port) {
        free(subscribers);
        free(port);
        return NULL;
    }
    OWNER_SET(port, PORT_MAGIC);
    port->owner = subscriptions;
    port->inbox = inbox;
    port->message.run = hear;
    subscribers->port = port;
    pthread_mutex_lock(&subscriptions->lock);
    port->next = subscriptions->ports;
    subscriptions->ports = port;
    pthread_mutex_unlock(&subscriptions->lock);
    return subscribers;
}

/* With the lock: takes it out of its bucket. */
static void unlink_subscription(struct subscriptions *subscriptions,
                                struct subscription *subscription)
{
    const size_t bucket = bucket_of(subscription->user);
    struct subscription *first = atomic_load(&subscriptions->buckets[bucket]);
    if (first == subscription) {
        atomic_store(&subscriptions->buckets[bucket], subscription->next);
        return;
    }
    while (first->next != subscription) {
        first = first->next;
    }
    first->next = subscription->next;
}

void subscribers_destroy(struct subscribers **subscribers)
{
    struct subscribers *gone = *subscribers;
    if (!gone) {
        return;
    }
    *subscribers = NULL;
    struct port *port = gone->port;
    struct subscriptions *subscriptions = port->owner;
    pthread_mutex_lock(&subscriptions->lock);
    port->inbox = NULL;
    while (port->waiting) {
        struct subscription *subscription = port->waiting;
        port->waiting = subscription->next_waiting;
        subscription->is_waiting = false;
        if (subscription->dead) {
            free(subscription);
        }
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        struct subscription *next = NULL;
        for (struct subscription *s = atomic_load(&subscriptions->buckets[i]); s; s = next) {
            next = s->next;
            if (s->port != port) {
                continue;
            }
            unlink_subscription(subscriptions, s);
            atomic_fetch_sub(&subscriptions->count, s->count);
            for (struct subscriber *left = s->first; left; left = left->next) {
                left->of = NULL;
            }
            free(s);
        }
    }
    pthread_mutex_unlock(&subscriptions->lock);
    free(gone);
}

/* With the lock: the loop's subscription of the user, a new one perhaps. */
static enum subscribers_verdict find_subscription(struct port *port, struct uuid user,
                                                  struct subscription **found)
{
    struct subscriptions *subscriptions = port->owner;
    const size_t bucket = bucket_of(user);
    unsigned count = 0;
    *found = NULL;
    for (struct subscription *s = atomic_load(&subscriptions->buckets[bucket]); s; s = s->next) {
        if (uuid_eq(s->user, user)) {
            count += s->count;
            *found = s->port == port ? s : *found;
        }
    }
    if (count >= SUBSCRIBERS_MOST) {
        return SUBSCRIBERS_TOO_MANY;
    }
    if (!*found) {
        *found = calloc(1, sizeof **found);
        if (!*found) {
            return SUBSCRIBERS_NO_MEMORY;
        }
        (*found)->port = port;
        (*found)->user = user;
        (*found)->next = atomic_load(&subscriptions->buckets[bucket]);
        atomic_store(&subscriptions->buckets[bucket], *found);
    }
    return SUBSCRIBERS_JOINED;
}

enum subscribers_verdict subscribers_join(struct subscribers *subscribers,
                                          struct subscriber *subscriber, struct uuid user)
{
    struct port *port = subscribers->port;
    struct subscription *found = NULL;
    assert(OWNER_IS(subscriber, SUBSCRIBER_MAGIC) && subscriber->wake && !subscriber->of);
    pthread_mutex_lock(&port->owner->lock);
    const enum subscribers_verdict verdict = find_subscription(port, user, &found);
    if (verdict == SUBSCRIBERS_JOINED) {
        found->count++;
        atomic_fetch_add(&port->owner->count, 1);
    }
    pthread_mutex_unlock(&port->owner->lock);
    if (verdict != SUBSCRIBERS_JOINED) {
        return verdict;
    }
    subscriber->of = found;
    subscriber->next = found->first;
    subscriber->place = &found->first;
    if (subscriber->next) {
        subscriber->next->place = &subscriber->next;
    }
    found->first = subscriber;
    return verdict;
}

struct subscriber *subscribers_first(const struct subscriber *subscriber)
{
    assert(OWNER_IS(subscriber, SUBSCRIBER_MAGIC));
    return subscriber->of ? subscriber->of->first : NULL;
}

void subscribers_leave(struct subscriber *subscriber)
{
    struct subscription *subscription = subscriber->of;
    assert(OWNER_IS(subscriber, SUBSCRIBER_MAGIC));
    if (!subscription) {
        return;
    }
    struct subscriptions *subscriptions = subscription->port->owner;
    subscriber->of = NULL;
    *subscriber->place = subscriber->next;
    if (subscriber->next) {
        subscriber->next->place = subscriber->place;
    }
    pthread_mutex_lock(&subscriptions->lock);
    atomic_fetch_sub(&subscriptions->count, 1);
    if (--subscription->count == 0) {
        unlink_subscription(subscriptions, subscription);
        subscription->dead = true;
    }
    const bool over = subscription->dead && !subscription->is_waiting;
    pthread_mutex_unlock(&subscriptions->lock);
    if (over) {
        free(subscription);
    }
}
