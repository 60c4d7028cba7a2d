// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_INBOX_H
#define TASKHOLD_BASE_INBOX_H

#include <stdbool.h>

/* How other threads answer an event loop: a queue of messages and an eventfd. Any thread may post;
 * only the loop that owns the inbox runs it. */
struct inbox;

/* Embedded in what is sent. Belongs to the inbox from the post until `run` is called. */
struct inbox_message {
    struct inbox_message *next;
    void (*run)(struct inbox_message *message);
};

/* NULL when the kernel gives no eventfd or there is no memory. */
struct inbox *inbox_create(void);

/* Messages still queued are dropped, not run. */
void inbox_destroy(struct inbox **inbox);

/* The descriptor to wait for in epoll (readable when there is something to run). */
int inbox_fd(const struct inbox *inbox);

/* Never fails and never blocks. The eventfd is written only when the queue was empty. */
void inbox_post(struct inbox *inbox, struct inbox_message *message);

/* Runs what was posted up to now, in the order of posting. Returns whether there was anything. */
bool inbox_run(struct inbox *inbox);

#endif
