// SPDX-License-Identifier: MIT
#include "base/metrics.h"

#include <assert.h>
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/disk.h"

/* ---- what is counted ---- */

enum metric_type { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

/* The upper bounds of a histogram's buckets, as they are compared and as they are shown. */
struct metric_buckets {
    unsigned count;
    int64_t bounds[16];
    const char *texts[16];
    bool micros; /* observed in microseconds, shown in seconds */
};

struct metric_row {
    enum metric_type type;
    const char *name;
    const char *help;
    const struct metric_buckets *buckets; /* of histograms */
    const char *label;                    /* with its values: one series for each of them */
    const char *const *values;            /* ended by NULL; the last one is `other` */
    bool series;                          /* only what metrics_series adds */
};

#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})

/* 100 us to 10 s. */
static const struct metric_buckets times = {
    .count = 16,
    .bounds = {100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000,
               1000000, 2500000, 5000000, 10000000},
    .texts = {"0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01", "0.025", "0.05",
              "0.1", "0.25", "0.5", "1", "2.5", "5", "10"},
    .micros = true,
};

static const struct metric_buckets sizes = {
    .count = 10,
    .bounds = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512},
    .texts = {"1", "2", "4", "8", "16", "32", "64", "128", "256", "512"},
};

#define ROW(kind, text, words, ...)                                                                \
    {                                                                                              \
        .type = METRIC_##kind, .name = (text), .help = (words), __VA_ARGS__                        \
    }

static const struct metric_row rows[METRIC_COUNT] = {
    [METRIC_READY] = ROW(GAUGE, "taskhold_ready", "1 when /readyz answers 200."),
    [METRIC_HTTP_REQUESTS] =
        ROW(COUNTER, "taskhold_http_requests_total",
            "Answered requests by route, method and class of status.", .series = true),
    [METRIC_HTTP_DURATION] = ROW(
        HISTOGRAM, "taskhold_http_request_duration_seconds",
        "From a request's first byte to the last of its answer, by route; HEAD counts with GET.",
        .buckets = &times, .series = true),
    [METRIC_HTTP_IN_FLIGHT] = ROW(GAUGE, "taskhold_http_requests_in_flight",
                                  "Requests that wait for the database or a password hash."),
    [METRIC_HTTP_CONNECTIONS] = ROW(GAUGE, "taskhold_http_connections", "Open connections."),
    [METRIC_HTTP_STREAMS] = ROW(GAUGE, "taskhold_streams", "Open streams of events."),
    [METRIC_STREAM_DELAY] =
        ROW(HISTOGRAM, "taskhold_stream_delay_seconds",
            "From the word of a commit to the events of it on their way to one client.",
            .buckets = &times),
    [METRIC_HTTP_ACCEPTED] =
        ROW(COUNTER, "taskhold_http_connections_accepted_total", "Connections that were taken."),
    [METRIC_HTTP_TURNED_AWAY] = ROW(COUNTER, "taskhold_http_connections_refused_total",
                                    "Connections that were turned away.", .label = "reason",
                                    .values = VALUES("full", "address", "descriptors", "other")),
    [METRIC_HTTP_SHED] = ROW(COUNTER, "taskhold_http_requests_shed_total",
                             "Requests that were answered 503 at once, under overload."),
    [METRIC_BATCH_OPERATIONS] = ROW(HISTOGRAM, "taskhold_batch_operations",
                                    "Operations in one call that has several.", .buckets = &sizes),
    [METRIC_STORE_QUEUE] =
        ROW(GAUGE, "taskhold_store_queue_operations", "Writes that wait for the writer."),
    [METRIC_STORE_REFUSED] =
        ROW(COUNTER, "taskhold_store_refused_total",
            "Writes that were refused: the queue was full, or they had waited too long.",
            .label = "reason", .values = VALUES("queue_full", "late", "other")),
    [METRIC_STORE_BATCH] = ROW(HISTOGRAM, "taskhold_store_batch_operations",
                               "Writes that shared one transaction.", .buckets = &sizes),
    [METRIC_STORE_COMMIT] = ROW(HISTOGRAM, "taskhold_store_commit_duration_seconds",
                                "Commits, the flush to disk included.", .buckets = &times),
    [METRIC_STORE_CHECKPOINT] =
        ROW(HISTOGRAM, "taskhold_store_checkpoint_duration_seconds",
            "Moves of the write-ahead log into the database file.", .buckets = &times),
    [METRIC_STORE_WAL_PAGES] =
        ROW(GAUGE, "taskhold_store_wal_pages", "Pages in the write-ahead log, 4 KiB each."),
    [METRIC_STORE_DAMAGED] = ROW(
        GAUGE, "taskhold_store_damaged",
        "1 when damage was found in the database file: writes are refused until it is restored."),
    [METRIC_STORE_DISK] = ROW(GAUGE, "taskhold_store_disk_bytes",
                              "Size of the file system that holds the database file."),
    [METRIC_STORE_DISK_FREE] =
        ROW(GAUGE, "taskhold_store_disk_free_bytes", "What the server may still write there."),
    [METRIC_LAST_BACKUP] =
        ROW(GAUGE, "taskhold_last_backup_timestamp_seconds",
            "The moment that the last backup holds, in Unix time; 0 when none is known.",
            .series = true),
    [METRIC_STORE_CONNECTIONS] =
        ROW(GAUGE, "taskhold_store_connections", "Open connections to PostgreSQL."),
    [METRIC_STORE_LOST] = ROW(COUNTER, "taskhold_store_connections_lost_total",
                              "Connections to PostgreSQL that broke or were given up."),
    [METRIC_STORE_RETRIED] = ROW(COUNTER, "taskhold_store_retried_total",
                                 "Operations that PostgreSQL had to be asked for again."),
    [METRIC_STORE_UNKNOWN] = ROW(COUNTER, "taskhold_store_outcome_unknown_total",
                                 "Writes that were answered outcome_unknown."),
    [METRIC_HASH_QUEUE] =
        ROW(GAUGE, "taskhold_password_hash_queue", "Password hashes that wait for a thread."),
    [METRIC_HASH_DURATION] =
        ROW(HISTOGRAM, "taskhold_password_hash_duration_seconds",
            "Time to compute a password hash, without the wait.", .buckets = &times),
    [METRIC_HASH_REFUSED] = ROW(COUNTER, "taskhold_password_hash_refused_total",
                                "Password hashes that were refused: the queue was full."),
    [METRIC_TOKENS_REFUSED] =
        ROW(COUNTER, "taskhold_tokens_refused_total", "Access tokens that were refused.",
            .label = "reason",
            .values = VALUES("missing", "repeated", "too_long", "malformed", "bad_signature",
                             "bad_claims", "expired", "session_ended", "token_ended", "other")),
    [METRIC_THROTTLED] =
        ROW(COUNTER, "taskhold_throttled_total", "Requests that a quota refused.", .label = "quota",
            .values = VALUES("auth", "api", "failures", "other")),
    [METRIC_SECURITY_EVENTS] =
        ROW(COUNTER, "taskhold_security_events_total", "Security events, named as in the log.",
            .label = "event",
            .values = VALUES("registered", "login_ok", "login_failed", "password_changed",
                             "email_changed", "session_ended", "account_deleted", "invited",
                             "refresh_reuse", "token_rejected", "throttled", "user_disabled",
                             "user_enabled", "token_made", "token_deleted", "insufficient_scope",
                             "other")),
    [METRIC_LOG_DROPPED] = ROW(COUNTER, "taskhold_log_lines_dropped_total",
                               "Lines of the log that were dropped: nobody read fast enough."),
    [METRIC_HARDENING_REFUSED] =
        ROW(GAUGE, "taskhold_hardening_refused",
            "1 when the kernel refused to harden the process, or cannot close its sandbox."),
};

/* ---- the cells ---- */

#define CACHE_LINE 64
#define CELLS      4096
/* The first cells are scrap: there counts what has no place. As many as the largest histogram has.
 */
#define SCRAP 32

/* One series: a counter or gauge has one cell; a histogram one for each bucket, one above the last
 * bound, and the sum. */
struct metric_series {
    struct metric_series *next;
    unsigned cell;
    char labels[];
};

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

/* ---- counting ---- */

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
    assert(cell < CELLS);
    add(cell_of(cell), n);
}

void metrics_set_cell(unsigned cell, int64_t value)
{
    assert(cell < CELLS);
    atomic_store_explicit(cell_of(cell), value, memory_order_relaxed);
}

void metrics_observe_cell(enum metric metric, unsigned cell, int64_t value)
{
    const struct metric_buckets *buckets = rows[metric].buckets;
    _Atomic int64_t *cells = cell_of(cell);
    unsigned at = 0;
    assert(buckets && value >= 0);
    while (at < buckets->count && value > buckets->bounds[at]) {
        at++;
    }
    add(&cells[at], 1);
    add(&cells[buckets->count + 1], value);
}

void metrics_add(enum metric metric, int64_t n)
{
    assert(metric < METRIC_COUNT && rows[metric].type != METRIC_HISTOGRAM);
    metrics_add_cell(first_cells[metric], n);
}

void metrics_set(enum metric metric, int64_t value)
{
    assert(metric < METRIC_COUNT && rows[metric].type == METRIC_GAUGE);
    metrics_set_cell(first_cells[metric], value);
}

void metrics_count(enum metric metric, const char *value)
{
    const char *const *values = rows[metric].values;
    unsigned at = 0;
    assert(values && value);
    while (values[at + 1] && strcmp(values[at], value) != 0) {
        at++;
    }
    metrics_add_cell(first_cells[metric] > 0 ? first_cells[metric] + at : 0, 1);
}

void metrics_observe(enum metric metric, int64_t value)
{
    assert(metric < METRIC_COUNT);
    metrics_observe_cell(metric, first_cells[metric], value);
}

/* ---- the layout ---- */

static unsigned cells_of(const struct metric_row *row)
{
    return row->type == METRIC_HISTOGRAM ? row->buckets->count + 2 : 1;
}

static unsigned append_series(enum metric metric, const char *labels)
{
    const size_t len = strlen(labels);
    const unsigned cells = cells_of(&rows[metric]);
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
    assert(rows[metric].series);
    pthread_mutex_lock(&state.lock);
    const unsigned cell = append_series(metric, labels);
    pthread_mutex_unlock(&state.lock);
    return cell;
}

/* The values of a label stand in cells one after the other. */
static void lay_out(enum metric metric)
{
    const struct metric_row *row = &rows[metric];
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
            assert(cells_of(&rows[metric]) <= SCRAP);
            lay_out((enum metric)metric);
        }
    }
    pthread_mutex_unlock(&state.lock);
}

/* ---- showing ---- */

/* The sum of a cell over all threads; under the lock. */
static int64_t sum_of(unsigned cell)
{
    int64_t sum = 0;
    for (struct block *block = state.blocks; block; block = block->next) {
        sum += atomic_load_explicit(&block->cells[cell], memory_order_relaxed);
    }
    return sum;
}

static void add_head(struct buffer *out, enum metric_type type, const char *name, const char *help)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, types[type]);
}

static void add_seconds(struct buffer *out, int64_t us)
{
    buffer_add_format(out, "%lld.%06lld\n", (long long)(us / 1000000), (long long)(us % 1000000));
}

/* `name_suffix{labels,le="bound"} value`; `micros` is shown in seconds. */
static void add_sample(struct buffer *out, const struct metric_row *row, const char *suffix,
                       const char *labels, const char *bound, int64_t value, bool micros)
{
    buffer_add_text(out, row->name);
    buffer_add_text(out, suffix);
    if (labels[0] || bound) {
        buffer_add_char(out, '{');
        buffer_add_text(out, labels);
        if (bound) {
            buffer_add_text(out, labels[0] ? ",le=\"" : "le=\"");
            buffer_add_text(out, bound);
            buffer_add_char(out, '"');
        }
        buffer_add_char(out, '}');
    }
    buffer_add_char(out, ' ');
    if (micros) {
        add_seconds(out, value);
    } else {
        buffer_add_i64(out, value);
        buffer_add_char(out, '\n');
    }
}

static void add_histogram(struct buffer *out, const struct metric_row *row,
                          const struct metric_series *series)
{
    const struct metric_buckets *buckets = row->buckets;
    const int64_t sum = sum_of(series->cell + buckets->count + 1);
    int64_t count = 0;
    for (unsigned i = 0; i <= buckets->count; i++) {
        const char *bound = i < buckets->count ? buckets->texts[i] : "+Inf";
        count += sum_of(series->cell + i);
        add_sample(out, row, "_bucket", series->labels, bound, count, false);
    }
    add_sample(out, row, "_sum", series->labels, NULL, sum, buckets->micros);
    add_sample(out, row, "_count", series->labels, NULL, count, false);
}

/* ---- the process, by the names that every exporter of Prometheus uses ---- */

static void add_process_number(struct buffer *out, const char *name, const char *help,
                               uint64_t value)
{
    add_head(out, METRIC_GAUGE, name, help);
    buffer_add_format(out, "%s %llu\n", name, (unsigned long long)value);
}

static void add_process_seconds(struct buffer *out, enum metric_type type, const char *name,
                                const char *help, int64_t us)
{
    add_head(out, type, name, help);
    buffer_add_format(out, "%s ", name);
    add_seconds(out, us);
}

/* -1: the kernel does not tell. The descriptor that counts is not counted. */
static int64_t count_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    int64_t count = -1;
    if (!list) {
        return count;
    }
    for (const struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(list);
    return count;
}

/* Leaves out what the kernel hides. */
static void add_process(struct buffer *out)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const int64_t descriptors = count_descriptors();
    struct timespec used = {0};
    struct rlimit limit = {0};
    uint64_t size = 0;
    uint64_t resident = 0;
    char text[128];
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
        add_process_seconds(out, METRIC_COUNTER, "process_cpu_seconds_total",
                            "Processor time, user and system.",
                            (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000);
    }
    /* `size resident …` in pages; see proc(5). */
    struct slice memory = disk_read_small("/proc/self/statm", text, sizeof text);
    if (slice_to_u64(slice_next(&memory, ' '), INT64_MAX / 65536, &size) &&
        slice_to_u64(slice_next(&memory, ' '), INT64_MAX / 65536, &resident)) {
        add_process_number(out, "process_resident_memory_bytes", "Resident memory.",
                           resident * page);
        add_process_number(out, "process_virtual_memory_bytes", "Virtual memory.", size * page);
    }
    if (descriptors >= 0) {
        add_process_number(out, "process_open_fds", "Open file descriptors.",
                           (uint64_t)descriptors);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        add_process_number(out, "process_max_fds", "The most file descriptors.", limit.rlim_cur);
    }
    add_process_seconds(out, METRIC_GAUGE, "process_start_time_seconds",
                        "When it started, in Unix time.", state.started_ms * 1000);
}

void metrics_write(struct buffer *out)
{
    assert(out);
    pthread_mutex_lock(&state.lock);
    for (unsigned metric = 0; metric < METRIC_COUNT; metric++) {
        const struct metric_row *row = &rows[metric];
        const struct metric_series *series = state.first[metric];
        if (series) {
            add_head(out, row->type, row->name, row->help);
        }
        for (; series; series = series->next) {
            if (row->type == METRIC_HISTOGRAM) {
                add_histogram(out, row, series);
            } else {
                /* A gauge that one thread raises and another lowers may be seen between the two. */
                const int64_t sum = sum_of(series->cell);
                add_sample(out, row, "", series->labels, NULL, sum > 0 ? sum : 0, false);
            }
        }
    }
    pthread_mutex_unlock(&state.lock);
    add_head(out, METRIC_GAUGE, "taskhold_build_info", "The version that runs.");
    buffer_add_text(out, "taskhold_build_info{version=\"" TASKHOLD_VERSION "\"} 1\n");
    add_process(out);
}
