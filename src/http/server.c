// SPDX-License-Identifier: MIT
#include "http/server.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/thread.h"
#include "http/acceptor.h"
#include "http/http_metrics.h"
#include "http/listener.h"
#include "http/loop.h"
#include "http/router.h"
#include "http/unix_socket.h"

#define HEADER_MS  5000
#define REQUEST_MS 15000
#define IDLE_MS    30000
#define WRITE_MS   10000

#define BYTES_MOST   ((size_t)48 * 1024 * 1024)
#define BYTES_LEAST  ((size_t)1024 * 1024)
#define BODIES_LEAST 8

#define STREAMS_LEAVE 4 /* a part of the connections is kept for those that ask */

/* Descriptors that are not connections: listeners, epolls, eventfds, the database. */
#define DESCRIPTORS_KEPT 64
#define DESCRIPTORS_LOOP 24

static void set_defaults(struct http_server_options *options)
{
    options->header_ms = options->header_ms ? options->header_ms : HEADER_MS;
    options->request_ms = options->request_ms ? options->request_ms : REQUEST_MS;
    options->idle_ms = options->idle_ms ? options->idle_ms : IDLE_MS;
    options->write_ms = options->write_ms ? options->write_ms : WRITE_MS;
    options->bytes_most = options->bytes_most ? options->bytes_most : BYTES_MOST;
    options->threads = options->threads ? options->threads : 1;
}

/* Raises the soft limit to the hard one and gives each loop its share of the descriptors. */
static size_t share_connections(const struct http_server_options *options)
{
    struct rlimit limit = {.rlim_cur = 1024, .rlim_max = 1024};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
        (void)getrlimit(RLIMIT_NOFILE, &limit);
    }
    size_t kept = DESCRIPTORS_KEPT + DESCRIPTORS_LOOP * (size_t)options->threads;
    size_t most = limit.rlim_cur > 2 * kept ? (size_t)limit.rlim_cur - kept : kept;
    if (options->connections_most > 0 && options->connections_most < most) {
        most = options->connections_most;
    }
    return (most + options->threads - 1) / options->threads;
}

static bool build(struct http_server *server, const char **why)
{
    const struct http_server_options *options = &server->options;
    server->connections_most = share_connections(options);
    server->streams_most = server->connections_most - server->connections_most / STREAMS_LEAVE;
    /* However many loops there are, half of a loop's share has room for some of the largest bodies.
     */
    const size_t bytes = options->bytes_most / options->threads;
    const size_t bytes_least = BODIES_LEAST * options->body_most + BYTES_LEAST;
    server->bytes_most = bytes > bytes_least ? bytes : bytes_least;
    server->router = http_router_create(options->routes, options->route_count);
    server->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    server->end_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!server->router || server->stop_fd < 0 || server->end_fd < 0) {
        return false;
    }
    server->policy = policy_create(options->cors_origins, options->trusted_proxies,
                                   options->client_address_header, why);
    if (!server->policy) {
        return false;
    }
    if (options->counted) {
        server->metrics = http_metrics_create(options->routes, options->route_count);
        if (!server->metrics) {
            return false;
        }
    }
    const size_t connections = server->connections_most * options->threads;
    const size_t share = connections > 1 ? connections / 2 : 1;
    server->addresses = addresses_create(
        options->connections_most_per_address ? options->connections_most_per_address : share,
        connections);
    return server->addresses != NULL;
}

static void remove_unix_socket(struct http_server *server)
{
    if (server->unix_socket) {
        (void)unlink(server->unix_socket);
        server->unix_socket = NULL;
    }
}

/* The sockets to listen on: inherited, or bound here. */
static bool open_listeners(struct http_server *server, const char **why)
{
    const struct http_server_options *options = &server->options;
    if (options->unix_socket) {
        const int fd = unix_socket_bind(options->unix_socket, why);
        server->listeners[0] = (struct listener){.count = fd < 0 ? 0 : 1, .fds = {fd}};
        server->unix_socket = fd < 0 ? NULL : options->unix_socket;
        return fd >= 0;
    }
    if (options->inherit && listener_is_inherited()) {
        server->shared = true;
        return listener_inherit(&server->port, server->listeners, options->threads, why);
    }
    return listener_bind(options->host, &server->port, server->listeners, options->threads, why);
}

/* What an operator can set is checked and told; this is the owner's part. */
static void assert_routes(const struct http_server_options *options)
{
    const struct http_hooks *hooks = &options->hooks;
    for (size_t i = 0; i < options->route_count; i++) {
        const struct http_route *route = &options->routes[i];
        assert(route->handler);
        assert(route->access == HTTP_ACCESS_PUBLIC || hooks->authorize);
        assert(route->quota == 0 || hooks->quota);
        assert((route->consumes & ~(HTTP_CONSUMES_JSON | HTTP_CONSUMES_MERGE_PATCH)) == 0);
    }
    assert(!hooks->descriptor || hooks->ready);
}

struct http_server *http_server_create(const struct http_server_options *options, const char **why)
{
    struct http_server *server = calloc(1, sizeof *server);
    assert_routes(options);
    assert(!options->unix_socket || options->threads <= 1);
    if (!server) {
        *why = "out of memory";
        return NULL;
    }
    *why = "out of memory or file descriptors";
    server->options = *options;
    server->port = options->port;
    server->stop_fd = server->end_fd = -1;
    atomic_init(&server->stops, 0);
    atomic_init(&server->beat_count, 0);
    atomic_init(&server->beat_round, 1);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    set_defaults(&server->options);
    server->listeners = calloc(server->options.threads, sizeof *server->listeners);
    server->loops = calloc(server->options.threads, sizeof(struct http_loop *));
    if (!server->listeners || !server->loops || !build(server, why) ||
        !open_listeners(server, why)) {
        http_server_destroy(&server);
        return NULL;
    }
    server->bound = true;
    return server;
}

uint16_t http_server_port(const struct http_server *server)
{
    assert(server && server->bound);
    return server->port;
}

/* ---- The run ---- */

/* Keeps why the first loop failed, as errno says; and what an operator can do about it. */
static void explain_loop(struct http_server *server, unsigned number)
{
    const int error = errno;
    const bool descriptors = error == EMFILE || error == ENFILE;
    const char *remedy = descriptors ? "raise ulimit -n (LimitNOFILE= of systemd) or lower THREADS"
                                     : "lower THREADS, or give the process more memory and threads";

    pthread_mutex_lock(&server->lock);
    if (server->why[0] == '\0') {
        (void)snprintf(server->why, sizeof server->why, "event loop %u of %u cannot start: %s; %s",
                       number + 1, server->options.threads,
                       error ? strerror(error) : "it has no memory or no descriptor", remedy);
    }
    pthread_mutex_unlock(&server->lock);
}

static void *loop_main(void *argument)
{
    struct http_loop *loop = OWNER_CAST(argument, struct http_loop, LOOP_MAGIC);
    struct http_server *server = loop->server;
    const struct http_hooks *hooks = &server->options.hooks;
    bool good = true;
    errno = 0;
    if (hooks->loop_start) {
        loop->context = hooks->loop_start(hooks->owner, loop);
        good = loop->context != NULL;
    }
    if (good && hooks->descriptor) {
        const int descriptor = hooks->descriptor(loop->context);
        good = descriptor < 0 || http_loop_watch(loop, descriptor);
    }
    good = good && acceptor_start(loop);
    if (!good) {
        explain_loop(server, loop->number);
    }
    /* Tells how the start went and waits until all have told. */
    pthread_mutex_lock(&server->lock);
    server->started += good ? 1 : 0;
    server->failed += good ? 0 : 1;
    pthread_cond_broadcast(&server->changed);
    while (server->verdict == SERVER_STARTING) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    const bool going = server->verdict == SERVER_GOING;
    pthread_mutex_unlock(&server->lock);
    if (going) {
        http_loop_run(loop);
    }
    if (loop->context && hooks->loop_stop) {
        hooks->loop_stop(loop->context);
    }
    return NULL;
}

int http_server_run(struct http_server *server, void (*ready)(void *owner), void *owner)
{
    assert(server->bound && server->verdict == SERVER_STARTING); /* it runs once */
    pthread_t *threads = calloc(server->options.threads, sizeof *threads);
    if (!threads) {
        return 1;
    }
    unsigned count = 0;
    for (; count < server->options.threads; count++) {
        errno = 0;
        server->loops[count] = http_loop_create(server, count, &server->listeners[count]);
        if (!server->loops[count] ||
            !thread_start(&threads[count], "loop", 0, loop_main, server->loops[count])) {
            explain_loop(server, count);
            break;
        }
    }
    /* Waits for the reports of these loops and tells all of them to go on or to give up. */
    pthread_mutex_lock(&server->lock);
    while (server->started + server->failed < count) {
        pthread_cond_wait(&server->changed, &server->lock);
    }
    const bool good = server->started == server->options.threads;
    server->verdict = good ? SERVER_GOING : SERVER_GIVEN_UP;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (good && ready) {
        ready(owner);
    }
    for (unsigned i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    free(threads);
    remove_unix_socket(server);
    return good ? 0 : 1;
}

const char *http_server_why(const struct http_server *server)
{
    assert(server);
    return server->why[0] ? server->why : "out of memory";
}

/* ---- What changes while it runs ---- */

/* What is told to every loop and not yet heard by all of them. */
#define TOLD_MAGIC 0x5d97c0a2u

struct told {
    unsigned magic; /* TOLD_MAGIC */
    struct inbox_message message;
    struct tell *tell;
    struct http_loop *loop;
};

struct tell {
    struct tell *next; /* on the server's list */
    struct http_server *server;
    void (*run)(struct http_loop *loop, void *argument);
    void *argument;
    void (*done)(void *old);
    void *old;
    atomic_uint left; /* loops that have not heard it */
    struct told loops[];
};

static void finish_tell(struct tell *tell)
{
    tell->done(tell->old);
    free(tell);
}

static void hear(struct inbox_message *message)
{
    const struct told *told = OWNER_OF(message, struct told, message, TOLD_MAGIC);
    struct tell *tell = told->tell;
    struct http_server *server = tell->server;

    tell->run(told->loop, tell->argument);
    if (atomic_fetch_sub(&tell->left, 1) > 1) {
        return;
    }
    pthread_mutex_lock(&server->lock);
    struct tell **link = &server->tells;
    while (*link != tell) {
        link = &(*link)->next;
    }
    *link = tell->next;
    pthread_mutex_unlock(&server->lock);
    finish_tell(tell);
}

bool http_server_tell(struct http_server *server,
                      void (*run)(struct http_loop *loop, void *argument), void *argument,
                      void (*done)(void *old), void *old)
{
    assert(run && done);
    const unsigned loops = server->options.threads;
    struct tell *tell = calloc(1, sizeof *tell + loops * sizeof(struct told));

    if (!tell) {
        return false;
    }
    tell->server = server;
    tell->run = run;
    tell->argument = argument;
    tell->done = done;
    tell->old = old;
    atomic_init(&tell->left, loops);
    pthread_mutex_lock(&server->lock);
    tell->next = server->tells;
    server->tells = tell;
    pthread_mutex_unlock(&server->lock);
    for (unsigned i = 0; i < loops; i++) {
        tell->loops[i] = (struct told){
            .magic = TOLD_MAGIC, .message.run = hear, .tell = tell, .loop = server->loops[i]};
        inbox_post(server->loops[i]->inbox, &tell->loops[i].message);
    }
    return true;
}

static void drop_policy(void *policy)
{
    policy_destroy((struct policy **)&policy);
}

bool http_server_reload(struct http_server *server, const char *cors_origins,
                        const char *trusted_proxies, const char *client_address_header,
                        const char **why)
{
    assert(server->policy && why);
    struct policy *fresh = policy_create(cors_origins, trusted_proxies, client_address_header, why);
    if (!fresh) {
        return false;
    }
    if (!http_server_tell(server, http_loop_take_policy, fresh, drop_policy, server->policy)) {
        *why = "out of memory";
        policy_destroy(&fresh);
        return false;
    }
    server->policy = fresh;
    return true;
}

/* ---- The end ---- */

void http_server_stop(struct http_server *server)
{
    assert(server && server->stop_fd >= 0 && server->end_fd >= 0);
    const uint64_t one = 1;
    const unsigned before = atomic_fetch_add(&server->stops, 1);
    ssize_t written = write(before == 0 ? server->stop_fd : server->end_fd, &one, sizeof one);
    (void)written; /* it can only fail when the counter is set already */
}

bool http_server_draining(const struct http_server *server)
{
    assert(server);
    return atomic_load(&server->stops) > 0;
}

void http_server_destroy(struct http_server **server)
{
    assert(server);
    struct http_server *gone = *server;
    if (!gone) {
        return;
    }
    for (unsigned i = 0; i < gone->options.threads && gone->loops; i++) {
        http_loop_destroy(&gone->loops[i]);
    }
    for (unsigned i = 0; i < gone->options.threads && gone->bound; i++) {
        listener_close(&gone->listeners[i]);
    }
    remove_unix_socket(gone);
    if (gone->stop_fd >= 0) {
        close(gone->stop_fd);
    }
    if (gone->end_fd >= 0) {
        close(gone->end_fd);
    }
    http_router_destroy(&gone->router);
    while (gone->tells) {
        struct tell *tell = gone->tells; /* never heard: the loops are gone */
        gone->tells = tell->next;
        finish_tell(tell);
    }
    policy_destroy(&gone->policy);
    addresses_destroy(&gone->addresses);
    http_metrics_destroy(&gone->metrics);
    pthread_mutex_destroy(&gone->lock);
    pthread_cond_destroy(&gone->changed);
    free(gone->loops);
    free(gone->listeners);
    free(gone);
    *server = NULL;
}
