// SPDX-License-Identifier: MIT
#include "cli/aux_server.h"

#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/routes.h"
#include "base/disk.h"
#include "base/owner.h"
#include "base/thread.h"
#include "cli/cli.h"
#include "cli/holder.h"

#define AUX_SERVER_MAGIC 0x3ad0c915u

#define CONTROL_CONNECTIONS_MOST 16
#define CONTROL_DRAIN_SECONDS    5
#define CONTROL_BODY_MOST        8192
#define METRICS_CONNECTIONS_MOST 64
#define METRICS_BODY_MOST        4096
#define HOST_MOST                256

struct aux_server {
    unsigned magic; /* AUX_SERVER_MAGIC */
    struct http_server *http;
    pthread_t thread;
    bool joinable;
    sem_t told; /* the loop answers, or the run is over */
    atomic_bool running;
    char *path;           /* of the control socket */
    char host[HOST_MOST]; /* of /metrics, without brackets */
    char url[HOST_MOST + 32];
};

static void aux_server_ready(void *owner)
{
    struct aux_server *server = OWNER_CAST(owner, struct aux_server, AUX_SERVER_MAGIC);

    atomic_store(&server->running, true);
    sem_post(&server->told);
}

static void *aux_server_main(void *argument)
{
    struct aux_server *server = OWNER_CAST(argument, struct aux_server, AUX_SERVER_MAGIC);

    (void)http_server_run(server->http, aux_server_ready, server);
    sem_post(&server->told);
    return NULL;
}

static struct aux_server *create_aux_server(void)
{
    struct aux_server *server = calloc(1, sizeof *server);

    if (server) {
        OWNER_SET(server, AUX_SERVER_MAGIC);
        sem_init(&server->told, 0, 0);
        atomic_init(&server->running, false);
    }
    return server;
}

/* Binds, and returns when it answers. False: `*why` is a line. */
static bool start_aux_server(struct aux_server *server, const struct http_server_options *options,
                             const char *thread_name, const char **why)
{
    server->http = http_server_create(options, why);
    if (!server->http) {
        return false;
    }
    *why = "out of memory or threads";
    server->joinable = thread_start(&server->thread, thread_name, 0, aux_server_main, server);
    while (server->joinable && sem_wait(&server->told) != 0) {
    }
    return server->joinable && atomic_load(&server->running);
}

/* ---- the control socket ---- */

char *aux_server_control_path(const char *file)
{
    char *path = NULL;

    assert(file);
    return asprintf(&path, "%s" BESIDE_CONTROL, file) >= 0 ? path : NULL;
}

struct aux_server *aux_server_control(struct api *api, const char *file, const char **why)
{
    struct aux_server *server = create_aux_server();
    struct http_server_options options = {
        .threads = 1,
        .body_most = CONTROL_BODY_MOST,
        .drain_seconds = CONTROL_DRAIN_SECONDS,
        .connections_most = CONTROL_CONNECTIONS_MOST,
        .hooks = api_hooks(api),
    };

    assert(file && *file);
    *why = "out of memory or threads";
    if (server) {
        server->path = aux_server_control_path(file);
        options.unix_socket = server->path;
        options.routes = api_control_routes(&options.route_count);
        if (!server->path || !start_aux_server(server, &options, "control", why)) {
            aux_server_stop(server);
            aux_server_destroy(&server);
        }
    }
    return server;
}

/* ---- /metrics ---- */

struct aux_server *aux_server_metrics(struct api *api, const char *address, char *why, size_t size)
{
    struct aux_server *server = create_aux_server();
    const char *reason = "out of memory or threads";
    const char *colon = strrchr(address, ':');
    uint64_t port = 0;
    const bool good = colon && slice_to_u64(slice_of(colon + 1), UINT16_MAX, &port);

    assert(good); /* the settings were checked */
    struct slice host = {address, (size_t)(colon - address)};
    if (address[0] == '[') {
        host = (struct slice){address + 1, host.len - 2};
    }
    struct http_server_options options = {
        .port = (uint16_t)port,
        .threads = 1,
        .body_most = METRICS_BODY_MOST,
        .connections_most = METRICS_CONNECTIONS_MOST,
        .hooks = api_metrics_hooks(api),
    };
    options.routes = api_metrics_routes(&options.route_count);
    if (server && host.len >= sizeof server->host) {
        reason = "its host is too long";
    } else if (server) {
        memcpy(server->host, host.ptr, host.len); /* the rest is zero */
        options.host = server->host;
        if (start_aux_server(server, &options, "metrics", &reason)) {
            char authority[HOST_MOST + 16];
            cli_write_authority(server->host, http_server_port(server->http), authority,
                                sizeof authority);
            (void)snprintf(server->url, sizeof server->url, "http://%s/metrics", authority);
            return server;
        }
    }
    /* What the server says of HOST or PORT is about one setting here. */
    const char *after = strstr(reason, ": ");
    char holder[128];
    (void)snprintf(why, size, "METRICS_ADDR is \"%s\"%s; %s", address,
                   holder_of_port(options.port, holder, sizeof holder), after ? after + 2 : reason);
    aux_server_stop(server);
    aux_server_destroy(&server);
    return NULL;
}

const char *aux_server_url(const struct aux_server *server)
{
    assert(OWNER_IS(server, AUX_SERVER_MAGIC) && *server->url);
    return server->url;
}

/* ---- the end of both ---- */

void aux_server_stop(struct aux_server *server)
{
    if (server && server->joinable) {
        assert(OWNER_IS(server, AUX_SERVER_MAGIC));
        http_server_stop(server->http);
        pthread_join(server->thread, NULL);
        server->joinable = false;
    }
}

void aux_server_destroy(struct aux_server **server)
{
    struct aux_server *gone = *server;

    if (!gone) {
        return;
    }
    assert(OWNER_IS(gone, AUX_SERVER_MAGIC) && !gone->joinable);
    http_server_destroy(&gone->http);
    sem_destroy(&gone->told);
    free(gone->path);
    OWNER_END(gone);
    free(gone);
    *server = NULL;
}
