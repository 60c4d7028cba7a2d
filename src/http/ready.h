// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_READY_H
#define TASKHOLD_HTTP_READY_H

#include <stddef.h>
#include <stdint.h>

/* The connections of a loop that have something to do, and the order in which they get its time.
 *
 * Each turn has a bounded time for them, so that whoever came meanwhile is seen soon; what is left
 * waits here and not in the kernel, where nobody could tell for how long. Whoever waited too long
 * in an overload is refused. That is done late and a few at a time: a refusal costs nearly as much
 * as an answer, and as long as it is not given most clients ask for nothing more. */

struct http_connection;
struct http_loop;

enum ready_class {
    READY_NOT,   /* on none of the lists */
    READY_DUE,   /* an answer has been made, or all have to look: each of them runs in this turn */
    READY_LIGHT, /* the kernel reported something of one who costs very little, in an overload */
    READY_FRESH, /* the kernel reported something */
    READY_DEAR,  /* the same of one whose account costs more than others */
    READY_AGAIN, /* had its share of a turn, and has more to do; or is a stream that has news */
    READY_CLASS_COUNT,
};

struct ready_list {
    struct http_connection *oldest;
    struct http_connection *newest;
    size_t count;
};

struct ready {
    struct ready_list lists[READY_CLASS_COUNT];
};

/* Puts a connection on the list of `class`; stays where it is if it is on one already, but for
 * READY_DUE, which is never late. */
void ready_add(struct http_loop *loop, struct http_connection *c, enum ready_class class);

/* Takes it off the list that it is on, if it is on one. */
void ready_drop(struct http_loop *loop, struct http_connection *c);

/* Runs those who have to be run in this turn, and of the others as many as there is time for. */
void ready_run(struct http_loop *loop);

size_t ready_count(const struct http_loop *loop);

/* How long the one that has waited for longest has waited; 0: nobody waits. */
int64_t ready_age_us(const struct http_loop *loop, int64_t now_us);

#endif
