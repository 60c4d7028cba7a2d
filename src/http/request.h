// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_REQUEST_H
#define TASKHOLD_HTTP_REQUEST_H

#include "base/owner.h"
#include "base/uuid.h"
#include "http/chunked.h"
#include "http/server.h"

/* The way in: from a connection's input to the dispatcher. */

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

/* What this room keeps of a request beside what everybody sees. Taken from the loop's pool with the
 * first byte of the request, given back after the last byte of the response. */
struct request_state {
    unsigned magic; /* REQUEST_STATE_MAGIC */
    struct http_exchange x;
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

#define REQUEST_STATE_MAGIC 0x6a1d43f7u

/* The state of an exchange. */
#define REQUEST_STATE_OF(exchange) OWNER_OF(exchange, struct request_state, x, REQUEST_STATE_MAGIC)

/* Makes a state with its arena; NULL without memory. */
struct request_state *request_create(size_t body_most);
void request_destroy(struct request_state **state);

/* Takes everything of the request back and frees what has grown too large to be kept. */
void request_end(struct request_state *state);

/* Bytes of memory that it takes, what the owner holds for it included. */
size_t request_held(const struct request_state *state);

/* The number of an account (http/ledger.h) for a client that is known by its address only. */
uint64_t request_payer_of(struct slice client);

/* Reads on in the connection's input. True when a request was handed over to the dispatcher: whole,
 * or as soon as its head tells whether its body is worth waiting for; or when it was refused
 * because it is no proper request. False: more bytes are needed, or the connection is gone. */
bool request_read(struct http_connection *c);

/* How many bytes are worth having room for, at least 1. */
size_t request_wants(const struct http_connection *c);

/* Waits for the rest of the body, when the head was judged, and then calls http_continue. A client
 * that expects 100 is told to go on. */
enum http_verdict request_await_body(struct request_state *state);

/* Answers what is no proper request, or comes too late, and ends the connection after it. */
void request_refuse(struct http_connection *c, enum error error);

#endif
