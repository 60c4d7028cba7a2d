// SPDX-License-Identifier: MIT
#include "store/sqlite/admission.h"

#include <assert.h>

#define AVERAGE_OF 8 /* batches */

void admission_init(struct admission *admission, unsigned most)
{
    assert(most > 0);
    *admission = (struct admission){.most = most, .least_us = INT64_MAX};
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
    const int64_t limit = fit > ADMISSION_LEAST ? fit : ADMISSION_LEAST;
    return limit < admission->most ? (unsigned)limit : admission->most;
}

void admission_note(struct admission *admission, int64_t now_us,
                    const struct admission_batch *batch)
{
    assert(batch->count > 0);
    const int64_t each_ns = batch->ran_us * 1000 / batch->count;
    const int64_t excess_us = batch->large ? 0 : batch->waited_us - admission->commit_us;
    if (!batch->large) {
        admission->operation_ns += (each_ns - admission->operation_ns) / AVERAGE_OF;
    }
    admission->commit_us = batch->committed_us;
    if (excess_us < admission->least_us) {
        admission->least_us = excess_us;
    }
    if (now_us >= admission->interval_end_us) {
        /* As long as the limit is what keeps the wait short it stays. */
        const bool refused = atomic_exchange(&admission->refused, false);
        admission->standing =
            admission->least_us > ADMISSION_TARGET_US || (admission->standing && refused);
        admission->least_us = INT64_MAX;
        admission->interval_end_us = now_us + ADMISSION_INTERVAL_US;
    }
    atomic_store_explicit(&admission->limit, limit_of(admission), memory_order_relaxed);
}

void admission_idle(struct admission *admission)
{
    admission->least_us = 0;
}
