// SPDX-License-Identifier: MIT
#include "api/metrics_page.h"

#include <stdlib.h>
#include <sys/statvfs.h>

#include "api/context.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "base/metrics.h"

#define TEXT "text/plain; version=0.0.4; charset=utf-8"

/* Of the file system that holds `file`; unknown (the file was moved) leaves what was seen last. */
static void read_disk(const char *file)
{
    struct statvfs disk;
    if (statvfs(file, &disk) == 0) {
        metrics_set(METRIC_STORE_DISK, (int64_t)(disk.f_blocks * disk.f_frsize));
        metrics_set(METRIC_STORE_DISK_FREE, (int64_t)(disk.f_bavail * disk.f_frsize));
    }
}

/* The listener's loop has no session of the store and no tokens: no row needs them. */
struct metrics_loop {
    struct api_loop loop; /* first: what api_loop_of finds */
    unsigned last_backup; /* the cell of a gauge that only a file has */
};

/* What nobody counts is asked for with each page. The listener has one thread, which owns these
 * gauges. */
static void read_gauges(const struct http_exchange *x)
{
    const struct metrics_loop *metrics = http_loop_context(x->loop);
    const struct api_options *options = &api_of(x)->options;
    const char *file = options->engine->file(options->store);
    struct store_health health;
    metrics_set(METRIC_READY, service_is_ready(x, &health));
    if (file) {
        metrics_set(METRIC_STORE_DAMAGED, health.damaged);
        metrics_set_cell(metrics->last_backup, options->engine->last_backup(options->store));
        read_disk(file);
    }
}

static void get_metrics(struct http_exchange *x)
{
    read_gauges(x);
    respond_no_store(x);
    metrics_write(x->response.body);
    http_respond_body(x, 200, TEXT);
}

#define ROW(where, function, answer)                                                               \
    {                                                                                              \
        .method = HTTP_GET, .path = (where), .operation_id = #function, .handler = (function),     \
        .produces = (answer), .access = HTTP_ACCESS_PUBLIC, .query_ignored = true, .always = true  \
    }

static const struct http_route routes[] = {
    ROW("/metrics", get_metrics, TEXT),
    ROW("/livez", service_live, "application/json"),
    ROW("/readyz", service_ready, "application/json"),
};

const struct http_route *metrics_page_routes(size_t *count)
{
    *count = sizeof routes / sizeof routes[0];
    return routes;
}

static void *loop_start(void *owner, struct http_loop *http)
{
    struct metrics_loop *metrics = calloc(1, sizeof *metrics);
    (void)http;
    if (!metrics) {
        return NULL;
    }
    metrics->loop.api = owner;
    if (metrics->loop.api->options.engine->last_backup) {
        metrics->last_backup = metrics_series(METRIC_LAST_BACKUP, "");
    }
    return metrics;
}

struct http_hooks metrics_page_hooks(struct api *api)
{
    return (struct http_hooks){.owner = api, .loop_start = loop_start, .loop_stop = free};
}
