// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_CONNECTION_H
#define TASKHOLD_HTTP_CONNECTION_H

#include <netinet/in.h>

#include "http/ledger.h"
#include "http/request.h"
#include "http/timers.h"

/* One client's connection: its socket, its bytes, and what it waits for.
 *
 *            +------------------------------------------+
 *            v                                          |
 *   --> READING --> HANDLING --+--> SENDING ------------+
 *                    ^ |  |    |       |                |
 *                    | |  |    +-------|----------------+   (a response that fits the output)
 *                    | |  +------------+--> CLOSING --> LINGERING --> (released)
 *                    | |  |                   ^
 *                    | |  +--> STREAMING -----+
 *                    | v  |
 *             RECEIVING   +--> DEAD --> (released, when the handler answers)
 *
 * READING: bytes of the next request are awaited or parsed, up to the end of its head, or of its
 * body if that came with it. HANDLING: the request is with the dispatcher or a handler; nothing
 * more is read. RECEIVING: the head was judged, and the rest of the body is awaited. SENDING: a
 * large body or one that is read as it is sent is on its way. STREAMING: the request is over, and
 * its answer goes on (http/stream.h). CLOSING: what is left of the last response is written.
 * LINGERING: our direction is shut down, and the client's bytes are dropped so that no reset
 * destroys the answer: until it closes, is silent for a while, or has had time enough. DEAD: the
 * socket is closed, but the handler does not know yet. Any state but HANDLING may be released. */
enum connection_state {
    CONNECTION_READING,
    CONNECTION_HANDLING,
    CONNECTION_RECEIVING,
    CONNECTION_SENDING,
    CONNECTION_STREAMING,
    CONNECTION_CLOSING,
    CONNECTION_LINGERING,
    CONNECTION_DEAD,
    CONNECTION_STATE_COUNT,
};

#define CONNECTION_MAGIC 0xc0e5b21du

/* So long may what was sent stay without a byte taken or acknowledged: then the kernel ends the
 * connection and forgets the bytes, also where we have closed our end of it already. */
#define CONNECTION_SILENT_MS 30000

/* An idle one holds neither buffers nor a request. */
struct http_connection {
    unsigned magic; /* CONNECTION_MAGIC */
    struct timer timer;
    struct http_loop *loop;
    struct request_state *request; /* being read, handled or answered */
    struct http_stream *stream;    /* in STREAMING */
    struct http_connection *next;
    struct http_connection *previous;
    struct http_connection *older; /* on a list of the loop's ready */
    struct http_connection *newer;
    struct http_connection *next_idle;
    struct http_connection **previous_idle; /* NULL: it is not on the loop's list of the idle */
    struct buffer in;
    struct buffer out;
    size_t in_at;       /* where the current request starts */
    size_t out_at;      /* what was written */
    struct slice tail;  /* of a large body, to be written after `out` */
    int64_t touched_ms; /* last progress of writing, or the start of an idle or lingering time */
    int64_t linger_until_ms;
    int64_t ready_us;        /* when it was put on such a list */
    size_t skip;             /* bytes of an unread body, to be dropped before the next request */
    size_t held;             /* bytes that the account is charged with */
    struct account *account; /* of who asked last; NULL: nobody yet */
    uint32_t turn;           /* of the loop, that `taken` counts in */
    uint16_t taken;          /* requests */
    int fd;
    uint8_t state;
    uint8_t queued; /* enum ready_class */
    bool readable;  /* the kernel may have bytes: its report is an edge, so we remember it */
    bool hangup;    /* the client has ended its direction */
    bool running;
    bool gone; /* to be released at the end of the run */
    bool late; /* waited too long in an overload: what it asks is refused */
    bool trusted;
    bool counted; /* among its address's connections */
    bool asked;   /* has sent a request */
    bool guest;   /* above the bound of connections: only for what is always answered */
    uint8_t client_len;
    struct in6_addr address; /* IPv4 in its mapped form */
    char client[INET6_ADDRSTRLEN];
};

/* Takes over an accepted, non-blocking socket; `address`: IPv4 in its mapped form. On failure
 * (memory, epoll) it is closed: NULL. */
struct http_connection *http_connection_open(struct http_loop *loop, int fd,
                                             const struct in6_addr *address);

/* Whether its peer is a trusted proxy by the loop's policy. */
void http_connection_judge(struct http_connection *c);

/* What epoll reported: has it run. */
void http_connection_event(struct http_connection *c, uint32_t events);

/* Goes on wherever it stands. The connection may be released on return, as by the next two. */
void http_connection_run(struct http_connection *c);

/* Its deadline has passed. */
void http_connection_expire(struct http_connection *c);

/* Ends one that is on the loop's list of the idle, to make room for another one. */
void http_connection_yield(struct http_connection *c);

/* Ends it now; a handler that still works for it is not waited for. For the end of the loop. */
void http_connection_abandon(struct http_connection *c);

/* The peer's address as text. */
struct slice http_connection_client(const struct http_connection *c);

/* ---- For the way in and the way out of its requests ---- */

/* Goes over to another state, along an arrow of the drawing. */
void http_connection_move(struct http_connection *c, enum connection_state state);

/* Has it run in this turn, unless it runs already. */
void http_connection_wake(struct http_connection *c);

/* What it holds and costs is from now on `payer`'s (http/ledger.h). */
void http_connection_bill(struct http_connection *c, uint64_t payer);

/* Whether there is room for `bytes` besides what it holds now. */
enum ledger_room http_connection_room(struct http_connection *c, size_t bytes);

#endif
