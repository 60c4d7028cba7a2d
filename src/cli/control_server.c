// SPDX-License-Identifier: MIT
#include "cli/control_server.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/beside.h"
#include "base/thread.h"

#include "api/routes.h"

#define CONNECTIONS_MOST 16
#define DRAIN_SECONDS    5
#define BODY_MOST        8192

struct control_server {
    struct http_server *http;
    char *path;
    pthread_t thread;
    bool joinable;
    sem_t told; /* the loop answers, or the run is over */
    atomic_bool running;
};

char *control_server_path(const char *file)
{
    static const char suffix[] = BESIDE_CONTROL;
    const size_t size = strlen(file) + sizeof suffix;
    char *path = malloc(size);

    if (path) {
        (void)snprintf(path, size, "%s%s", file, suffix);
    }
    return path;
}

static void on_ready(void *owner)
{
    struct control_server *server = owner;

    atomic_store(&server->running, true);
    sem_post(&server->told);
}

static void *thread_main(void *argument)
{
    struct control_server *server = argument;

    (void)http_server_run(server->http, on_ready, server);
    sem_post(&server->told);
    return NULL;
}

static bool start_thread(struct control_server *server)
{
    server->joinable = thread_start(&server->thread, "control", 0, thread_main, server);
    if (!server->joinable) {
        return false;
    }
    while (sem_wait(&server->told) != 0) {
    }
    return atomic_load(&server->running);
}

struct control_server *control_server_start(struct api *api, const char *file, const char **why)
{
    struct control_server *server = calloc(1, sizeof *server);
    struct http_server_options options = {
        .threads = 1,
        .body_most = BODY_MOST,
        .drain_seconds = DRAIN_SECONDS,
        .connections_most = CONNECTIONS_MOST,
        .hooks = api_hooks(api),
    };

    *why = "out of memory or threads";
    if (!server) {
        return NULL;
    }
    sem_init(&server->told, 0, 0);
    atomic_init(&server->running, false);
    server->path = control_server_path(file);
    options.unix_socket = server->path;
    options.routes = api_control_routes(&options.route_count);
    server->http = server->path ? http_server_create(&options, why) : NULL;
    if (!server->http || !start_thread(server)) {
        control_server_stop(server);
        control_server_destroy(&server);
    }
    return server;
}

void control_server_stop(struct control_server *server)
{
    if (server && server->joinable) {
        http_server_stop(server->http);
        pthread_join(server->thread, NULL);
        server->joinable = false;
    }
}

void control_server_destroy(struct control_server **server)
{
    struct control_server *gone = *server;

    if (!gone) {
        return;
    }
    http_server_destroy(&gone->http);
    sem_destroy(&gone->told);
    free(gone->path);
    free(gone);
    *server = NULL;
}
