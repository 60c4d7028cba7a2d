// SPDX-License-Identifier: MIT
#include "http/http_metrics.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define CLASSES 4 /* 2xx to 5xx */

/* Cells of metrics_series. */
struct row {
    unsigned requests[CLASSES];
    unsigned head[CLASSES]; /* of GET's row */
    unsigned duration;
};

/* What no row of the table took: 404, 405, OPTIONS, and what was no request at all (the last). */
struct http_metrics {
    const struct http_route *routes;
    unsigned unmatched[HTTP_METHOD_COUNT + 1][CLASSES];
    struct row rows[];
};

static void add_requests(unsigned cells[static CLASSES], const char *route, struct slice method)
{
    char labels[256];
    for (unsigned i = 0; i < CLASSES; i++) {
        (void)snprintf(labels, sizeof labels, "route=\"%s\",method=\"%.*s\",status=\"%uxx\"", route,
                       (int)method.len, method.ptr, i + 2);
        cells[i] = metrics_series(METRIC_HTTP_REQUESTS, labels);
    }
}

struct http_metrics *http_metrics_create(const struct http_route *routes, size_t count)
{
    struct http_metrics *metrics = calloc(1, sizeof *metrics + count * sizeof *metrics->rows);
    if (!metrics) {
        return NULL;
    }
    metrics->routes = routes;
    for (size_t i = 0; i < count; i++) {
        struct row *row = &metrics->rows[i];
        const char *path = routes[i].path;
        const struct slice method = http_method_name(routes[i].method);
        add_requests(row->requests, path, method);
        if (routes[i].method == HTTP_GET) {
            add_requests(row->head, path, http_method_name(HTTP_HEAD));
        }
        char labels[256];
        (void)snprintf(labels, sizeof labels, "route=\"%s\",method=\"%.*s\"", path, (int)method.len,
                       method.ptr);
        row->duration = metrics_series(METRIC_HTTP_DURATION, labels);
    }
    for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++) {
        add_requests(metrics->unmatched[i], "unmatched", http_method_name((enum http_method)i));
    }
    add_requests(metrics->unmatched[HTTP_METHOD_COUNT], "unmatched", SLICE("unknown"));
    return metrics;
}

void http_metrics_destroy(struct http_metrics **metrics)
{
    free(*metrics);
    *metrics = NULL;
}

void http_metrics_answered(const struct http_exchange *x)
{
    const struct http_metrics *metrics = x->loop->server->metrics;
    assert(metrics && x->took_us >= 0);
    if (x->response.status < 200 || x->response.status > 599) {
        return;
    }
    const unsigned status_class = (unsigned)x->response.status / 100 - 2;
    if (!x->route) {
        /* Without a target the request line was never understood. */
        const unsigned method = x->request.target.ptr ? x->request.method : HTTP_METHOD_COUNT;
        metrics_add_cell(metrics->unmatched[method][status_class], 1);
        return;
    }
    const struct row *row = &metrics->rows[x->route - metrics->routes];
    const bool head = x->request.method == HTTP_HEAD;
    metrics_add_cell(head ? row->head[status_class] : row->requests[status_class], 1);
    metrics_observe_cell(METRIC_HTTP_DURATION, row->duration, x->took_us);
}

void http_metrics_count(const struct http_loop *loop, enum metric metric)
{
    if (loop->server->metrics) {
        metrics_add(metric, 1);
    }
}

void http_metrics_turned_away(const struct http_loop *loop, const char *reason)
{
    if (loop->server->metrics) {
        metrics_count(METRIC_HTTP_TURNED_AWAY, reason);
    }
}

void http_metrics_turn(const struct http_loop *loop)
{
    assert(loop->server->metrics);
    metrics_set(METRIC_HTTP_CONNECTIONS, (int64_t)loop->connection_count);
    metrics_set(METRIC_HTTP_IN_FLIGHT, (int64_t)loop->in_flight);
    metrics_set(METRIC_HTTP_STREAMS, (int64_t)loop->open_streams);
}
