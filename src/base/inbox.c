// SPDX-License-Identifier: MIT
#include "base/inbox.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* A stack that many threads push to and one empties at once; the reader turns it round, which
 * restores the order of posting. */
struct inbox {
    _Atomic(struct inbox_message *) newest;
    int fd;
};

struct inbox *inbox_create(void)
{
    struct inbox *inbox = malloc(sizeof *inbox);

    if (!inbox) {
        return NULL;
    }
    atomic_init(&inbox->newest, NULL);
    inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (inbox->fd < 0) {
        free(inbox);
        return NULL;
    }
    return inbox;
}

void inbox_destroy(struct inbox **inbox)
{
    if (*inbox) {
        close((*inbox)->fd);
        free(*inbox);
        *inbox = NULL;
    }
}

int inbox_fd(const struct inbox *inbox)
{
    assert(inbox);
    return inbox->fd;
}

void inbox_post(struct inbox *inbox, struct inbox_message *message)
{
    assert(inbox && message && message->run);
    const uint64_t one = 1;
    const int fd = inbox->fd;
    struct inbox_message *below = atomic_load_explicit(&inbox->newest, memory_order_relaxed);

    do {
        message->next = below;
    } while (!atomic_compare_exchange_weak_explicit(&inbox->newest, &below, message,
                                                    memory_order_release, memory_order_relaxed));
    /* Full (EAGAIN) means readable, which is all that is wanted. */
    while (!below && write(fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}

static struct inbox_message *reverse(struct inbox_message *newest)
{
    struct inbox_message *oldest = NULL;

    while (newest) {
        struct inbox_message *below = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = below;
    }
    return oldest;
}

bool inbox_run(struct inbox *inbox)
{
    assert(inbox);
    uint64_t posts = 0;
    bool any = false;

    /* The eventfd first: a message posted after the exchange then makes it readable again. */
    while (read(inbox->fd, &posts, sizeof posts) < 0 && errno == EINTR) {
    }
    struct inbox_message *message =
        reverse(atomic_exchange_explicit(&inbox->newest, NULL, memory_order_acquire));
    while (message) {
        /* Read before the run, which may free the message. */
        struct inbox_message *next = message->next;
        message->run(message);
        message = next;
        any = true;
    }
    return any;
}
