// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_OVERLOAD_H
#define TASKHOLD_HTTP_OVERLOAD_H

#include <stdbool.h>
#include <stdint.h>

/* Watches how long a loop's turns take, from the end of one wait to the beginning of the next: so
 * long does an event wait at most before it is handled. As with CoDel a queue that empties now and
 * then is fine however long it gets; one that never gets shorter than OVERLOAD_TARGET_US in
 * OVERLOAD_INTERVAL_US is too much work. That it is empty is told by a wait that finds nothing. */

#define OVERLOAD_TARGET_US   5000
#define OVERLOAD_INTERVAL_US 100000

struct overload {
    int64_t interval_end_us;
    int64_t least_us; /* the shortest turn of this interval; 0: it was idle in between */
    bool standing;    /* the last interval never fell below the target */
};

/* A turn that began `turn_us` ago is over. */
void overload_turn(struct overload *overload, int64_t now_us, int64_t turn_us);

/* A wait found nothing to do. */
void overload_idle(struct overload *overload);

/* Whether after a turn of this length it must be asked, before the next wait, if anything waits. */
static inline bool overload_asks(int64_t turn_us)
{
    return turn_us > OVERLOAD_TARGET_US;
}

/* Whether new work that has waited `wait_us` in this turn is to be refused. Who spends much
 * (`expensive`) is refused first; the others only when that does not help. */
bool overload_refuses(const struct overload *overload, int64_t wait_us, bool expensive);

#endif
