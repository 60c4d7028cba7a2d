// SPDX-License-Identifier: MIT
#include "http/traffic.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/metrics.h"

#define CLASSES 4 /* 2xx to 5xx */

/* Cells of metrics_series. */
struct row {
    unsigned requests[CLASSES];
    unsigned head[CLASSES]; /* of GET's row */
    unsigned duration;
};

/* What no row of the table took: 404, 405, OPTIONS, and what was no request at all (the last). */
struct http_traffic {
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

static void add_row(struct row *row, const struct http_route *route)
{
    char labels[256];
    const struct slice method = http_method_name(route->method);
    add_requests(row->requests, route->path, method);
    if (route->method == HTTP_GET) {
        add_requests(row->head, route->path, http_method_name(HTTP_HEAD));
    }
    (void)snprintf(labels, sizeof labels, "route=\"%s\",method=\"%.*s\"", route->path,
                   (int)method.len, method.ptr);
    row->duration = metrics_series(METRIC_HTTP_DURATION, labels);
}

struct http_traffic *traffic_create(const struct http_route *routes, size_t count)
{
    struct http_traffic *traffic = calloc(1, sizeof *traffic + count * sizeof *traffic->rows);
    if (!traffic) {
        return NULL;
    }
    traffic->routes = routes;
    for (size_t i = 0; i < count; i++) {
        add_row(&traffic->rows[i], &routes[i]);
    }
    for (unsigned i = 0; i < HTTP_METHOD_COUNT; i++) {
        add_requests(traffic->unmatched[i], "unmatched", http_method_name((enum http_method)i));
    }
    add_requests(traffic->unmatched[HTTP_METHOD_COUNT], "unmatched", SLICE("unknown"));
    return traffic;
}

void traffic_destroy(struct http_traffic **traffic)
{
    free(*traffic);
    *traffic = NULL;
}

void traffic_answered(const struct http_exchange *x)
{
    const struct http_traffic *traffic = x->loop->server->traffic;
    if (!traffic || x->response.status < 200 || x->response.status > 599) {
        return;
    }
    const unsigned status_class = (unsigned)x->response.status / 100 - 2;
    if (!x->route) {
        /* Without a target the request line was never understood. */
        const unsigned method = x->request.target.ptr ? x->request.method : HTTP_METHOD_COUNT;
        metrics_add_cell(traffic->unmatched[method][status_class], 1);
        return;
    }
    const struct row *row = &traffic->rows[x->route - traffic->routes];
    const bool head = x->request.method == HTTP_HEAD;
    metrics_add_cell(head ? row->head[status_class] : row->requests[status_class], 1);
    metrics_observe_cell(METRIC_HTTP_DURATION, row->duration, x->took_us);
}

void traffic_shed(const struct http_loop *loop)
{
    if (loop->server->traffic) {
        metrics_add(METRIC_HTTP_SHED, 1);
    }
}

void traffic_accepted(const struct http_loop *loop)
{
    if (loop->server->traffic) {
        metrics_add(METRIC_HTTP_ACCEPTED, 1);
    }
}

void traffic_turned_away(const struct http_loop *loop, const char *reason)
{
    if (loop->server->traffic) {
        metrics_count(METRIC_HTTP_TURNED_AWAY, reason);
    }
}

void traffic_turn(const struct http_loop *loop)
{
    if (loop->server->traffic) {
        metrics_set(METRIC_HTTP_CONNECTIONS, (int64_t)loop->connection_count);
        metrics_set(METRIC_HTTP_IN_FLIGHT, (int64_t)loop->in_flight);
    }
}
