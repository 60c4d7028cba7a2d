// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_METRICS_H
#define TASKHOLD_BASE_METRICS_H

#include "base/buffer.h"

/* What the process counts of itself, for /metrics. Each thread counts in a block of its own: no
 * lock, no line of the cache that another thread writes. The reader adds the blocks up. Before
 * metrics_start, and in a process that never calls it, counting is harmless and goes nowhere. */

enum metric {
    METRIC_READY,
    METRIC_HTTP_REQUESTS,
    METRIC_HTTP_DURATION,
    METRIC_HTTP_IN_FLIGHT,
    METRIC_HTTP_CONNECTIONS,
    METRIC_HTTP_STREAMS,
    METRIC_STREAM_DELAY,
    METRIC_HTTP_ACCEPTED,
    METRIC_HTTP_TURNED_AWAY, /* by `reason` */
    METRIC_HTTP_SHED,
    METRIC_BATCH_OPERATIONS,
    METRIC_STORE_QUEUE,
    METRIC_STORE_REFUSED, /* by `reason` */
    METRIC_STORE_BATCH,
    METRIC_STORE_COMMIT,
    METRIC_STORE_CHECKPOINT,
    METRIC_STORE_WAL_PAGES,
    METRIC_STORE_DAMAGED,
    METRIC_STORE_DISK,
    METRIC_STORE_DISK_FREE,
    METRIC_LAST_BACKUP, /* only where the database is a file */
    METRIC_STORE_CONNECTIONS,
    METRIC_STORE_LOST,
    METRIC_STORE_RETRIED,
    METRIC_STORE_UNKNOWN,
    METRIC_HASH_QUEUE,
    METRIC_HASH_DURATION,
    METRIC_HASH_REFUSED,
    METRIC_TOKENS_REFUSED,  /* by `reason` */
    METRIC_THROTTLED,       /* by `quota` */
    METRIC_SECURITY_EVENTS, /* by `event` */
    METRIC_LOG_DROPPED,
    METRIC_HARDENING_REFUSED,
    METRIC_COUNT,
};

/* Lays out the metrics. To be called once, before the threads that count; without memory some of
 * them stay unseen. */
void metrics_start(void);

/* One more series of a metric whose labels are known only at start, such as the routes: `labels` is
 * `route="/v1/tasks",method="GET"`, copied. Returns the cell to count with, or 0 (harmless) when
 * there is no room, no memory or no metrics_start. */
unsigned metrics_series(enum metric metric, const char *labels);

/* Counters and gauges. */
void metrics_add(enum metric metric, int64_t n);

/* A gauge of which each thread owns its part: what is shown is the sum. */
void metrics_set(enum metric metric, int64_t value);

/* Counts one under the label `value`; one that is not in the table counts as `other`. */
void metrics_count(enum metric metric, const char *value);

/* Histograms: microseconds for those of seconds, else the plain number. Not below 0. */
void metrics_observe(enum metric metric, int64_t value);

/* The same for a cell of metrics_series. */
void metrics_add_cell(unsigned cell, int64_t n);
void metrics_set_cell(unsigned cell, int64_t value);
void metrics_observe_cell(enum metric metric, unsigned cell, int64_t value);

/* All metrics in the text format of Prometheus, version 0.0.4. Any thread. */
void metrics_write(struct buffer *out);

#endif
