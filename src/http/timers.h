// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_TIMERS_H
#define TASKHOLD_HTTP_TIMERS_H

#include <stdbool.h>
#include <stdint.h>

/* Deadlines of many connections on a coarse wheel. Moving a deadline later, which happens with each
 * request, is one assignment: the timer stays in its slot and is put where it belongs when the
 * wheel comes by. Nothing is allocated. */

#define TIMERS_TICK_MS 16
#define TIMERS_SLOTS   256
#define TIMERS_NEVER   INT64_MAX

struct timer {
    struct timer *next;
    struct timer *previous;
    int64_t deadline_ms;
    int64_t tick; /* where it is queued; 0: nowhere */
};

struct timers {
    struct timer slots[TIMERS_SLOTS]; /* heads of rings */
    uint64_t used[TIMERS_SLOTS / 64];
    int64_t tick; /* the last one that was gone through */
};

/* `now_ms`: of clock_mono_ms, as everywhere below; above 0. */
void timers_init(struct timers *timers, int64_t now_ms);

/* Sets the deadline of a timer, queued or zeroed. TIMERS_NEVER stops it. */
void timers_set(struct timers *timers, struct timer *timer, int64_t deadline_ms);

/* Takes out one timer whose deadline has passed (at most one tick late), or NULL. Call it until it
 * gives NULL. */
struct timer *timers_expired(struct timers *timers, int64_t now_ms);

/* How many milliseconds nothing can expire; -1: no timer is queued. */
int timers_wait_ms(const struct timers *timers, int64_t now_ms);

#endif
