// SPDX-License-Identifier: MIT
#include "base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/metrics_table.h"

#define CACHE_LINE 64
#define CELLS      4096
/* The first cells are scrap: there counts what has no place. As many as the largest histogram has.
 */
#define SCRAP 32

struct block {
    _Atomic int64_t cells[CELLS];
    struct block *next;
};

/* For threads that found no memory for a block of their own; they may lose counts there. */
static struct block spare;

static struct {
    pthread_mutex_t lock;
    struct block *blocks; /* never freed: what a thread has counted outlives it */
    unsigned used;        /* cells; 0: metrics_start was not called */
    int64_t started_ms;   /* in Unix time */
    struct metric_series *first[METRIC_COUNT];
    struct metric_series *last[METRIC_COUNT];
} state = {.lock = PTHREAD_MUTEX_INITIALIZER, .blocks = &spare};

/* Constant while threads count. */
static unsigned first_cells[METRIC_COUNT];

static _Thread_local struct block *mine;

/* ---- Counting ---- */

static struct block *attach(void)
{
    struct block *block =
        aligned_alloc(CACHE_LINE, (sizeof *block + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
    if (!block) {
        return &spare;
    }
    memset(block, 0, sizeof *block);
    pthread_mutex_lock(&state.lock);
    block->next = state.blocks;
    state.blocks = block;
    pthread_mutex_unlock(&state.lock);
    mine = block;
    return block;
}

static inline _Atomic int64_t *cell_of(unsigned cell)
{
    struct block *block = mine ? mine : attach();
    return &block->cells[cell];
}

/* One thread writes, so a load and a store do: no locked instruction. */
static inline void add(_Atomic int64_t *cell, int64_t n)
{
    int64_t before = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, before + n, memory_order_relaxed);
}

void metrics_add_cell(unsigned cell, int64_t n)
{
    add(cell_of(cell), n);
}

void metrics_set_cell(unsigned cell, int64_t value)
{
    atomic_store_explicit(cell_of(cell), value, memory_order_relaxed);
}

void metrics_observe_cell(enum metric metric, unsigned cell, int64_t value)
{
    const struct metric_buckets *buckets = metric_rows[metric].buckets;
    _Atomic int64_t *cells = cell_of(cell);
    unsigned at = 0;
    while (at < buckets->count && value > buckets->bounds[at]) {
        at++;
    }
    add(&cells[at], 1);
    add(&cells[buckets->count + 1], value);
}

void metrics_add(enum metric metric, int64_t n)
{
    metrics_add_cell(first_cells[metric], n);
}

void metrics_set(enum metric metric, int64_t value)
{
    metrics_set_cell(first_cells[metric], value);
}

void metrics_count(enum metric metric, const char *value)
{
    const char *const *values = metric_rows[metric].values;
    unsigned at = 0;
    while (values[at + 1] && strcmp(values[at], value) != 0) {
        at++;
    }
    metrics_add_cell(first_cells[metric] > 0 ? first_cells[metric] + at : 0, 1);
}

void metrics_observe(enum metric metric, int64_t value)
{
    metrics_observe_cell(metric, first_cells[metric], value);
}

/* ---- The layout ---- */

static unsigned cells_of(const struct metric_row *row)
{
    return row->type == METRIC_HISTOGRAM ? row->buckets->count + 2 : 1;
}

static unsigned append_series(enum metric metric, const char *labels)
{
    const size_t len = strlen(labels);
    const unsigned cells = cells_of(&metric_rows[metric]);
    struct metric_series *series = NULL;
    if (state.used == 0 || state.used + cells > CELLS) {
        return 0;
    }
    series = calloc(1, sizeof *series + len + 1);
    if (!series) {
        return 0;
    }
    memcpy(series->labels, labels, len);
    series->cell = state.used;
    state.used += cells;
    if (state.last[metric]) {
        state.last[metric]->next = series;
    } else {
        state.first[metric] = series;
    }
    state.last[metric] = series;
    return series->cell;
}

unsigned metrics_series(enum metric metric, const char *labels)
{
    unsigned cell = 0;
    pthread_mutex_lock(&state.lock);
    cell = append_series(metric, labels);
    pthread_mutex_unlock(&state.lock);
    return cell;
}

/* The values of a label stand in cells one after the other. */
static void lay_out(enum metric metric)
{
    const struct metric_row *row = &metric_rows[metric];
    if (row->series) {
        return;
    }
    if (!row->label) {
        first_cells[metric] = append_series(metric, "");
        return;
    }
    for (unsigned i = 0; row->values[i]; i++) {
        struct buffer labels;
        buffer_init(&labels, 128);
        buffer_add_format(&labels, "%s=\"%s\"%c", row->label, row->values[i], 0);
        unsigned cell = labels.failed ? 0 : append_series(metric, labels.data);
        buffer_finish(&labels);
        first_cells[metric] = i == 0 ? cell : first_cells[metric];
        if (cell == 0 || cell != first_cells[metric] + i) {
            first_cells[metric] = 0;
            return;
        }
    }
}

void metrics_start(void)
{
    pthread_mutex_lock(&state.lock);
    if (state.used == 0) {
        state.used = SCRAP;
        state.started_ms = clock_wall_ms();
        for (unsigned metric = 0; metric < METRIC_COUNT; metric++) {
            assert(cells_of(&metric_rows[metric]) <= SCRAP);
            lay_out((enum metric)metric);
        }
    }
    pthread_mutex_unlock(&state.lock);
}

/* ---- Reading ---- */

void metrics_lock(void)
{
    pthread_mutex_lock(&state.lock);
}

void metrics_unlock(void)
{
    pthread_mutex_unlock(&state.lock);
}

const struct metric_series *metrics_first_series(enum metric metric)
{
    return state.first[metric];
}

int64_t metrics_sum(unsigned cell)
{
    int64_t sum = 0;
    for (struct block *block = state.blocks; block; block = block->next) {
        sum += atomic_load_explicit(&block->cells[cell], memory_order_relaxed);
    }
    return sum;
}

int64_t metrics_started_ms(void)
{
    return state.started_ms;
}
