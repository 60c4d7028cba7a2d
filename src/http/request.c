// SPDX-License-Identifier: MIT
#include "http/request.h"

#include "http/loop.h"

/* What a read may ask for at once, so that memory follows the bytes that really came. */
#define WANTS_MOST ((size_t)256 * 1024)

static enum error begin_body(struct request_state *state, const char *base)
{
    enum error error = request_state_resolve(state, base);
    if (error) {
        return error;
    }
    const struct http_route *route = state->x.route;
    size_t most = state->x.loop->server->options.body_most;
    state->body_most = route && route->body_most ? route->body_most : most;
    state->wire_len = state->head.length;
    state->reading_body = true;
    if (state->head.framing == HTTP_BODY_CHUNKED) {
        http_chunked_init(&state->chunked, state->body_most);
    } else if (state->head.content_length > state->body_most) {
        return ERROR_CONTENT_TOO_LARGE;
    }
    return ERROR_NONE;
}

static enum http_parse feed_sized(struct request_state *state, const struct buffer *in, size_t at)
{
    size_t have = in->len - at - state->head.length;
    size_t need = (size_t)state->head.content_length;
    state->body_len = have < need ? have : need;
    state->wire_len = state->head.length + state->body_len;
    return have < need ? HTTP_PARSE_MORE : HTTP_PARSE_DONE;
}

/* The content moves down over the framing, so that it is one run after the head. */
static enum http_parse feed_chunked(struct request_state *state, struct buffer *in, size_t at)
{
    size_t begin = at + state->head.length;
    size_t raw = at + state->wire_len;
    size_t consumed = 0;
    size_t decoded = 0;
    enum http_parse parse =
        http_chunked_decode(&state->chunked, (struct slice){in->data + raw, in->len - raw},
                            in->data + begin + state->body_len, &consumed, &decoded);
    state->body_len += decoded;
    state->wire_len += consumed;
    if (parse == HTTP_PARSE_MORE) {
        state->wire_len = state->head.length + state->body_len;
        in->len = at + state->wire_len;
    }
    return parse;
}

static enum http_parse feed_body(struct request_state *state, struct buffer *in, size_t at)
{
    switch (state->head.framing) {
    case HTTP_BODY_LENGTH: return feed_sized(state, in, at);
    case HTTP_BODY_CHUNKED: return feed_chunked(state, in, at);
    default: return HTTP_PARSE_DONE;
    }
}

static enum http_parse feed_head(struct request_state *state, const struct buffer *in, size_t at,
                                 enum error *error)
{
    struct slice input = {in->data + at, in->len - at};
    enum http_parse parse = http_head_parse(&state->head, input);
    if (parse == HTTP_PARSE_DONE) {
        *error = begin_body(state, input.ptr);
    } else if (parse == HTTP_PARSE_FAILED) {
        *error = state->head.error;
        state->why = state->head.why;
    }
    return *error ? HTTP_PARSE_FAILED : parse;
}

enum http_parse request_feed(struct request_state *state, struct buffer *in, size_t at,
                             enum error *error)
{
    if (!state->reading_body) {
        enum http_parse parse = feed_head(state, in, at, error);
        if (parse != HTTP_PARSE_DONE) {
            return parse;
        }
    }
    enum http_parse parse = feed_body(state, in, at);
    if (parse == HTTP_PARSE_FAILED) {
        *error = state->chunked.error;
        state->why = state->chunked.why;
    }
    if (parse != HTTP_PARSE_DONE) {
        return parse;
    }
    const char *base = in->data + at;
    *error = request_state_follow(state, base);
    state->x.request.body = (struct slice){base + state->head.length, state->body_len};
    return *error ? HTTP_PARSE_FAILED : HTTP_PARSE_DONE;
}

size_t request_wants(const struct request_state *state, const struct buffer *in, size_t at)
{
    if (!state->reading_body || state->head.framing != HTTP_BODY_LENGTH) {
        return 1;
    }
    size_t have = in->len - at - state->head.length;
    size_t left = (size_t)state->head.content_length - have;
    return left < WANTS_MOST ? left : WANTS_MOST;
}
