// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_ADMISSION_H
#define TASKHOLD_STORE_ADMISSION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* How many operations may wait in a queue that is run in batches, so that those which do are
 * answered in good time; and which of them come next. SQLite's writer has one, a session of
 * PostgreSQL one a lane.
 *
 * As with CoDel a burst may be as long as the queue has room for. But when the operations of all
 * batches of an interval have waited more than the target, and the queue was never empty, there are
 * more than can be done: then no more may wait than can be run within the target, or than fill a
 * batch. The time that a batch takes however few are in it (the disk's for a commit, the way to
 * another machine) is left out, since fewer operations make it no shorter; so is that of large
 * ones. */

#define ADMISSION_TARGET_US   5000
#define ADMISSION_INTERVAL_US 100000
#define ADMISSION_LARGE_MOST  4 /* in one transaction */

struct store_op;

struct admission {
    unsigned least;
    unsigned most;
    atomic_uint limit;   /* `most`, or less in an overload */
    atomic_bool refused; /* somebody, in this interval */

    /* Of who runs the batches: */
    bool standing;
    bool large_owed;      /* a large one was passed over: the next transaction takes it */
    int64_t operation_ns; /* what one takes to run, on average */
    int64_t large_ns;     /* and a large one */
    int64_t fixed_us;     /* what the last batch took besides */
    int64_t excused_us;   /* of the wait: for that, and for large ones of before it */
    int64_t least_us;     /* the shortest wait of this interval */
    int64_t interval_end_us;
};

/* A batch that was run: how long its oldest operation had waited before, and what it took. */
struct admission_batch {
    unsigned count;
    unsigned large; /* of them, those that take as long as many */
    int64_t waited_us;
    int64_t ran_us;   /* for its operations; where several batches run at once, their part of it */
    int64_t fixed_us; /* however few they are */
};

/* `most`: operations that may wait if there is no overload; above 0. `least`: those that always
 * may, what fills a batch. */
void admission_init(struct admission *admission, unsigned least, unsigned most);

/* May one more wait besides `waiting`? Any thread. */
bool admission_asks(struct admission *admission, unsigned waiting);

/* Takes off a queue what the next transaction runs, in the order in which it came: at most `most`.
 * Who changes one thing does not wait for those who change a hundred: a large one is passed over
 * once while others wait. Then there are as many of them as take no longer to run than a commit
 * takes, but one at least. `*end` is where the next one is put. SQLite's writer only. */
struct store_op *admission_take(struct admission *admission, struct store_op **queue,
                                struct store_op ***end, unsigned most);

void admission_note(struct admission *admission, int64_t now_us,
                    const struct admission_batch *batch);

/* Nothing waits. */
void admission_idle(struct admission *admission);

#endif
