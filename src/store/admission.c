// SPDX-License-Identifier: MIT
#include "store/admission.h"

#include <assert.h>

#include "store/operation.h"

#define AVERAGE_OF 8 /* batches */

void admission_init(struct admission *admission, unsigned least, unsigned most)
{
    assert(most > 0);
    *admission = (struct admission){.least = least, .most = most, .least_us = INT64_MAX};
    atomic_init(&admission->limit, most);
    atomic_init(&admission->refused, false);
}

bool admission_asks(struct admission *admission, unsigned waiting)
{
    if (waiting < atomic_load_explicit(&admission->limit, memory_order_relaxed)) {
        return true;
    }
    atomic_store_explicit(&admission->refused, true, memory_order_relaxed);
    return false;
}

static unsigned limit_of(const struct admission *admission)
{
    if (!admission->standing) {
        return admission->most;
    }
    const int64_t each_ns = admission->operation_ns > 0 ? admission->operation_ns : 1;
    const int64_t fit = (int64_t)ADMISSION_TARGET_US * 1000 / each_ns;
    const int64_t limit = fit > admission->least ? fit : admission->least;
    return limit < admission->most ? (unsigned)limit : admission->most;
}

static unsigned large_most(const struct admission *admission, const struct store_op *first)
{
    const struct store_op *other = first;
    while (other && other->large)
        other = other->next;
    if (other && !admission->large_owed) {
        return 0;
    }
    const int64_t each_ns = admission->large_ns > 0 ? admission->large_ns : 1;
    const int64_t fit = admission->fixed_us * 1000 / each_ns;
    return fit < 1 ? 1 : fit < ADMISSION_LARGE_MOST ? (unsigned)fit : ADMISSION_LARGE_MOST;
}

struct store_op *admission_take(struct admission *admission, struct store_op **queue,
                                struct store_op ***end, unsigned most)
{
    assert(admission && *queue && most > 0);
    const unsigned large_fit = large_most(admission, *queue);
    struct store_op *first = NULL;
    struct store_op **last = &first;
    struct store_op **left = queue;
    unsigned large = 0;
    for (unsigned count = 0; *left && count < most;) {
        struct store_op *op = *left;
        if (op->large && large == large_fit) {
            left = &op->next;
            continue;
        }
        large += op->large;
        count++;
        *left = op->next;
        *last = op;
        last = &op->next;
        *last = NULL;
    }
    if (!*left) {
        *end = left;
    }
    assert(first);
    admission->large_owed = large_fit == 0 && *queue != NULL;
    return first;
}

static void average(int64_t *of, int64_t next)
{
    *of += (next - *of) / AVERAGE_OF;
}

void admission_note(struct admission *admission, int64_t now_us,
                    const struct admission_batch *batch)
{
    assert(batch->count > 0 && batch->large <= batch->count);
    const int64_t ran_ns = batch->ran_us * 1000;
    if (batch->large > 0) {
        const int64_t others_ns = (batch->count - batch->large) * admission->operation_ns;
        average(&admission->large_ns, (ran_ns - others_ns) / batch->large);
    } else {
        average(&admission->operation_ns, ran_ns / batch->count);
        const int64_t excess_us = batch->waited_us - admission->excused_us;
        if (excess_us < admission->least_us) {
            admission->least_us = excess_us;
        }
    }
    admission->fixed_us = batch->fixed_us;
    admission->excused_us = batch->fixed_us + (batch->large > 0 ? batch->ran_us : 0);
    if (now_us >= admission->interval_end_us) {
        /* As long as the limit is what keeps the wait short it stays. */
        const bool refused = atomic_exchange(&admission->refused, false);
        const bool late =
            admission->least_us > ADMISSION_TARGET_US && admission->least_us != INT64_MAX;
        admission->standing = late || (admission->standing && refused);
        admission->least_us = INT64_MAX;
        admission->interval_end_us = now_us + ADMISSION_INTERVAL_US;
    }
    atomic_store_explicit(&admission->limit, limit_of(admission), memory_order_relaxed);
}

void admission_idle(struct admission *admission)
{
    admission->least_us = 0;
}
