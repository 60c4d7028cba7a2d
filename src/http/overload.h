#ifndef TASKHOLD_HTTP_OVERLOAD_H
#define TASKHOLD_HTTP_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Watches how long events wait between the moment the kernel reported them and the moment they are
 * handled, as CoDel does: a queue that empties now and then is fine however long it gets, one that
 * never gets shorter than OVERLOAD_TARGET_US in OVERLOAD_INTERVAL_US is too much work. */

#define OVERLOAD_TARGET_US   5000
#define OVERLOAD_INTERVAL_US 100000

struct overload {
    int64_t interval_end_us;
    int64_t least_us; /* the shortest wait of a whole turn in this interval */
    bool standing;    /* the last interval never fell below the target */
};

/* A turn is over: its last event was handled `wait_us` after the kernel reported it. */
void overload_turn(struct overload *overload, int64_t now_us, int64_t wait_us);

/* Whether new work that has waited `wait_us` is to be refused. */
bool overload_refuses(const struct overload *overload, int64_t wait_us);

#endif
