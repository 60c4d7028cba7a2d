// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_REQUEST_STATE_H
#define TASKHOLD_HTTP_REQUEST_STATE_H

#include "base/uuid.h"
#include "http/chunked.h"
#include "http/server.h"

/* What this room keeps of an exchange beside what everybody sees. Taken from the loop's pool with
 * the first byte of a request, given back after the last byte of the response. */

#define REQUEST_ARENA_MOST ((size_t)1024 * 1024) /* and the largest body */
#define REQUEST_HEAD_MOST  ((size_t)64 * 1024)
#define REQUEST_BODY_MOST  ((size_t)64 * 1024 * 1024)
#define REQUEST_ID_LEN     64

/* In this order. All but the last need no more than the head. */
enum request_stage {
    STAGE_AUTHORIZE,
    STAGE_ADMIT, /* is there room, and time, for who asks? */
    STAGE_QUOTA,
    STAGE_NEGOTIATE,
    STAGE_BODY, /* waits for it */
    STAGE_HANDLE,
};

struct http_connection;

struct request_state {
    struct http_exchange x; /* first: the two convert into each other */
    struct http_connection *connection;
    struct request_state *next; /* in the pool */

    /* The request on its way in. */
    struct http_head head;
    struct http_chunked chunked;
    const char *base; /* where the head stood when the request's slices were made */
    size_t body_len;  /* decoded bytes of the body that stand after the head */
    size_t wire_len;  /* bytes of the connection's input that are the request's */
    uint64_t body_most;
    unsigned allow;  /* the methods of the path, for Allow */
    size_t reserved; /* bytes that it is charged with at least */
    const char *why; /* the request cannot be read: what is wrong; NULL: the error's text */
    bool reading_body;
    bool whole;        /* the body is there */
    bool asterisk;     /* OPTIONS * */
    bool malformed_id; /* see http_match */
    bool nowhere;      /* see http_target */

    enum request_stage stage;

    /* The response on its way out. */
    struct buffer head_bytes;
    struct buffer body_bytes;
    size_t sent;   /* bytes of the response given to the connection */
    bool broken;   /* a field's value would have split the head */
    bool replaced; /* the response stands for one that failed */
    bool keep_alive;
    bool streams; /* counts as one of the loop's streams */
    bool stream_waits;
    bool stream_woken;
    char id[UUID_TEXT_LEN];
};

static inline struct request_state *request_state_of(struct http_exchange *x)
{
    return (struct request_state *)x;
}

/* Makes an exchange with its arena; NULL without memory. */
struct request_state *request_state_create(size_t body_most);
void request_state_destroy(struct request_state **state);

/* Bytes of memory that it takes, what the owner holds for it included. */
size_t request_state_held(const struct request_state *state);

/* The number of an account (http/ledger.h) for a client that is known by its address only. */
uint64_t request_state_payer_of(struct slice client);

/* Readies a fresh or used exchange for a new request. */
void request_state_begin(struct request_state *state, struct http_connection *connection,
                         struct http_loop *loop, int64_t now_us);

/* Takes everything of the request back and frees what has grown too large to be kept. */
void request_state_end(struct request_state *state);

/* Fills in x->request from the parsed head that stands at `base`, and finds the route. */
enum error request_state_resolve(struct request_state *state, const char *base)
    __attribute__((warn_unused_result));

/* The same once more if the head was resolved and has moved since: to be called before anybody
 * reads x->request. On an error nothing in it points to where the head was. */
enum error request_state_follow(struct request_state *state, const char *base)
    __attribute__((warn_unused_result));

/* Looks for Origin in the lines of a head that was refused before it was resolved, so that the page
 * of an allowed origin can read why. `input`: what is there of the request. It has to stay until
 * the answer is written. */
void request_state_glean_origin(struct request_state *state, struct slice input);

/* Takes the client's X-Request-Id if it is one of ours by form, else makes one. */
void request_state_identify(struct request_state *state);

#endif
