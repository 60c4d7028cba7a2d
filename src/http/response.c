// SPDX-License-Identifier: MIT
#include "http/response.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "http/connection.h"
#include "http/dispatch.h"
#include "http/http_metrics.h"
#include "http/loop.h"
#include "http/problem.h"
#include "http/stream.h"

#define COPY_MOST ((size_t)16 * 1024) /* larger bodies are written from where they are */
#define PULL_MOST ((size_t)64 * 1024)
#define SKIP_MOST LOOP_BUFFER_LEN /* of an unread body, read on rather than closed upon */

/* ---- Fields ---- */

void http_respond_field(struct http_exchange *x, const char *name, struct slice value)
{
    struct buffer *head = x->response.head;
    size_t name_len = strlen(name);
    assert(name_len > 0);
    if (http_find_control(value, 0) < value.len ||
        (value.len > 0 && memchr(value.ptr, '\t', value.len))) {
        REQUEST_STATE_OF(x)->broken = true;
        return;
    }
    char *at = buffer_reserve(head, name_len + value.len + 4);
    if (!at) {
        return;
    }
    memcpy(at, name, name_len);
    memcpy(at + name_len, ": ", 2);
    if (value.len > 0) {
        memcpy(at + name_len + 2, value.ptr, value.len);
    }
    memcpy(at + name_len + 2 + value.len, "\r\n", 2);
    head->len += name_len + value.len + 4;
}

void http_respond_field_drop(struct http_exchange *x, const char *name)
{
    struct buffer *head = x->response.head;
    struct slice rest = buffer_slice(head);
    while (rest.len > 0) {
        const char *begin = rest.ptr;
        struct slice line = slice_next(&rest, '\n');
        if (!slice_eq(slice_next(&line, ':'), slice_of(name))) {
            continue;
        }
        if (rest.len > 0) {
            memmove(head->data + (begin - head->data), rest.ptr, rest.len);
        }
        head->len = (size_t)(begin - head->data) + rest.len;
        return;
    }
}

void http_respond_field_format(struct http_exchange *x, const char *name, const char *format, ...)
{
    assert(x && name && format);
    char value[1024];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof value) {
        REQUEST_STATE_OF(x)->broken = true;
        return;
    }
    http_respond_field(x, name, (struct slice){value, (size_t)len});
}

/* The fields of the request that what is answered depends on (RFC 9110 section 12.5.5). With
 * CORS_ORIGINS that is Origin, for every request: a cache must not give the answer for one origin
 * to another one, nor to none. */
static void add_vary(struct http_exchange *x)
{
    static const struct slice fields[] = {
        {NULL, 0},
        {"Origin", 6},
        {"Accept", 6},
        {"Accept, Origin", 14},
        {"Authorization", 13},
        {"Authorization, Origin", 21},
        {"Accept, Authorization", 21},
        {"Accept, Authorization, Origin", 29},
    };
    const struct http_route *route = x->route;
    const unsigned at = (x->loop->policy->origins.ptr ? 1U : 0) |
                        (route && dispatch_negotiates(route) ? 2U : 0) |
                        (route && route->access == HTTP_ACCESS_TOKEN ? 4U : 0);
    if ((at & 1U) && policy_is_preflight(x->loop->policy, &x->request)) {
        http_respond_field(x, "Vary",
                           SLICE("Origin, Access-Control-Request-Method, "
                                 "Access-Control-Request-Headers"));
    } else if (at > 0) {
        http_respond_field(x, "Vary", fields[at]);
    }
}

struct slice http_path_prefix(const struct http_exchange *x)
{
    assert(x && x->loop);
    return x->loop->server->options.path_prefix;
}

struct slice http_reference(const struct http_exchange *x, struct slice path)
{
    const struct slice prefix = http_path_prefix(x);
    assert(path.len > 0 && path.ptr[0] == '/');
    char *text = prefix.len > 0 ? arena_alloc(x->arena, prefix.len + path.len) : NULL;
    if (!text) {
        return path;
    }
    memcpy(text, prefix.ptr, prefix.len);
    memcpy(text + prefix.len, path.ptr, path.len);
    return (struct slice){text, prefix.len + path.len};
}

/* ---- Bytes ---- */

#define STATUS_LIST(STATUS)                                                                        \
    STATUS(200, "OK")                                                                              \
    STATUS(201, "Created")                                                                         \
    STATUS(202, "Accepted")                                                                        \
    STATUS(204, "No Content")                                                                      \
    STATUS(301, "Moved Permanently")                                                               \
    STATUS(302, "Found")                                                                           \
    STATUS(303, "See Other")                                                                       \
    STATUS(304, "Not Modified")                                                                    \
    STATUS(307, "Temporary Redirect")                                                              \
    STATUS(308, "Permanent Redirect")                                                              \
    STATUS(400, "Bad Request")                                                                     \
    STATUS(401, "Unauthorized")                                                                    \
    STATUS(403, "Forbidden")                                                                       \
    STATUS(404, "Not Found")                                                                       \
    STATUS(405, "Method Not Allowed")                                                              \
    STATUS(406, "Not Acceptable")                                                                  \
    STATUS(408, "Request Timeout")                                                                 \
    STATUS(409, "Conflict")                                                                        \
    STATUS(410, "Gone")                                                                            \
    STATUS(412, "Precondition Failed")                                                             \
    STATUS(413, "Content Too Large")                                                               \
    STATUS(414, "URI Too Long")                                                                    \
    STATUS(415, "Unsupported Media Type")                                                          \
    STATUS(417, "Expectation Failed")                                                              \
    STATUS(422, "Unprocessable Content")                                                           \
    STATUS(428, "Precondition Required")                                                           \
    STATUS(429, "Too Many Requests")                                                               \
    STATUS(431, "Request Header Fields Too Large")                                                 \
    STATUS(500, "Internal Server Error")                                                           \
    STATUS(501, "Not Implemented")                                                                 \
    STATUS(503, "Service Unavailable")                                                             \
    STATUS(505, "HTTP Version Not Supported")                                                      \
    STATUS(507, "Insufficient Storage")

/* ptr NULL: a status without a row. */
static struct slice status_line(int status)
{
#define STATUS_CASE(code, reason)                                                                  \
    case code: return SLICE("HTTP/1.1 " #code " " reason "\r\n");
    switch (status) {
        STATUS_LIST(STATUS_CASE)
    default: return (struct slice){NULL, 0};
    }
#undef STATUS_CASE
}

static char *put(char *at, struct slice s)
{
    memcpy(at, s.ptr, s.len);
    return at + s.len;
}

static bool status_has_body(int status)
{
    return status != 204 && status != 304;
}

/* Whether the response carries a body at all. */
static bool has_body(const struct request_state *state)
{
    return state->x.request.method != HTTP_HEAD && status_has_body(state->x.response.status);
}

static struct slice body_of(const struct http_response *response)
{
    return response->fixed.ptr ? response->fixed : buffer_slice(response->body);
}

static bool write_head(const struct request_state *state, struct buffer *out)
{
    const struct http_exchange *x = &state->x;
    const struct http_response *response = &x->response;
    const bool http10 = x->request.http10;
    struct slice line = status_line(response->status);
    struct slice fields = buffer_slice(response->head);
    struct slice stamp = http_loop_stamp(x->loop);
    const size_t framing = 128; /* what stands after the fields at most, and line ends */
    if (!line.ptr) {
        line = status_line(500);
    }
    size_t most = line.len + stamp.len + x->request.id.len + fields.len + framing;
    char *begin = buffer_reserve(out, most);
    if (!begin) {
        return false;
    }
    char *at = put(begin, line);
    at = put(at, stamp);
    at = put(at, x->request.id);
    at = put(at, SLICE("\r\n"));
    if (fields.len > 0) {
        at = put(at, fields);
    }
    /* How the message ends for the client (RFC 9112 section 6). */
    if (status_has_body(response->status) && !response->stream && !response->open) {
        char digits[SLICE_DECIMAL_MOST];
        at = put(at, SLICE("Content-Length: "));
        at = put(at, slice_decimal_u64(body_of(response).len, digits));
        at = put(at, SLICE("\r\n"));
    } else if (status_has_body(response->status) && !http10) {
        at = put(at, SLICE("Transfer-Encoding: chunked\r\n"));
    }
    if (!state->keep_alive) {
        at = put(at, SLICE("Connection: close\r\n"));
    } else if (http10) {
        at = put(at, SLICE("Connection: keep-alive\r\n"));
    }
    at = put(at, SLICE("\r\n"));
    out->len += (size_t)(at - begin);
    return true;
}

/* ---- Streams ---- */

bool response_pull(struct request_state *state)
{
    struct http_connection *c = state->connection;
    struct http_response *response = &state->x.response;
    struct buffer *out = &c->out;
    enum http_stream_step step = HTTP_STREAM_MORE;
    assert(response->stream && !state->stream_waits);
    if (!http_loop_take_buffer(c->loop, out)) {
        c->gone = true;
        return false;
    }
    const size_t begin = out->len;
    state->stream_woken = false;
    while (step == HTTP_STREAM_MORE && out->len - begin < PULL_MOST) {
        const size_t before = out->len;
        step = http_stream_frame(response->stream, response->stream_source, state->x.request.http10,
                                 out);
        if (step == HTTP_STREAM_MORE && out->len == before) {
            step = HTTP_STREAM_FAIL; /* the source broke its contract: it would spin */
        }
    }
    state->sent += out->len - begin;
    http_loop_spend(c->loop, c->account);
    if (step == HTTP_STREAM_WAIT) {
        state->stream_waits = !state->stream_woken;
    } else if (step == HTTP_STREAM_END) {
        response->stream = NULL;
    }
    c->gone = c->gone || out->failed || step == HTTP_STREAM_FAIL;
    return !c->gone;
}

void http_stream_ready(struct http_exchange *x)
{
    struct request_state *state = REQUEST_STATE_OF(x);
    assert(x->response.stream);
    state->stream_woken = true;
    if (state->stream_waits) {
        state->stream_waits = false;
        http_loop_queue(x->loop, state->connection);
    }
}

/* ---- The answer ---- */

/* Whether the connection can go on although the body of what was answered is not there: a short one
 * is read and dropped. A client that waits for 100 may send no body at all, or may. */
static bool skip_body(struct http_connection *c, const struct request_state *state)
{
    if (state->whole) {
        return true;
    }
    const uint64_t left = state->head.content_length - state->body_len;
    if (!state->reading_body || state->head.framing != HTTP_BODY_LENGTH ||
        state->head.expect_continue || left > SKIP_MOST) {
        return false;
    }
    c->skip = (size_t)left;
    c->touched_ms = c->loop->now_ms;
    return true;
}

/* Writes what can be written at once: all of an answer that is neither large nor a stream. */
static void give(struct http_connection *c, struct request_state *state)
{
    const struct http_response *response = &state->x.response;
    state->keep_alive = state->head.keep_alive && !response->close && !c->guest &&
                        !(response->stream && state->x.request.http10) && !c->loop->stopping &&
                        skip_body(c, state);
    struct buffer *out = &c->out;
    const size_t begin = out->len;
    const bool whole = http_loop_take_buffer(c->loop, out) && write_head(state, out);
    if (response->stream && has_body(state)) {
        state->streams = true;
        c->loop->streams++;
    } else if (whole && has_body(state)) {
        const struct slice body = body_of(response);
        if (body.len > COPY_MOST) {
            c->tail = body; /* not copied: it lives as long as the state */
        } else {
            buffer_add(out, body);
        }
    }
    state->sent += out->len - begin + c->tail.len;
    c->gone = c->gone || !whole || out->failed;
    state->reserved = 0;
    ledger_answered(&c->loop->ledger, c->account, request_held(state));
    if (response->open && has_body(state)) {
        http_stream_attach(response->open, c);
        state->x.response.open = NULL;
        http_connection_move(c, CONNECTION_STREAMING);
        response_finish(state);
        c->in_at = c->in.len; /* nothing more is asked here */
    } else if (c->tail.len > 0 || state->streams) {
        http_connection_move(c, CONNECTION_SENDING);
    } else {
        http_connection_move(c, state->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
        response_finish(state);
    }
}

void http_respond(struct http_exchange *x)
{
    struct request_state *state = REQUEST_STATE_OF(x);
    struct http_connection *c = state->connection;
    struct http_response *response = &x->response;
    struct policy *policy = x->loop->policy;
    assert(c->request == state);
    assert(c->state == CONNECTION_HANDLING || c->state == CONNECTION_DEAD);
    assert(response->status >= 200 && response->status <= 599);
    assert(!response->stream || !response->fixed.ptr);
    assert(!response->open || (!response->stream && !response->fixed.ptr));
    add_vary(x);
    if (policy->origins.ptr || x->request.fields[HTTP_FIELD_ORIGIN].count > 0) {
        policy_add_origin(policy, x);
    }
    if (state->broken || response->head->failed || response->body->failed) {
        const bool again = state->replaced;
        const bool lost = response->status < 300 && x->request.method != HTTP_GET &&
                          x->request.method != HTTP_HEAD; /* what may have changed something */
        const enum error error = state->broken ? ERROR_INTERNAL_ERROR
                                 : lost        ? ERROR_OUTCOME_UNKNOWN
                                               : ERROR_UNAVAILABLE;
        if (response->stream_close) {
            response->stream_close(response->stream_source);
        }
        http_stream_destroy(&response->open);
        buffer_clear(response->head);
        buffer_clear(response->body);
        *response = (struct http_response){
            .head = response->head,
            .body = response->body,
            .close = response->close,
        };
        state->broken = false;
        state->replaced = true;
        if (!again) {
            http_respond_problem(x, error, error == ERROR_OUTCOME_UNKNOWN ? HTTP_ANSWER_LOST : NULL,
                                 NULL);
            return;
        }
        response->status = error_row(ERROR_UNAVAILABLE)->status;
        response->close = true;
    }
    c->loop->in_flight--;
    if (c->state == CONNECTION_DEAD) {
        x->abandoned = true;
        response_finish(state);
        c->gone = true;
    } else {
        give(c, state);
    }
    http_connection_wake(c);
}

void http_respond_status(struct http_exchange *x, int status)
{
    assert(x->response.body->len == 0 && !x->response.stream);
    x->response.status = status;
    http_respond(x);
}

void http_respond_body(struct http_exchange *x, int status, const char *content_type)
{
    assert(content_type);
    x->response.status = status;
    http_respond_field(x, "Content-Type", slice_of(content_type));
    http_respond(x);
}

void response_finish(struct request_state *state)
{
    struct http_connection *c = state->connection;
    struct http_exchange *x = &state->x;
    struct http_loop *loop = c->loop;
    const struct http_hooks *hooks = &loop->server->options.hooks;
    assert(c->request == state);
    if (x->response.stream_close) {
        x->response.stream_close(x->response.stream_source);
    }
    if (x->response.open) {
        http_stream_destroy(&x->response.open);
    }
    loop->streams -= state->streams ? 1 : 0;
    http_loop_spend(loop, c->account);
    x->took_us = loop->charged_us - x->started_us;
    if (loop->server->metrics) {
        http_metrics_answered(x);
    }
    if (hooks->answered) {
        hooks->answered(x, state->sent);
    }
    c->in_at += state->wire_len;
    c->request = NULL;
    c->tail = (struct slice){NULL, 0};
    http_loop_give_request(loop, state);
}
