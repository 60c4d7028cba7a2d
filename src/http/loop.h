// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_LOOP_H
#define TASKHOLD_HTTP_LOOP_H

#include <netinet/in.h>
#include <sys/epoll.h>

#include "base/thread.h"
#include "http/ledger.h"
#include "http/ready.h"
#include "http/request.h"
#include "http/server_state.h"
#include "http/timers.h"

/* An event loop: its own epoll, listener, connections, timers and pools, on its own thread. All
 * calls below belong to that thread. */

#define LOOP_SPARE_BUFFERS  64 /* kept for the next turn, of LOOP_BUFFER_LEN bytes each */
#define LOOP_SPARE_REQUESTS 64
#define LOOP_BUFFER_LEN     ((size_t)16 * 1024)
#define LOOP_EVENTS_MOST    256 /* of one call */
#define LOOP_STAMP_MOST     160

#define LOOP_MAGIC 0x83f20e6bu

struct http_connection;

struct http_loop {
    unsigned magic; /* LOOP_MAGIC */
    unsigned number;
    struct http_server *server;
    struct policy *policy; /* in force for this loop; the server owns it */
    int epoll;
    struct listener listener;
    int spare_fd; /* given up for a moment when the process has no descriptor left */
    bool listening;
    bool stopping; /* told to end: each answer ends its connection, but until `close_at_ms` it
                      accepts */
    bool draining;
    bool ended;
    int64_t close_at_ms;
    int64_t drain_until_ms;
    int64_t resume_ms; /* when a listener that was paused is looked at again; 0: it is not paused */
    int64_t beat_at_ms;  /* when it says again that it turns (http_server_options.beat) */
    unsigned beat_round; /* the last one in which it did */
    struct inbox *inbox;
    void *context;

    struct epoll_event events[LOOP_EVENTS_MOST];
    int64_t now_us; /* of clock_mono_us, read once a turn */
    int64_t now_ms;
    struct timers timers;
    struct overload overload;
    struct ledger ledger;
    uint32_t turn;
    int64_t run_us;     /* charged_us when the connection that runs began to */
    int64_t charged_us; /* up to when the time of this turn was charged to somebody */
    int64_t turn_us;    /* how long the last turn took */
    int64_t trim_at_ms; /* when memory is given back to the system; 0: there is little to give */
    bool swollen;       /* much memory was held since the last time */

    char stamp[LOOP_STAMP_MOST]; /* the field lines that are the same for a second */
    size_t stamp_len;
    int64_t stamp_until_ms;

    struct http_connection *connections; /* all of them */
    size_t connection_count;
    size_t in_flight;             /* requests that are with the dispatcher or a handler */
    size_t streams;               /* requests whose answer is read as it is sent */
    size_t open_streams;          /* connections that are one (http/stream.h) */
    size_t lingering;             /* connections that only wait for their end */
    size_t guests;                /* connections above the bound, for what is always answered */
    struct http_connection *idle; /* that wait for nothing, the longest first */
    struct http_connection **idle_tail;
    struct ready ready;

    struct http_connection *spare_connections;
    size_t spare_connection_count;
    struct request_state *spare_requests;
    size_t spare_request_count;
    struct buffer spare_buffers[LOOP_SPARE_BUFFERS];
    size_t spare_buffer_count;
};

/* NULL without memory or descriptors; else the loop has taken `listener`, which is empty then. */
struct http_loop *http_loop_create(struct http_server *server, unsigned number,
                                   struct listener *listener);
void http_loop_destroy(struct http_loop **loop);

/* Watches a descriptor of the owner's (http_hooks.descriptor), which must outlive the loop's run;
 * false when the kernel refuses. */
bool http_loop_watch(struct http_loop *loop, int descriptor);

/* Another `struct policy` from now on, for the connections that there are as well. */
void http_loop_take_policy(struct http_loop *loop, void *policy);

/* Runs until the drain is over. */
void http_loop_run(struct http_loop *loop);

/* Has `c` run at the end of this turn; one that runs now, and a stream, as soon as there is time
 * for it (READY_AGAIN). */
void http_loop_queue(struct http_loop *loop, struct http_connection *c);

/* A zeroed connection that stands on the loop's list; NULL without memory. Forgetting takes it off
 * every list. */
struct http_connection *http_loop_take_connection(struct http_loop *loop);
void http_loop_forget(struct http_loop *loop, struct http_connection *c);

/* A state from the pool or a fresh one; NULL without memory. */
struct request_state *http_loop_take_request(struct http_loop *loop);
void http_loop_give_request(struct http_loop *loop, struct request_state *state);

/* Memory from the pool for a buffer that has none; false without memory. Giving leaves an empty
 * buffer. */
bool http_loop_take_buffer(struct http_loop *loop, struct buffer *buffer);
void http_loop_give_buffer(struct http_loop *loop, struct buffer *buffer);

/* Puts the connection at the end of the idle ones, or takes it off if it is one. */
void http_loop_idle(struct http_loop *loop, struct http_connection *c);
void http_loop_busy(struct http_loop *loop, struct http_connection *c);

/* Has the connection that was idle for longest give way to a new one. `address`: only one of that
 * client, if it is among those that were idle for longest; NULL: any. False when there is none. */
bool http_loop_make_way(struct http_loop *loop, const struct in6_addr *address);

/* The loop's time since somebody was last charged was for `account`, NULL or not. */
void http_loop_spend(struct http_loop *loop, struct account *account);

/* Whether new work of `c` has to be refused now; `expensive`: of one who costs more than others. */
bool http_loop_overloaded(const struct http_loop *loop, const struct http_connection *c,
                          bool expensive);

/* `Date`, `X-Content-Type-Options` and the name of `X-Request-Id`. */
struct slice http_loop_stamp(struct http_loop *loop);

#endif
