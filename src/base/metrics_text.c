// SPDX-License-Identifier: MIT
#include "base/metrics_table.h"

static void add_head(struct buffer *out, const struct metric_row *row)
{
    static const char *const types[] = {"counter", "gauge", "histogram"};
    buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
                      types[row->type]);
}

/* `name_suffix{labels,le="bound"} ` */
static void add_name(struct buffer *out, const struct metric_row *row, const char *suffix,
                     const char *labels, const char *bound)
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
}

void metrics_add_seconds(struct buffer *out, int64_t us)
{
    buffer_add_format(out, "%lld.%06lld", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void add_histogram(struct buffer *out, const struct metric_row *row,
                          const struct metric_series *series)
{
    const struct metric_buckets *buckets = row->buckets;
    const int64_t sum = metrics_sum(series->cell + buckets->count + 1);
    int64_t count = 0;
    for (unsigned i = 0; i <= buckets->count; i++) {
        const char *bound = i < buckets->count ? buckets->texts[i] : "+Inf";
        count += metrics_sum(series->cell + i);
        add_name(out, row, "_bucket", series->labels, bound);
        buffer_add_i64(out, count);
        buffer_add_char(out, '\n');
    }
    add_name(out, row, "_sum", series->labels, NULL);
    if (buckets->micros) {
        metrics_add_seconds(out, sum);
    } else {
        buffer_add_i64(out, sum);
    }
    buffer_add_char(out, '\n');
    add_name(out, row, "_count", series->labels, NULL);
    buffer_add_i64(out, count);
    buffer_add_char(out, '\n');
}

/* A gauge that one thread raises and another lowers may be seen between the two. */
static void add_number(struct buffer *out, const struct metric_row *row,
                       const struct metric_series *series)
{
    const int64_t sum = metrics_sum(series->cell);
    add_name(out, row, "", series->labels, NULL);
    buffer_add_i64(out, sum > 0 ? sum : 0);
    buffer_add_char(out, '\n');
}

static void add_build(struct buffer *out)
{
    buffer_add_text(out, "# HELP taskhold_build_info The version that runs.\n"
                         "# TYPE taskhold_build_info gauge\n"
                         "taskhold_build_info{version=\"" TASKHOLD_VERSION "\"} 1\n");
}

void metrics_write(struct buffer *out)
{
    metrics_lock();
    for (unsigned metric = 0; metric < METRIC_COUNT; metric++) {
        const struct metric_row *row = &metric_rows[metric];
        const struct metric_series *series = metrics_first_series((enum metric)metric);
        if (series) {
            add_head(out, row);
        }
        for (; series; series = series->next) {
            if (row->type == METRIC_HISTOGRAM) {
                add_histogram(out, row, series);
            } else {
                add_number(out, row, series);
            }
        }
    }
    metrics_unlock();
    add_build(out);
    metrics_process_write(out);
}
