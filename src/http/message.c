// SPDX-License-Identifier: MIT
#include "http/message.h"

#include <stdarg.h>
#include <stdio.h>

#include "http/connection.h"
#include "http/loop.h"
#include "http/problem.h"

struct slice http_method_name(enum http_method method)
{
    static const struct slice names[HTTP_METHOD_COUNT] = {
        [HTTP_GET] = {"GET", 3},         [HTTP_HEAD] = {"HEAD", 4},   [HTTP_POST] = {"POST", 4},
        [HTTP_PUT] = {"PUT", 3},         [HTTP_PATCH] = {"PATCH", 5}, [HTTP_DELETE] = {"DELETE", 6},
        [HTTP_OPTIONS] = {"OPTIONS", 7},
    };
    return names[method];
}

void http_respond_field(struct http_exchange *x, const char *name, struct slice value)
{
    struct buffer *head = x->response.head;
    size_t name_len = strlen(name);
    if (http_find_control(value, 0) < value.len ||
        (value.len > 0 && memchr(value.ptr, '\t', value.len))) {
        request_state_of(x)->broken = true;
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

void http_respond_field_format(struct http_exchange *x, const char *name, const char *format, ...)
{
    char value[1024];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    if (len < 0 || (size_t)len >= sizeof value) {
        request_state_of(x)->broken = true;
        return;
    }
    http_respond_field(x, name, (struct slice){value, (size_t)len});
}

/* Forgets the response that was begun. */
static void discard(struct http_exchange *x)
{
    struct http_response *response = &x->response;
    if (response->stream_close) {
        response->stream_close(response->stream_source);
    }
    buffer_clear(response->head);
    buffer_clear(response->body);
    *response = (struct http_response){
        .head = response->head,
        .body = response->body,
        .close = response->close,
    };
}

/* The fields of the request that what is answered depends on (RFC 9110 section 12.5.5). With
 * CORS_ORIGINS that is Origin, for every request: a cache must not give the answer for one origin
 * to another one, nor to none. */
static void add_vary(struct http_exchange *x, bool origins)
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
    const unsigned at = (origins ? 1U : 0) | (route && http_route_negotiates(route) ? 2U : 0) |
                        (route && route->access == HTTP_ACCESS_TOKEN ? 4U : 0);
    if (origins && cors_is_preflight(&x->request)) {
        http_respond_field(x, "Vary",
                           SLICE("Origin, Access-Control-Request-Method, "
                                 "Access-Control-Request-Headers"));
    } else if (at > 0) {
        http_respond_field(x, "Vary", fields[at]);
    }
}

void http_respond(struct http_exchange *x)
{
    struct request_state *state = request_state_of(x);
    const struct cors *cors = x->loop->policy->cors;
    add_vary(x, cors != NULL);
    if (!(cors && cors_add(cors, x)) && x->request.fields[HTTP_FIELD_ORIGIN].count > 0) {
        policy_tell_refused(x->loop->policy, &x->request);
    }
    bool starved = x->response.head->failed || x->response.body->failed;
    if (state->broken || starved) {
        bool again = state->replaced;
        enum error error = state->broken ? ERROR_INTERNAL_ERROR : ERROR_UNAVAILABLE;
        discard(x);
        state->broken = false;
        state->replaced = true;
        if (!again) {
            http_respond_problem(x, error, NULL, NULL);
            return;
        }
        x->response.status = error_row(ERROR_UNAVAILABLE)->status;
        x->response.close = true;
    }
    http_connection_respond(state);
}

void http_respond_status(struct http_exchange *x, int status)
{
    x->response.status = status;
    http_respond(x);
}

void http_respond_body(struct http_exchange *x, int status, const char *content_type)
{
    x->response.status = status;
    http_respond_field(x, "Content-Type", slice_of(content_type));
    http_respond(x);
}

void http_stream_ready(struct http_exchange *x)
{
    struct request_state *state = request_state_of(x);
    state->stream_woken = true;
    if (state->stream_waits) {
        state->stream_waits = false;
        http_loop_queue(x->loop, state->connection);
    }
}

struct slice http_path_prefix(const struct http_exchange *x)
{
    return x->loop->server->options.path_prefix;
}

struct slice http_reference(const struct http_exchange *x, struct slice path)
{
    const struct slice prefix = http_path_prefix(x);
    char *text = prefix.len > 0 ? arena_alloc(x->arena, prefix.len + path.len) : NULL;
    if (!text) {
        return path;
    }
    memcpy(text, prefix.ptr, prefix.len);
    memcpy(text + prefix.len, path.ptr, path.len);
    return (struct slice){text, prefix.len + path.len};
}

void *http_loop_context(const struct http_loop *loop)
{
    return loop->context;
}

struct inbox *http_loop_inbox(const struct http_loop *loop)
{
    return loop->inbox;
}
