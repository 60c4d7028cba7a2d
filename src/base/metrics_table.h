// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_METRICS_TABLE_H
#define TASKHOLD_BASE_METRICS_TABLE_H

#include "base/metrics.h"

/* What the parts of the metrics module share; not for others. */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The upper bounds of a histogram's buckets, as they are compared and as they are shown. */
struct metric_buckets {
    unsigned count;
    int64_t bounds[16];
    const char *texts[16];
    bool micros; /* observed in microseconds, shown in seconds */
};

struct metric_row {
    const char *name;
    const char *help;
    enum metric_type type;
    const struct metric_buckets *buckets; /* of histograms */
    const char *label;                    /* with its values: one series for each of them */
    const char *const *values;            /* ended by NULL; the last one is `other` */
    bool series;                          /* only what metrics_series adds */
};

extern const struct metric_row metric_rows[METRIC_COUNT];

/* One series: a counter or gauge has one cell; a histogram one for each bucket, one above the last
 * bound, and the sum. */
struct metric_series {
    struct metric_series *next;
    unsigned cell;
    char labels[];
};

/* The first series of a metric; for metrics_write, between the two calls below. */
const struct metric_series *metrics_first_series(enum metric metric);
void metrics_lock(void);
void metrics_unlock(void);

/* The sum of a cell over all threads; under the lock. */
int64_t metrics_sum(unsigned cell);

/* When metrics_start was called, in Unix time. */
int64_t metrics_started_ms(void);

/* The process: processor seconds, memory, descriptors, start. Leaves out what the kernel hides. */
void metrics_process_write(struct buffer *out);

/* Appends seconds with six digits after the point. */
void metrics_add_seconds(struct buffer *out, int64_t us);

#endif
