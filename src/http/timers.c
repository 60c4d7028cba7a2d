// SPDX-License-Identifier: MIT
#include "http/timers.h"

#include <assert.h>
#include <stddef.h>

static unsigned slot_of(int64_t tick)
{
    return (unsigned)(tick % TIMERS_SLOTS);
}

void timers_init(struct timers *timers, int64_t now_ms)
{
    *timers = (struct timers){.tick = now_ms / TIMERS_TICK_MS};
    for (unsigned i = 0; i < TIMERS_SLOTS; i++) {
        timers->slots[i].next = timers->slots[i].previous = &timers->slots[i];
    }
}

static void unlink_timer(struct timers *timers, struct timer *timer)
{
    unsigned slot = slot_of(timer->tick);
    timer->previous->next = timer->next;
    timer->next->previous = timer->previous;
    timer->tick = 0;
    if (timers->slots[slot].next == &timers->slots[slot]) {
        timers->used[slot / 64] &= ~((uint64_t)1 << (slot % 64));
    }
}

/* Queues at the first tick after the deadline, or as far away as the wheel reaches. */
static void link_timer(struct timers *timers, struct timer *timer)
{
    int64_t furthest = timers->tick + TIMERS_SLOTS - 1;
    int64_t tick = timer->deadline_ms / TIMERS_TICK_MS + 1;
    if (tick > furthest) {
        tick = furthest;
    }
    if (tick <= timers->tick) {
        tick = timers->tick + 1;
    }
    unsigned slot = slot_of(tick);
    struct timer *head = &timers->slots[slot];
    timer->tick = tick;
    timer->next = head;
    timer->previous = head->previous;
    head->previous->next = timer;
    head->previous = timer;
    timers->used[slot / 64] |= (uint64_t)1 << (slot % 64);
}

void timers_set(struct timers *timers, struct timer *timer, int64_t deadline_ms)
{
    assert(deadline_ms > 0);
    timer->deadline_ms = deadline_ms;
    if (timer->tick != 0) {
        if (deadline_ms != TIMERS_NEVER && deadline_ms / TIMERS_TICK_MS + 1 >= timer->tick) {
            return;
        }
        unlink_timer(timers, timer);
    }
    if (deadline_ms != TIMERS_NEVER) {
        link_timer(timers, timer);
    }
}

struct timer *timers_expired(struct timers *timers, int64_t now_ms)
{
    int64_t now_tick = now_ms / TIMERS_TICK_MS;
    if (timers->tick < now_tick) {
        uint64_t used = 0;
        for (unsigned i = 0; i < TIMERS_SLOTS / 64; i++) {
            used |= timers->used[i];
        }
        timers->tick = used == 0 ? now_tick : timers->tick;
    }
    while (timers->tick < now_tick) {
        /* The first of the slot that is really due; the others move to where they belong. */
        struct timer *head = &timers->slots[slot_of(timers->tick + 1)];
        while (head->next != head) {
            struct timer *timer = head->next;
            unlink_timer(timers, timer);
            if (timer->deadline_ms <= now_ms) {
                return timer;
            }
            link_timer(timers, timer); /* less than a whole turn away, so never into this slot */
        }
        timers->tick++;
    }
    return NULL;
}

int timers_wait_ms(const struct timers *timers, int64_t now_ms)
{
    for (int64_t tick = timers->tick + 1; tick < timers->tick + TIMERS_SLOTS; tick++) {
        unsigned slot = slot_of(tick);
        uint64_t rest = timers->used[slot / 64] >> (slot % 64);
        if (rest == 0) {
            tick += 63 - slot % 64;
            continue;
        }
        tick += __builtin_ctzll(rest);
        int64_t wait = tick * TIMERS_TICK_MS - now_ms;
        return wait > 0 ? (int)wait : 0;
    }
    return -1;
}
