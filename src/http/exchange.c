// SPDX-License-Identifier: MIT
#include "http/exchange.h"

#include <stdlib.h>

#include "base/client_key.h"
#include "http/connection.h"
#include "http/loop.h"
#include "http/target.h"

#define KEEP_MOST ((size_t)16 * 1024) /* larger buffers are not kept for the next request */

struct exchange *exchange_create(size_t body_most)
{
    struct exchange *exchange = calloc(1, sizeof *exchange);
    if (!exchange) {
        return NULL;
    }
    exchange->x.arena = arena_create(EXCHANGE_ARENA_MOST + body_most);
    if (!exchange->x.arena) {
        free(exchange);
        return NULL;
    }
    buffer_init(&exchange->head_bytes, EXCHANGE_HEAD_MOST);
    buffer_init(&exchange->body_bytes, EXCHANGE_BODY_MOST);
    return exchange;
}

void exchange_destroy(struct exchange **exchange)
{
    struct exchange *gone = *exchange;
    if (!gone) {
        return;
    }
    arena_destroy(&gone->x.arena);
    buffer_finish(&gone->head_bytes);
    buffer_finish(&gone->body_bytes);
    free(gone);
    *exchange = NULL;
}

size_t exchange_held(const struct exchange *exchange)
{
    return sizeof *exchange + arena_held(exchange->x.arena) + exchange->head_bytes.capacity +
           exchange->body_bytes.capacity + exchange->x.held;
}

uint64_t exchange_payer_of(struct slice client)
{
    char text[CLIENT_KEY_TEXT_MOST];
    const struct slice key = client_key_text(client, text);
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */
    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ (unsigned char)key.ptr[i]) * 0x100000001b3U;
    }
    return hash;
}

void exchange_begin(struct exchange *exchange, struct http_connection *connection,
                    struct http_loop *loop, int64_t now_us)
{
    exchange->x = (struct http_exchange){
        .arena = exchange->x.arena,
        .loop = loop,
        .started_us = now_us,
        .response = {.head = &exchange->head_bytes, .body = &exchange->body_bytes},
    };
    exchange->connection = connection;
    exchange->next = NULL;
    http_head_init(&exchange->head);
    exchange->base = NULL;
    exchange->body_len = 0;
    exchange->wire_len = 0;
    exchange->allow = 0;
    exchange->reserved = 0;
    exchange->reading_body = false;
    exchange->whole = false;
    exchange->asterisk = false;
    exchange->malformed_id = false;
    exchange->nowhere = false;
    exchange->why = NULL;
    exchange->stage = STAGE_AUTHORIZE;
    exchange->sent = 0;
    exchange->broken = false;
    exchange->replaced = false;
    exchange->keep_alive = false;
    exchange->streams = false;
    exchange->stream_waits = false;
    exchange->stream_woken = false;
    exchange->x.request.client = http_connection_client(connection);
}

static void shrink(struct buffer *buffer)
{
    if (buffer->capacity > KEEP_MOST) {
        buffer_finish(buffer);
    }
    buffer_clear(buffer);
}

void exchange_end(struct exchange *exchange)
{
    shrink(&exchange->head_bytes);
    shrink(&exchange->body_bytes);
    arena_reset(exchange->x.arena);
}

static bool is_request_id(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        char folded = (char)(c | 0x20);
        bool good = (c >= '0' && c <= '9') || (folded >= 'a' && folded <= 'z') || c == '.' ||
                    c == '_' || c == '-';
        if (!good) {
            return false;
        }
    }
    return text.len >= 1 && text.len <= EXCHANGE_REQUEST_ID_LEN;
}

void exchange_identify(struct exchange *exchange)
{
    struct http_request *request = &exchange->x.request;
    struct http_field_value *given = &request->fields[HTTP_FIELD_X_REQUEST_ID];
    if (given->count == 1 && is_request_id(given->value)) {
        request->id = given->value;
        return;
    }
    if (request->id.ptr != exchange->id) {
        uuid_format(uuid_make_v7_unordered(), exchange->id);
        request->id = (struct slice){exchange->id, UUID_TEXT_LEN};
    }
}

void exchange_glean_origin(struct exchange *exchange, struct slice input)
{
    struct http_field_value *origin = &exchange->x.request.fields[HTTP_FIELD_ORIGIN];
    struct slice rest = input;
    if (exchange->base || !input.ptr) {
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
static bool next_value(const struct exchange *exchange, struct slice input, enum http_field field,
                       struct slice name, uint32_t *at, struct slice *value)
{
    return name.ptr ? http_head_next_named(&exchange->head, input, name, at, value)
                    : http_head_next(&exchange->head, input, field, at, value);
}

/* Joins a field that came in several lines (RFC 9110 section 5.3). One line is not copied; `ptr` is
 * NULL when there is none. False without memory. */
static bool join(struct exchange *exchange, struct slice input, enum http_field field,
                 struct slice name, struct slice *joined)
{
    uint32_t at = 0;
    struct slice value;
    size_t len = 0;
    unsigned lines = 0;
    *joined = (struct slice){NULL, 0};
    while (next_value(exchange, input, field, name, &at, &value)) {
        *joined = value;
        len += value.len + 2;
        lines++;
    }
    if (lines < 2) {
        return true;
    }
    char *text = arena_alloc(exchange->x.arena, len);
    if (!text) {
        return false;
    }
    at = 0;
    len = 0;
    while (next_value(exchange, input, field, name, &at, &value)) {
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

static bool resolve_fields(struct exchange *exchange, struct slice input)
{
    for (enum http_field field = 0; field < HTTP_FIELD_COUNT; field++) {
        unsigned count = exchange->head.counts[field];
        if (count == 0) {
            continue;
        }
        struct http_span span = exchange->head.fields[field];
        exchange->x.request.fields[field] = (struct http_field_value){
            .value = {input.ptr + span.at, span.len},
            .count = count,
        };
        if (count > 1 && is_list(field) &&
            !join(exchange, input, field, (struct slice){NULL, 0},
                  &exchange->x.request.fields[field].value)) {
            return false;
        }
    }
    return true;
}

/* The path without the prefix of PUBLIC_URL, if it stands under it. */
static struct slice without_prefix(struct slice path, struct slice prefix)
{
    struct slice rest = {path.ptr + prefix.len, path.len - prefix.len};
    if (prefix.len == 0 || !slice_starts(path, prefix) || (rest.len > 0 && rest.ptr[0] != '/')) {
        return path;
    }
    return rest.len > 0 ? rest : SLICE("/");
}

/* A proxy in front may have taken the prefix away or not: the path is looked up both ways. */
static void find_route(struct exchange *exchange, bool nowhere)
{
    struct http_request *request = &exchange->x.request;
    const struct http_router *router = http_loop_router(exchange->x.loop);
    const struct slice whole = request->path;
    request->path = without_prefix(whole, http_path_prefix(&exchange->x));
    exchange->nowhere = nowhere;
    if (nowhere) {
        return;
    }
    struct http_match match = http_router_find(router, request->method, request->path);
    if (match.allow == 0 && !match.malformed_id && request->path.ptr != whole.ptr) {
        match = http_router_find(router, request->method, whole);
        request->path = match.allow != 0 ? whole : request->path;
    }
    exchange->x.route = match.route;
    exchange->allow = match.allow;
    exchange->malformed_id = match.malformed_id;
    memcpy(request->parameters, match.parameters, sizeof request->parameters);
}

static enum error resolve_target(struct exchange *exchange, struct slice text)
{
    struct http_request *request = &exchange->x.request;
    struct http_target target;
    enum error error = http_target_parse(text, request->method, exchange->x.arena, &target);
    if (error) {
        exchange->why = target.why;
        return error;
    }
    request->target = target.target;
    request->path = target.path;
    request->query = target.query;
    exchange->asterisk = target.path.len == 0;
    struct http_field_value *host = &request->fields[HTTP_FIELD_HOST];
    /* An empty field says that the target has no authority (RFC 9112 section 3.2). */
    if (host->value.len > 0 && !http_host_valid(host->value)) {
        exchange->why = HTTP_HOST_FORM;
        return ERROR_MALFORMED_REQUEST;
    }
    if (target.host.ptr) {
        *host = (struct http_field_value){.value = target.host, .count = 1};
    }
    if (!exchange->asterisk) {
        find_route(exchange, target.nowhere);
    }
    return ERROR_NONE;
}

/* `ptr` is NULL without memory. */
static struct slice find_client(struct exchange *exchange, struct slice input)
{
    const struct http_connection *connection = exchange->connection;
    const struct slice peer = http_connection_client(connection);
    struct slice value = http_request_field(&exchange->x.request, HTTP_FIELD_X_FORWARDED_FOR);
    if (!connection->trusted) {
        return peer;
    }
    struct proxies *proxies = connection->loop->policy->proxies;
    const struct slice name = proxies_header(proxies);
    if (name.ptr && !join(exchange, input, HTTP_FIELD_COUNT, name, &value)) {
        return (struct slice){NULL, 0};
    }
    return value.ptr ? proxies_client(proxies, value, peer, exchange->x.arena) : peer;
}

/* Drops what points into an input that has moved. */
static void forget_request(struct exchange *exchange)
{
    struct http_request *request = &exchange->x.request;
    bool made = request->id.ptr == exchange->id;
    *request = (struct http_request){.client = http_connection_client(exchange->connection)};
    if (made) {
        request->id = (struct slice){exchange->id, UUID_TEXT_LEN};
    }
}

enum error exchange_follow(struct exchange *exchange, const char *base)
{
    if (!exchange->base || exchange->base == base) {
        return ERROR_NONE;
    }
    forget_request(exchange);
    return exchange_resolve(exchange, base);
}

enum error exchange_resolve(struct exchange *exchange, const char *base)
{
    struct http_request *request = &exchange->x.request;
    struct slice input = {base, exchange->head.length};
    exchange->base = base;
    request->method = exchange->head.method;
    request->http10 = exchange->head.http10;
    if (!resolve_fields(exchange, input)) {
        return ERROR_UNAVAILABLE;
    }
    exchange_identify(exchange);
    request->client = find_client(exchange, input);
    if (!request->client.ptr) {
        return ERROR_UNAVAILABLE;
    }
    struct http_span span = exchange->head.target;
    return resolve_target(exchange, (struct slice){base + span.at, span.len});
}
