// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_SERVER_H
#define TASKHOLD_HTTP_SERVER_H

#include "http/route.h"

/* What the dispatcher asks its owner. A hook that answers the exchange itself (http_respond…)
 * returns HTTP_ANSWERED; one that will know later returns HTTP_LATER and then calls http_continue
 * (or answers) on the loop. */
enum http_verdict { HTTP_GO, HTTP_ANSWERED, HTTP_LATER };

struct http_hooks {
    void *owner;

    /* Makes and ends what the owner keeps for each loop; called on the loop's own thread. NULL
     * ends the start. */
    void *(*loop_start)(void *owner, struct http_loop *loop);
    void (*loop_stop)(void *context);

    /* Called when a loop has handled all events of one turn, before it waits again. May be NULL. */
    void (*turn_end)(void *context);

    /* A descriptor that the loop shall watch besides its own (-1: none), and what is called on each
     * turn in which it is readable. Both may be NULL. */
    int (*descriptor)(void *context);
    void (*ready)(void *context);

    /* Is the caller allowed on a route that is not public? Leaves x->caller. */
    enum http_verdict (*authorize)(struct http_exchange *x);

    /* Takes one from the route's quota (routes with quota != 0 only), and sets the RateLimit
     * fields. */
    enum http_verdict (*quota)(struct http_exchange *x);

    /* Called once after every answered request, framing errors included (then route is NULL).
     * `bytes`: of the response. May be NULL. */
    void (*answered)(struct http_exchange *x, size_t bytes);
};

/* Goes on with the dispatch of an exchange whose hook returned HTTP_LATER. */
void http_continue(struct http_exchange *x);

struct http_server_options {
    const char *host;
    uint16_t port; /* 0: a free one */
    /* A listening socket that the process was started with (sd_listen_fds(3)) stands in place of
     * host and port. */
    bool inherit;
    /* Instead of host and port: the path of a socket of this machine (http/unix_socket.h), which is
     * removed at the end of the run. NULL: none. Goes with one thread. */
    const char *unix_socket;
    unsigned threads;
    size_t body_most;                    /* bytes, for routes that name none */
    const char *cors_origins;            /* comma separated, or NULL */
    const char *trusted_proxies;         /* CIDRs, comma separated, or NULL */
    const char *client_address_header;   /* see proxies_create; NULL: X-Forwarded-For */
    struct slice path_prefix;            /* `/todo`: routes stand under it too; empty: none */
    unsigned drain_delay_seconds;        /* how long it still accepts when it was told to stop */
    unsigned drain_seconds;              /* and then at most works on */
    size_t connections_most;             /* 0: from RLIMIT_NOFILE */
    size_t connections_most_per_address; /* 0: half of all; a trusted proxy has no bound */
    size_t bytes_most; /* of input, bodies and answers at once, over all loops; 0: 48 MiB */
    const struct http_route *routes;
    size_t route_count;
    bool counted; /* its traffic shows in base/metrics.h */
    struct http_hooks hooks;
    /* Called about every `beat_ms` milliseconds, on one of the loops, as long as all of them turn;
     * it may not block. NULL, or 0: never. */
    void (*beat)(void);
    unsigned beat_ms;
    /* Time limits in milliseconds; 0 takes the default. Tests shorten them. */
    unsigned header_ms;  /* 5,000: from a request's first byte to the end of its head */
    unsigned request_ms; /* 15,000: to the end of its body */
    unsigned idle_ms;    /* 30,000: between requests */
    unsigned write_ms;   /* 10,000: no byte of a response taken */
};

struct http_server;

/* Checks the options, binds the listeners. On failure prints nothing: `*why` is a line to show. The
 * options' texts and tables must outlive the server. */
struct http_server *http_server_create(const struct http_server_options *options, const char **why);

/* The port that is listened on. */
uint16_t http_server_port(const struct http_server *server);

/* Runs the loops on threads of their own and returns when all have drained and ended: 0, or 1 when
 * a loop could not start. `ready` (may be NULL) is called once when every loop accepts. */
int http_server_run(struct http_server *server, void (*ready)(void *owner), void *owner);

/* Why http_server_run returned 1, as a line that says what to do. */
const char *http_server_why(const struct http_server *server);

/* Has `run` called on each loop's thread with `argument`, and when all have done it, `done` with
 * `old`, on one of them. In the order of the calls. False without memory: nothing is called. To be
 * called while the server runs, or is about to; what a loop that ends no longer hears is made up
 * for by `done` in http_server_destroy. */
bool http_server_tell(struct http_server *server,
                      void (*run)(struct http_loop *loop, void *argument), void *argument,
                      void (*done)(void *old), void *old) __attribute__((warn_unused_result));

/* Takes other values of these three options, for connections that are open too. The texts are
 * copied. False: `*why` says what is wrong, and the old ones stay. By one thread at a time. */
bool http_server_reload(struct http_server *server, const char *cors_origins,
                        const char *trusted_proxies, const char *client_address_header,
                        const char **why) __attribute__((warn_unused_result));

/* Begins the drain: answers what comes with Connection: close, stops accepting after
 * drain_delay_seconds, ends drain_seconds later at the latest. Async-signal-safe; a second call
 * ends at once. */
void http_server_stop(struct http_server *server);

/* Whether a drain has begun. Any thread. */
bool http_server_draining(const struct http_server *server);

void http_server_destroy(struct http_server **server);

#endif
