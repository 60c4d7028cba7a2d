// SPDX-License-Identifier: MIT
#include "http/request_state.h"

#include <stdlib.h>

#include "base/client_key.h"
#include "http/connection.h"
#include "http/loop.h"
#include "http/target.h"

#define KEEP_MOST ((size_t)16 * 1024) /* larger buffers are not kept for the next request */

struct request_state *request_state_create(size_t body_most)
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

void request_state_destroy(struct request_state **state)
{
    struct request_state *gone = *state;
    if (!gone) {
        return;
    }
    arena_destroy(&gone->x.arena);
    buffer_finish(&gone->head_bytes);
    buffer_finish(&gone->body_bytes);
    free(gone);
    *state = NULL;
}

size_t request_state_held(const struct request_state *state)
{
    return sizeof *state + arena_held(state->x.arena) + state->head_bytes.capacity +
           state->body_bytes.capacity + state->x.held;
}

uint64_t request_state_payer_of(struct slice client)
{
    char text[CLIENT_KEY_TEXT_MOST];
    const struct slice key = client_key_text(client, text);
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */
    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3U;
    }
    return hash;
}

void request_state_begin(struct request_state *state, struct http_connection *connection,
                         struct http_loop *loop, int64_t now_us)
{
    state->x = (struct http_exchange){
        .arena = state->x.arena,
        .loop = loop,
        .started_us = now_us,
        .response = {.head = &state->head_bytes, .body = &state->body_bytes},
    };
    state->connection = connection;
    state->next = NULL;
    http_head_init(&state->head);
    state->base = NULL;
    state->body_len = 0;
    state->wire_len = 0;
    state->allow = 0;
    state->reserved = 0;
    state->reading_body = false;
    state->whole = false;
    state->asterisk = false;
    state->malformed_id = false;
    state->nowhere = false;
    state->why = NULL;
    state->stage = STAGE_AUTHORIZE;
    state->sent = 0;
    state->broken = false;
    state->replaced = false;
    state->keep_alive = false;
    state->streams = false;
    state->stream_waits = false;
    state->stream_woken = false;
    state->x.request.client = http_connection_client(connection);
}

static void shrink(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_MOST) {
        buffer_finish(buffer);
    }
    buffer_clear(buffer);
}

void request_state_end(struct request_state *state)
{
    shrink(&state->head_bytes);
    shrink(&state->body_bytes);
    arena_reset(state->x.arena);
}

static bool is_request_id(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return text.len >= 1 && text.len <= REQUEST_ID_LEN;
}

void request_state_identify(struct request_state *state)
{
    struct http_request *request = &state->x.request;
    struct http_field_value *given = &request->fields[HTTP_FIELD_X_REQUEST_ID];
    if (given->count == 1 && is_request_id(given->value)) {
        request->id = given->value;
        return;
    }
    if (request->id.ptr != state->id) {
        uuid_format(uuid_make_v7_unordered(), state->id);
        request->id = (struct slice){state->id, UUID_TEXT_LEN};
    }
}

void request_state_glean_origin(struct request_state *state, struct slice input)
{
    struct http_field_value *origin = &state->x.request.fields[HTTP_FIELD_ORIGIN];
    struct slice rest = input;
    if (state->base || !input.ptr) {
        return;
    }
    while (rest.ptr) {
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

static bool is_list(enum http_field field)
{
    return field == HTTP_FIELD_ACCEPT || field == HTTP_FIELD_ACCEPT_ENCODING ||
           field == HTTP_FIELD_IF_MATCH || field == HTTP_FIELD_IF_NONE_MATCH ||
           field == HTTP_FIELD_X_FORWARDED_FOR;
}

/* The next line of a field that is known by its number, or by its name if that is given. */
static bool next_value(const struct request_state *state, struct slice input, enum http_field field,
                       struct slice name, uint32_t *at, struct slice *value)
{
    return name.ptr ? http_head_next_named(&state->head, input, name, at, value)
                    : http_head_next(&state->head, input, field, at, value);
}

/* Joins a field that came in several lines (RFC 9110 section 5.3). One line is not copied; `ptr` is
 * NULL when there is none. False without memory. */
static bool join(struct request_state *state, struct slice input, enum http_field field,
                 struct slice name, struct slice *joined)
{
    uint32_t at = 0;
    struct slice value;
    size_t len = 0;
    unsigned lines = 0;
    *joined = (struct slice){NULL, 0};
    while (next_value(state, input, field, name, &at, &value)) {
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
    while (next_value(state, input, field, name, &at, &value)) {
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

static bool resolve_fields(struct request_state *state, struct slice input)
{
    for (enum http_field field = 0; field < HTTP_FIELD_COUNT; field++) {
        unsigned count = state->head.counts[field];
        if (count == 0) {
            continue;
        }
        struct http_span span = state->head.fields[field];
        state->x.request.fields[field] = (struct http_field_value){
            .value = {input.ptr + span.at, span.len},
            .count = count,
        };
        if (count > 1 && is_list(field) &&
            !join(state, input, field, (struct slice){NULL, 0},
                  &state->x.request.fields[field].value)) {
            return false;
        }
    }
    return true;
}

/* The path without the prefix of PUBLIC_URL, if it stands under it. */
static struct slice without_prefix(struct slice path, struct slice prefix)
{
    struct slice rest = slice_from(path, prefix.len);
    if (prefix.len == 0 || !slice_starts(path, prefix) || (rest.len > 0 && rest.ptr[0] != '/')) {
        return path;
    }
    return rest.len > 0 ? rest : SLICE("/");
}

/* A proxy in front may have taken the prefix away or not: the path is looked up both ways. */
static void find_route(struct request_state *state, bool nowhere)
{
    struct http_request *request = &state->x.request;
    const struct http_router *router = http_loop_router(state->x.loop);
    const struct slice whole = request->path;
    request->path = without_prefix(whole, http_path_prefix(&state->x));
    state->nowhere = nowhere;
    if (nowhere) {
        return;
    }
    struct http_match match = http_router_find(router, request->method, request->path);
    if (match.allow == 0 && !match.malformed_id && request->path.ptr != whole.ptr) {
        match = http_router_find(router, request->method, whole);
        request->path = match.allow != 0 ? whole : request->path;
    }
    state->x.route = match.route;
    state->allow = match.allow;
    state->malformed_id = match.malformed_id;
    memcpy(request->parameters, match.parameters, sizeof request->parameters);
}

static enum error resolve_target(struct request_state *state, struct slice text)
{
    struct http_request *request = &state->x.request;
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
    struct http_field_value *host = &request->fields[HTTP_FIELD_HOST];
    /* An empty field says that the target has no authority (RFC 9112 section 3.2). */
    if (host->value.len > 0 && !http_host_valid(host->value)) {
        state->why = HTTP_HOST_FORM;
        return ERROR_MALFORMED_REQUEST;
    }
    if (target.host.ptr) {
        *host = (struct http_field_value){.value = target.host, .count = 1};
    }
    if (!state->asterisk) {
        find_route(state, target.nowhere);
    }
    return ERROR_NONE;
}

/* `ptr` is NULL without memory. */
static struct slice find_client(struct request_state *state, struct slice input)
{
    const struct http_connection *connection = state->connection;
    const struct slice peer = http_connection_client(connection);
    struct slice value = http_request_field(&state->x.request, HTTP_FIELD_X_FORWARDED_FOR);
    if (!connection->trusted) {
        return peer;
    }
    struct proxies *proxies = connection->loop->policy->proxies;
    const struct slice name = proxies_header(proxies);
    if (name.ptr && !join(state, input, HTTP_FIELD_COUNT, name, &value)) {
        return (struct slice){NULL, 0};
    }
    return value.ptr ? proxies_client(proxies, value, peer, state->x.arena) : peer;
}

/* Drops what points into an input that has moved. */
static void forget_request(struct request_state *state)
{
    struct http_request *request = &state->x.request;
    bool made = request->id.ptr == state->id;
    *request = (struct http_request){.client = http_connection_client(state->connection)};
    if (made) {
        request->id = (struct slice){state->id, UUID_TEXT_LEN};
    }
}

enum error request_state_follow(struct request_state *state, const char *base)
{
    if (!state->base || state->base == base) {
        return ERROR_NONE;
    }
    forget_request(state);
    return request_state_resolve(state, base);
}

enum error request_state_resolve(struct request_state *state, const char *base)
{
    struct http_request *request = &state->x.request;
    struct slice input = {base, state->head.length};
    state->base = base;
    request->method = state->head.method;
    request->http10 = state->head.http10;
    if (!resolve_fields(state, input)) {
        return ERROR_UNAVAILABLE;
    }
    request_state_identify(state);
    request->client = find_client(state, input);
    if (!request->client.ptr) {
        return ERROR_UNAVAILABLE;
    }
    struct http_span span = state->head.target;
    return resolve_target(state, (struct slice){base + span.at, span.len});
}
