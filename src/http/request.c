// SPDX-License-Identifier: MIT
#include "http/request.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/client_key.h"
#include "http/connection.h"
#include "http/dispatch.h"
#include "http/loop.h"
#include "http/problem.h"
#include "http/router.h"

#define KEEP_MOST ((size_t)16 * 1024) /* larger buffers are not kept for the next request */
/* What a read may ask for at once, so that memory follows the bytes that really came. */
#define WANTS_MOST ((size_t)256 * 1024)

struct request_state *request_create(size_t body_most)
{
    struct request_state *state = calloc(1, sizeof *state);
    if (!state) {
        return NULL;
    }
    state->x.arena = arena_create(REQUEST_ARENA_MOST + body_most);
    if (!state->x.arena) {
        free(state);
        return NULL;
    }
    buffer_init(&state->head_bytes, REQUEST_HEAD_MOST);
    buffer_init(&state->body_bytes, REQUEST_BODY_MOST);
    return state;
}

void request_destroy(struct request_state **state)
{
    struct request_state *gone = *state;
    if (!gone) {
        return;
    }
    arena_destroy(&gone->x.arena);
    buffer_finish(&gone->head_bytes);
    buffer_finish(&gone->body_bytes);
    OWNER_END(gone);
    free(gone);
    *state = NULL;
}

static void shrink(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_MOST) {
        buffer_finish(buffer);
    }
    buffer_clear(buffer);
}

void request_end(struct request_state *state)
{
    OWNER_END(state);
    shrink(&state->head_bytes);
    shrink(&state->body_bytes);
    arena_reset(state->x.arena);
}

size_t request_held(const struct request_state *state)
{
    return sizeof *state + arena_held(state->x.arena) + state->head_bytes.capacity +
           state->body_bytes.capacity + state->x.held;
}

uint64_t request_payer_of(struct slice client)
{
    char text[CLIENT_KEY_TEXT_MOST];
    const struct slice key = client_key_text(client, text);
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */
    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3U;
    }
    return hash;
}

/* A fresh or used state for the request that begins now; NULL without memory. */
static struct request_state *begin(struct http_connection *c)
{
    struct request_state *state = http_loop_take_request(c->loop);
    if (!state) {
        c->gone = true;
        return NULL;
    }
    struct arena *arena = state->x.arena;
    const struct buffer head_bytes = state->head_bytes;
    const struct buffer body_bytes = state->body_bytes;
    memset(state, 0, sizeof *state);
    OWNER_SET(state, REQUEST_STATE_MAGIC);
    state->connection = c;
    state->head_bytes = head_bytes;
    state->body_bytes = body_bytes;
    state->x.arena = arena;
    state->x.loop = c->loop;
    state->x.started_us = c->ready_us;
    state->x.request.client = http_connection_client(c);
    state->x.response.head = &state->head_bytes;
    state->x.response.body = &state->body_bytes;
    c->request = state;
    if (!c->account) {
        http_connection_bill(c, request_payer_of(http_connection_client(c)));
    }
    return state;
}

/* ---- From the head to x->request ---- */

static bool is_request_id(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.ptr[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return text.len >= 1 && text.len <= REQUEST_ID_LEN;
}

/* Takes the client's X-Request-Id if it is one of ours by form, else makes one. */
static void identify(struct request_state *state)
{
    struct http_request *request = &state->x.request;
    const struct http_field_value *given = &request->fields[HTTP_FIELD_X_REQUEST_ID];
    if (given->count == 1 && is_request_id(given->value)) {
        request->id = given->value;
    } else if (request->id.ptr != state->id) {
        uuid_format(uuid_make_v7_unordered(), state->id);
        request->id = (struct slice){state->id, UUID_TEXT_LEN};
    }
}

/* Joins the lines of the field `name` (RFC 9110 section 5.3). One line is not copied; `ptr` is NULL
 * when there is none. False without memory. */
static bool join(struct request_state *state, struct slice input, struct slice name,
                 struct slice *joined)
{
    uint32_t at = 0;
    struct slice value;
    size_t len = 0;
    unsigned lines = 0;
    *joined = (struct slice){NULL, 0};
    while (http_head_next(&state->head, input, name, &at, &value)) {
        *joined = value;
        len += value.len + 2;
        lines++;
    }
    if (lines < 2) {
        return true;
    }
    char *text = arena_alloc(state->x.arena, len);
    if (!text) {
        return false;
    }
    at = 0;
    len = 0;
    while (http_head_next(&state->head, input, name, &at, &value)) {
        if (len > 0) {
            text[len++] = ',';
            text[len++] = ' ';
        }
        memcpy(text + len, value.ptr, value.len);
        len += value.len;
    }
    *joined = (struct slice){text, len};
    return true;
}

/* The path without the prefix of PUBLIC_URL, if it stands under it. */
static struct slice without_prefix(struct slice path, struct slice prefix)
{
    if (prefix.len == 0 || !slice_starts(path, prefix)) {
        return path;
    }
    const struct slice rest = slice_from(path, prefix.len);
    if (rest.len > 0 && rest.ptr[0] != '/') {
        return path;
    }
    return rest.len > 0 ? rest : SLICE("/");
}

/* A proxy in front may have taken the prefix away or not: the path is looked up both ways. */
static void find_route(struct request_state *state)
{
    struct http_request *request = &state->x.request;
    const struct http_server *server = state->x.loop->server;
    const struct slice whole = request->path;
    request->path = without_prefix(whole, server->options.path_prefix);
    if (state->nowhere) {
        return;
    }
    struct http_match match = http_router_find(server->router, request->method, request->path);
    if (match.allow == 0 && !match.malformed_id && request->path.ptr != whole.ptr) {
        match = http_router_find(server->router, request->method, whole);
        request->path = match.allow != 0 ? whole : request->path;
    }
    state->x.route = match.route;
    state->allow = match.allow;
    state->malformed_id = match.malformed_id;
    memcpy(request->parameters, match.parameters, sizeof request->parameters);
    request->path_id = match.id;
}

static enum error resolve_target(struct request_state *state, struct slice text)
{
    struct http_request *request = &state->x.request;
    struct http_field_value *host = &request->fields[HTTP_FIELD_HOST];
    struct http_target target;
    enum error error = http_target_parse(text, request->method, state->x.arena, &target);
    if (error) {
        state->why = target.why;
        return error;
    }
    request->target = target.target;
    request->path = target.path;
    request->query = target.query;
    state->asterisk = target.path.len == 0;
    state->nowhere = target.nowhere;
    /* An empty field says that the target has no authority (RFC 9112 section 3.2). */
    if (host->value.len > 0 && !http_host_valid(host->value)) {
        state->why = HTTP_HOST_FORM;
        return ERROR_MALFORMED_REQUEST;
    }
    if (target.host.ptr) {
        *host = (struct http_field_value){.value = target.host, .count = 1};
    }
    if (!state->asterisk) {
        find_route(state);
    }
    if (state->allow == 0 && http_path_is_masked(request->path)) {
        state->why = HTTP_PATH_FORM;
        return ERROR_MALFORMED_REQUEST;
    }
    return ERROR_NONE;
}

/* `ptr` is NULL without memory. */
static struct slice find_client(struct request_state *state, struct slice input)
{
    const struct http_connection *c = state->connection;
    const struct slice peer = http_connection_client(c);
    struct slice value = state->x.request.fields[HTTP_FIELD_X_FORWARDED_FOR].value;
    if (!c->trusted) {
        return peer;
    }
    struct proxies *proxies = c->loop->policy->proxies;
    const struct slice name = proxies_header(proxies);
    if (name.ptr && !join(state, input, name, &value)) {
        return (struct slice){NULL, 0};
    }
    return value.ptr ? proxies_client(proxies, value, peer, state->x.arena) : peer;
}

/* Fills in x->request from the parsed head that stands at `base`, and finds the route. */
static enum error resolve(struct request_state *state, const char *base)
{
    static const bool lists[HTTP_FIELD_COUNT] = {
        [HTTP_FIELD_ACCEPT] = true,          [HTTP_FIELD_ACCEPT_ENCODING] = true,
        [HTTP_FIELD_IF_MATCH] = true,        [HTTP_FIELD_IF_NONE_MATCH] = true,
        [HTTP_FIELD_X_FORWARDED_FOR] = true,
    };
    struct http_request *request = &state->x.request;
    const struct slice input = {base, state->head.length};
    const struct http_span target = state->head.target;
    state->base = base;
    request->method = state->head.method;
    request->http10 = state->head.http10;
    for (enum http_field field = 0; field < HTTP_FIELD_COUNT; field++) {
        struct http_field_value *value = &request->fields[field];
        const struct http_span span = state->head.fields[field];
        value->count = state->head.counts[field];
        if (value->count == 0) {
            continue;
        }
        value->value = (struct slice){base + span.at, span.len};
        if (value->count > 1 && lists[field] &&
            !join(state, input, http_field_name(field), &value->value)) {
            return ERROR_UNAVAILABLE;
        }
    }
    identify(state);
    request->client = find_client(state, input);
    return request->client.ptr ? resolve_target(state, (struct slice){base + target.at, target.len})
                               : ERROR_UNAVAILABLE;
}

/* The same once more if the head was resolved and has moved since: before anybody reads x->request.
 * On an error nothing in it points to where the head was. */
static enum error follow(struct request_state *state, const char *base)
{
    struct http_request *request = &state->x.request;
    const bool made = request->id.ptr == state->id;
    if (!state->base || state->base == base) {
        return ERROR_NONE;
    }
    *request = (struct http_request){.client = http_connection_client(state->connection)};
    if (made) {
        request->id = (struct slice){state->id, UUID_TEXT_LEN};
    }
    return resolve(state, base);
}

/* ---- Reading ---- */

static enum http_parse read_head(struct request_state *state, struct slice input, enum error *error)
{
    const enum http_parse parse = http_head_parse(&state->head, input);
    if (parse == HTTP_PARSE_FAILED) {
        *error = state->head.error;
        state->why = state->head.why;
    }
    if (parse != HTTP_PARSE_DONE) {
        return parse;
    }
    *error = resolve(state, input.ptr);
    if (*error) {
        return HTTP_PARSE_FAILED;
    }
    const struct http_route *route = state->x.route;
    const size_t most = state->x.loop->server->options.body_most;
    state->body_most = route && route->body_most ? route->body_most : most;
    state->wire_len = state->head.length;
    state->reading_body = true;
    if (state->head.framing == HTTP_BODY_CHUNKED) {
        http_chunked_init(&state->chunked, state->body_most);
    } else if (state->head.content_length > state->body_most) {
        *error = ERROR_CONTENT_TOO_LARGE;
        return HTTP_PARSE_FAILED;
    }
    return HTTP_PARSE_DONE;
}

/* Decodes in place: the content moves down over the framing, so that it is one run after the head.
 */
static enum http_parse read_chunked(struct request_state *state, struct buffer *in, size_t at,
                                    enum error *error)
{
    const size_t raw = at + state->wire_len;
    size_t consumed = 0;
    size_t decoded = 0;
    enum http_parse parse = HTTP_PARSE_FAILED;
    if (!state->chunked.error) {
        parse = http_chunked_decode(&state->chunked, (struct slice){in->data + raw, in->len - raw},
                                    in->data + at + state->head.length + state->body_len, &consumed,
                                    &decoded);
    }
    state->body_len += decoded;
    state->wire_len += consumed;
    if (parse == HTTP_PARSE_MORE) {
        state->wire_len = state->head.length + state->body_len;
        in->len = at + state->wire_len;
    } else if (parse == HTTP_PARSE_FAILED) {
        *error = state->chunked.error;
        state->why = state->chunked.why;
    }
    return parse;
}

/* Goes on with the request that starts at `at` in `in`. On HTTP_PARSE_DONE `wire_len` bytes are the
 * request's and x->request is whole, its slices in `in`. */
static enum http_parse read_on(struct request_state *state, struct buffer *in, size_t at,
                               enum error *error)
{
    enum http_parse parse = HTTP_PARSE_DONE;
    if (!state->reading_body) {
        parse = read_head(state, (struct slice){in->data + at, in->len - at}, error);
    }
    if (parse == HTTP_PARSE_DONE && state->head.framing == HTTP_BODY_LENGTH) {
        const size_t have = in->len - at - state->head.length;
        const size_t need = (size_t)state->head.content_length;
        state->body_len = have < need ? have : need;
        state->wire_len = state->head.length + state->body_len;
        parse = have < need ? HTTP_PARSE_MORE : HTTP_PARSE_DONE;
    } else if (parse == HTTP_PARSE_DONE && state->head.framing == HTTP_BODY_CHUNKED) {
        parse = read_chunked(state, in, at, error);
    }
    if (parse != HTTP_PARSE_DONE) {
        return parse;
    }
    const char *base = in->data + at;
    *error = follow(state, base);
    state->x.request.body = (struct slice){base + state->head.length, state->body_len};
    return *error ? HTTP_PARSE_FAILED : HTTP_PARSE_DONE;
}

static void hand_over(struct http_connection *c)
{
    c->asked = true;
    http_connection_move(c, CONNECTION_HANDLING);
    c->loop->in_flight++;
}

bool request_read(struct http_connection *c)
{
    assert(c->state == CONNECTION_READING || c->state == CONNECTION_RECEIVING);
    struct request_state *state = c->request ? c->request : begin(c);
    const bool judged = c->state == CONNECTION_RECEIVING;
    enum error error = ERROR_NONE;
    if (!state) {
        return false;
    }
    const enum http_parse parse = read_on(state, &c->in, c->in_at, &error);
    if (parse == HTTP_PARSE_MORE && judged && state->head.framing == HTTP_BODY_CHUNKED &&
        c->in.len > LOOP_BUFFER_LEN && http_connection_room(c, 0) != LEDGER_ROOM) {
        error = ERROR_OVERLOADED; /* what a body of unknown length takes is asked for as it comes */
    }
    /* Chunks that are wrong are told of when the body is waited for: the head is judged first,
     * whether they came together with it or later. */
    if (error && (judged || state->chunked.error != error)) {
        request_refuse(c, error);
        return true;
    }
    if (parse == HTTP_PARSE_MORE && (judged || !state->reading_body)) {
        return false;
    }
    state->whole = parse == HTTP_PARSE_DONE;
    c->taken++;
    hand_over(c);
    if (judged) {
        http_continue(&state->x);
    } else {
        http_dispatch(&state->x);
    }
    if (c->request == state && c->state == CONNECTION_HANDLING) {
        http_loop_spend(c->loop, c->account);
    }
    return true;
}

size_t request_wants(const struct http_connection *c)
{
    const struct request_state *state = c->request;
    if (!state || !state->reading_body || state->head.framing != HTTP_BODY_LENGTH) {
        return 1;
    }
    const size_t have = c->in.len - c->in_at - state->head.length;
    const size_t left = (size_t)state->head.content_length - have;
    return left < WANTS_MOST ? left : WANTS_MOST;
}

enum http_verdict request_await_body(struct request_state *state)
{
    struct http_connection *c = state->connection;
    struct http_head *head = &state->head;
    assert(!state->whole && c->request == state);
    if (c->state == CONNECTION_DEAD) {
        http_respond_problem(&state->x, ERROR_REQUEST_TIMEOUT, NULL, NULL);
        return HTTP_ANSWERED;
    }
    http_connection_move(c, CONNECTION_RECEIVING);
    c->loop->in_flight--;
    /* RFC 9110 section 10.1.1: not when the body is on its way already. */
    const bool expected = head->expect_continue;
    head->expect_continue = false;
    if (expected && c->in.len - c->in_at <= head->length &&
        http_loop_take_buffer(c->loop, &c->out)) {
        buffer_add(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    http_connection_wake(c);
    return HTTP_LATER;
}

/* ---- What is no proper request ---- */

/* Looks for Origin in the lines of a head that was refused before it was resolved, so that the page
 * of an allowed origin can read why. `input` has to stay until the answer is written. */
static void glean_origin(struct request_state *state, struct slice input)
{
    struct http_field_value *origin = &state->x.request.fields[HTTP_FIELD_ORIGIN];
    struct slice rest = input;
    while (rest.ptr && !state->base) {
        struct slice value = slice_next(&rest, '\n');
        const bool whole = rest.ptr != NULL;
        const struct slice name = slice_next(&value, ':');
        value.len -= value.len > 0 && value.ptr[value.len - 1] == '\r' ? 1 : 0;
        value = slice_trim(value);
        if (whole && slice_eq_nocase(name, SLICE("Origin")) && value.ptr &&
            http_find_control(value, 0) == value.len) {
            *origin = (struct http_field_value){.value = value, .count = origin->count + 1};
        }
    }
}

void request_refuse(struct http_connection *c, enum error error)
{
    struct request_state *state = c->request;
    const struct slice input = {c->in.data + c->in_at, c->in.len - c->in_at};
    char detail[128];
    assert(state && error != ERROR_NONE);
    hand_over(c);
    const enum error moved = follow(state, input.ptr);
    identify(state);
    glean_origin(state, input);
    state->x.response.close = true;
    error = moved ? moved : error;
    const char *why = state->why;
    if (error == ERROR_OVERLOADED) {
        dispatch_refuse_overload(&state->x, NULL);
        return;
    }
    if (error == ERROR_CONTENT_TOO_LARGE) {
        (void)snprintf(detail, sizeof detail,
                       "The body is larger than the %llu bytes that are taken here. Send less.",
                       (unsigned long long)state->body_most);
        why = detail;
    }
    http_respond_problem(&state->x, error, why, NULL);
}
