// SPDX-License-Identifier: MIT
#include "http/ready.h"

#include <assert.h>

#include "base/clock.h"
#include "http/connection.h"
#include "http/loop.h"

#define TURN_US 250           /* for those who need not be run in this turn */
#define PART_US (TURN_US / 4) /* of it, for each list of those that come last */
/* Who waited so long in an overload is no longer answered in good time, and so not at all. */
#define LATE_US       ((int64_t)OVERLOAD_TARGET_US)
#define LATE_FRESH_US (2 * LATE_US)  /* who costs little is refused later, */
#define LATE_LIGHT_US (16 * LATE_US) /* and who costs very little last */
/* Refusing takes a part of a turn from answering only after they have waited for so long. */
#define LATER_US      250000
#define LATER_PART_US (TURN_US / 8)

void ready_add(struct http_loop *loop, struct http_connection *c, enum ready_class class)
{
    assert(class > READY_NOT && class < READY_CLASS_COUNT);
    if (c->queued != READY_NOT && (class != READY_DUE || c->queued == READY_DUE)) {
        return;
    }
    ready_drop(loop, c);
    struct ready_list *list = &loop->ready.lists[class];
    c->queued = (uint8_t) class;
    c->ready_us = loop->now_us;
    c->older = list->newest;
    c->newer = NULL;
    if (c->older) {
        c->older->newer = c;
    } else {
        list->oldest = c;
    }
    list->newest = c;
    list->count++;
}

void ready_drop(struct http_loop *loop, struct http_connection *c)
{
    if (c->queued == READY_NOT) {
        return;
    }
    struct ready_list *list = &loop->ready.lists[c->queued];
    assert(list->count > 0);
    if (c->older) {
        c->older->newer = c->newer;
    } else {
        list->oldest = c->newer;
    }
    if (c->newer) {
        c->newer->older = c->older;
    } else {
        list->newest = c->older;
    }
    list->count--;
    c->queued = READY_NOT;
}

size_t ready_count(const struct http_loop *loop)
{
    size_t count = 0;
    for (unsigned i = READY_DUE; i < READY_CLASS_COUNT; i++) {
        count += loop->ready.lists[i].count;
    }
    return count;
}

int64_t ready_age_us(const struct http_loop *loop, int64_t now_us)
{
    int64_t age_us = 0;
    for (unsigned i = READY_DUE; i < READY_CLASS_COUNT; i++) {
        const struct http_connection *c = loop->ready.lists[i].oldest;
        if (c && now_us - c->ready_us > age_us) {
            age_us = now_us - c->ready_us;
        }
    }
    return age_us;
}

static void run(struct http_loop *loop, struct http_connection *c, bool late)
{
    ready_drop(loop, c);
    if (late) {
        overload_refused(&loop->overload);
    }
    c->late = late;
    http_connection_run(c); /* it may be gone now */
}

static bool is_late(const struct http_loop *loop, const struct http_connection *c, int64_t late_us)
{
    const int64_t least_us = c->queued == READY_LIGHT   ? LATE_LIGHT_US
                             : c->queued == READY_FRESH ? LATE_FRESH_US
                                                        : LATE_US;
    return loop->overload.standing &&
           loop->now_us - c->ready_us > (late_us > least_us ? late_us : least_us);
}

/* Runs at least `least` and at most `most` of a list, until the time is over. In an overload the
 * newest of those that the kernel reported comes first: it can still be answered in good time.
 * Gives how many are left of `most`. */
static size_t run_some(struct http_loop *loop, enum ready_class class, size_t least, size_t most,
                       int64_t until_us)
{
    struct ready_list *list = &loop->ready.lists[class];
    const bool newest_first =
        loop->overload.standing && (class == READY_FRESH || class == READY_DEAR);
    for (size_t ran = 0; most > 0 && list->oldest && (ran < least || clock_mono_us() < until_us);
         ran++) {
        struct http_connection *c = newest_first ? list->newest : list->oldest;
        const bool late = is_late(loop, c, 0);
        if (late && newest_first) {
            break; /* and so are all others */
        }
        run(loop, c, late);
        most--;
    }
    return most;
}

/* Refuses those who are late, and waited for longer than `late_us`. */
static void refuse(struct http_loop *loop, int64_t late_us, int64_t until_us)
{
    for (unsigned class = READY_AGAIN; class >= READY_LIGHT; class --) {
        struct ready_list *list = &loop->ready.lists[class];
        while (list->oldest && is_late(loop, list->oldest, late_us) && clock_mono_us() < until_us) {
            run(loop, list->oldest, true);
        }
    }
}

void ready_run(struct http_loop *loop)
{
    const struct ready_list *lists = loop->ready.lists;
    /* Only those of now: one that queues itself again waits for the next turn. */
    for (size_t due = lists[READY_DUE].count; due > 0 && lists[READY_DUE].oldest; due--) {
        run(loop, lists[READY_DUE].oldest, false);
    }
    const size_t light = lists[READY_LIGHT].count;
    size_t fresh = lists[READY_FRESH].count;
    const size_t dear = lists[READY_DEAR].count;
    size_t again = lists[READY_AGAIN].count;
    if (light + fresh + dear + again == 0) {
        return;
    }
    const int64_t begun_us = clock_mono_us();
    const int64_t end_us = begun_us + TURN_US;
    (void)run_some(loop, READY_LIGHT, 0, light, end_us);
    /* However long that took: nobody else waits without an end. */
    refuse(loop, LATER_US, clock_mono_us() + LATER_PART_US);
    fresh = run_some(loop, READY_FRESH, 1, fresh, begun_us + 2 * (int64_t)PART_US);
    again = run_some(loop, READY_AGAIN, 1, again, begun_us + 3 * (int64_t)PART_US);
    (void)run_some(loop, READY_DEAR, 1, dear, end_us);
    (void)run_some(loop, READY_FRESH, 0, fresh, end_us);
    (void)run_some(loop, READY_AGAIN, 0, again, end_us);
    refuse(loop, 0, end_us);
}
