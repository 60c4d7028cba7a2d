// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_MESSAGE_H
#define TASKHOLD_HTTP_MESSAGE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/uuid.h"

/* A request and its response, as everything above this room sees them. */

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_METHOD_COUNT,
};

/* `GET` and so on. */
struct slice http_method_name(enum http_method method);

/* Header fields that are looked up by number; every other field is only stepped over. */
enum http_field {
    HTTP_FIELD_HOST,
    HTTP_FIELD_AUTHORIZATION,
    HTTP_FIELD_ACCEPT,
    HTTP_FIELD_ACCEPT_ENCODING,
    HTTP_FIELD_CONTENT_TYPE,
    HTTP_FIELD_CONTENT_ENCODING,
    HTTP_FIELD_IF_MATCH,
    HTTP_FIELD_IF_NONE_MATCH,
    HTTP_FIELD_IDEMPOTENCY_KEY,
    HTTP_FIELD_X_REQUEST_ID,
    HTTP_FIELD_X_FORWARDED_FOR,
    HTTP_FIELD_USER_AGENT,
    HTTP_FIELD_ORIGIN,
    HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD,
    HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS,
    HTTP_FIELD_TRACEPARENT,
    HTTP_FIELD_LAST_EVENT_ID,
    HTTP_FIELD_COUNT,
};

/* A field's value without surrounding white space. `ptr` NULL: the field is absent. `count` above
 * 1: it came more than once, and `value` is the first (for Accept, Accept-Encoding, If-Match,
 * If-None-Match and X-Forwarded-For: all of them joined by ", "). */
struct http_field_value {
    struct slice value;
    unsigned count;
};

#define HTTP_PATH_PARAMETERS 2

/* All slices live until the exchange is finished. */
struct http_request {
    enum http_method method;
    struct slice target; /* as sent: path and query */
    struct slice path;   /* percent-decoded once; see HTTP_PATH_SLASH (http/router.h) */
    struct slice query;  /* raw, without `?`; ptr NULL when there is none */
    struct slice parameters[HTTP_PATH_PARAMETERS]; /* what stands for {…}, in order */
    struct uuid path_id;                           /* what stands for the last {id} */
    struct http_field_value fields[HTTP_FIELD_COUNT];
    struct slice body;
    bool http10;
    struct slice client; /* address of the client as text, proxies resolved; never empty */
    struct slice id;     /* X-Request-Id, the client's or made */
};

struct http_exchange;
struct http_stream;

/* Gives the next piece of a streamed body: appends at least one byte to `out` and returns
 * HTTP_STREAM_MORE, or returns HTTP_STREAM_END, or HTTP_STREAM_WAIT when nothing is there yet (then
 * http_stream_ready wakes it). Called on the exchange's loop whenever the client has taken what
 * came before, so a slow client slows the source down. HTTP_STREAM_FAIL breaks the connection off.
 */
enum http_stream_step { HTTP_STREAM_MORE, HTTP_STREAM_END, HTTP_STREAM_WAIT, HTTP_STREAM_FAIL };
typedef enum http_stream_step http_stream_fn(void *source, struct buffer *out);

struct http_response {
    int status;
    struct buffer *head; /* field lines, each ended by CRLF; see http_respond_field */
    struct buffer *body; /* the whole body, when neither of the two below is set */
    struct slice fixed;  /* a body in memory that outlives the server's last answer */
    http_stream_fn *stream;
    void *stream_source;
    void (*stream_close)(
        void *source);        /* called once at the end, whatever the end is; may be NULL */
    struct http_stream *open; /* instead of a body: http/stream.h */
    bool close;               /* end the connection after this response */
};

struct http_loop;
struct http_route;

/* One request on its way. Lives on one loop, from parsing to the last byte of the response. */
struct http_exchange {
    struct http_request request;
    struct http_response response;
    struct arena *arena;
    struct http_loop *loop;
    const struct http_route *route; /* NULL until one is found */
    enum error error;               /* what the answer told, for the log; ERROR_NONE when good */
    void *caller;                   /* what the authorize hook left for the handler */
    uint64_t payer;     /* set by that hook too: a number of the caller, who is charged for what the
                         * request takes; 0: the client's address is */
    size_t held;        /* bytes that a handler or a stream holds outside arena and response */
    int64_t started_us; /* clock_mono_us when its first byte was there */
    int64_t took_us;    /* from then to the last byte of the answer; set at the end */
    bool abandoned;     /* the client was gone before it had the whole answer */
};

/* Appends `Name: value` to the head. A value with a control character breaks the answer off as
 * 500: nothing of a client's may split a head. */
void http_respond_field(struct http_exchange *x, const char *name, struct slice value);
void http_respond_field_format(struct http_exchange *x, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes such a line out of the head again; nothing happens when there is none. */
void http_respond_field_drop(struct http_exchange *x, const char *name);

/* Sends the response: everything in `x->response` is set. Must be called exactly once for each
 * exchange, on its loop, from the handler or later. The exchange is gone afterwards. */
void http_respond(struct http_exchange *x);

/* Shorthands that set and send. `content_type` must outlive the exchange. */
void http_respond_status(struct http_exchange *x, int status); /* no body: 204, 304 */
void http_respond_body(struct http_exchange *x, int status, const char *content_type);

/* Wakes a stream that returned HTTP_STREAM_WAIT. Same loop only. */
void http_stream_ready(struct http_exchange *x);

/* What stands before every path that an answer names: the path of PUBLIC_URL; empty when it has
 * none. Lives as long as the server. */
struct slice http_path_prefix(const struct http_exchange *x);

/* `path`, a path of a route, as a client has to ask for it: with the prefix in front. Lives in the
 * arena, or is `path` itself, without a prefix and without memory. */
struct slice http_reference(const struct http_exchange *x, struct slice path);

/* What the server's owner keeps for each loop (see http_hooks.loop_start). */
void *http_loop_context(const struct http_loop *loop);

/* The inbox through which other threads answer this loop. */
struct inbox;
struct inbox *http_loop_inbox(const struct http_loop *loop);

#endif
