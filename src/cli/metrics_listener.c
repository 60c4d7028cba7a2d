// SPDX-License-Identifier: MIT
#include "cli/metrics_listener.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "base/thread.h"
#include "cli/holder.h"

#define CONNECTIONS_MOST 64
#define HOST_MOST        256

struct metrics_listener {
    struct http_server *server;
    pthread_t thread;
    bool running;
    char host[HOST_MOST]; /* without brackets */
    char url[HOST_MOST + 32];
};

static void *run(void *argument)
{
    struct metrics_listener *listener = argument;
    (void)http_server_run(listener->server, NULL, NULL);
    return NULL;
}

/* Cuts `[host]:port`; the settings have checked its form. */
static bool split(const char *address, char host[static HOST_MOST], uint16_t *port)
{
    const char *colon = strrchr(address, ':');
    const bool bracketed = address[0] == '[';
    const char *from = bracketed ? address + 1 : address;
    uint64_t number = 0;
    if (!colon || !slice_to_u64(slice_of(colon + 1), UINT16_MAX, &number)) {
        return false;
    }
    const size_t len = (size_t)(colon - from) - (bracketed ? 1 : 0);
    if (len >= HOST_MOST) {
        return false;
    }
    memcpy(host, from, len);
    host[len] = '\0';
    *port = (uint16_t)number;
    return true;
}

/* What the server says of HOST or PORT is here about one setting. */
static void explain(const char *address, const char *reason, char *why, size_t size)
{
    const char *after = strstr(reason, ": ");
    const char *colon = strrchr(address, ':');
    uint64_t port = 0;
    char holder[128] = "";
    if (colon && slice_to_u64(slice_of(colon + 1), UINT16_MAX, &port)) {
        (void)holder_of_port((uint16_t)port, holder, sizeof holder);
    }
    (void)snprintf(why, size, "METRICS_ADDR is \"%s\"%s; %s", address, holder,
                   after ? after + 2 : reason);
}

static bool open_server(struct metrics_listener *listener, const char *address, struct api *api,
                        const char **reason)
{
    struct http_server_options options = {
        .host = listener->host,
        .threads = 1,
        .body_most = 4096,
        .connections_most = CONNECTIONS_MOST,
        .hooks = api_metrics_hooks(api),
    };
    *reason = "its host is too long";
    if (!split(address, listener->host, &options.port)) {
        return false;
    }
    options.routes = api_metrics_routes(&options.route_count);
    listener->server = http_server_create(&options, reason);
    return listener->server != NULL;
}

struct metrics_listener *metrics_listener_open(const char *address, struct api *api, char *why,
                                               size_t size)
{
    struct metrics_listener *listener = calloc(1, sizeof *listener);
    const char *reason = "out of memory or threads";
    bool good = listener && open_server(listener, address, api, &reason);
    if (good) {
        const bool v6 = strchr(listener->host, ':') != NULL;
        (void)snprintf(listener->url, sizeof listener->url, "http://%s%s%s:%u/metrics",
                       v6 ? "[" : "", listener->host, v6 ? "]" : "",
                       (unsigned)http_server_port(listener->server));
        reason = "out of threads";
        listener->running = thread_start(&listener->thread, "metrics", 0, run, listener);
        good = listener->running;
    }
    if (!good) {
        explain(address, reason, why, size);
        metrics_listener_close(&listener);
    }
    return listener;
}

const char *metrics_listener_url(const struct metrics_listener *listener)
{
    return listener->url;
}

void metrics_listener_close(struct metrics_listener **listener)
{
    struct metrics_listener *gone = *listener;
    *listener = NULL;
    if (!gone) {
        return;
    }
    if (gone->running) {
        http_server_stop(gone->server); /* without patience: an answer to a scraper may be lost */
        pthread_join(gone->thread, NULL);
    }
    http_server_destroy(&gone->server);
    free(gone);
}
