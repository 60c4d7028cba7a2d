// SPDX-License-Identifier: MIT
#include "http/request.h"

#include "http/loop.h"

/* What a read may ask for at once, so that memory follows the bytes that really came. */
#define WANTS_MOST ((size_t)256 * 1024)

static enum error begin_body(struct exchange *exchange, const char *base)
{
    enum error error = exchange_resolve(exchange, base);
    if (error) {
        return error;
    }
    const struct http_route *route = exchange->x.route;
    size_t most = exchange->x.loop->server->options.body_most;
    exchange->body_most = route && route->body_most ? route->body_most : most;
    exchange->wire_len = exchange->head.length;
    exchange->reading_body = true;
    if (exchange->head.framing == HTTP_BODY_CHUNKED) {
        http_chunked_init(&exchange->chunked, exchange->body_most);
    } else if (exchange->head.content_length > exchange->body_most) {
        return ERROR_CONTENT_TOO_LARGE;
    }
    return ERROR_NONE;
}

static enum http_parse feed_sized(struct exchange *exchange, const struct buffer *in, size_t at)
{
    size_t have = in->len - at - exchange->head.length;
    size_t need = (size_t)exchange->head.content_length;
    exchange->body_len = have < need ? have : need;
    exchange->wire_len = exchange->head.length + exchange->body_len;
    return have < need ? HTTP_PARSE_MORE : HTTP_PARSE_DONE;
}

/* The content moves down over the framing, so that it is one run after the head. */
static enum http_parse feed_chunked(struct exchange *exchange, struct buffer *in, size_t at)
{
    size_t begin = at + exchange->head.length;
    size_t raw = at + exchange->wire_len;
    size_t consumed = 0;
    size_t decoded = 0;
    enum http_parse parse =
        http_chunked_decode(&exchange->chunked, (struct slice){in->data + raw, in->len - raw},
                            in->data + begin + exchange->body_len, &consumed, &decoded);
    exchange->body_len += decoded;
    exchange->wire_len += consumed;
    if (parse == HTTP_PARSE_MORE) {
        exchange->wire_len = exchange->head.length + exchange->body_len;
        in->len = at + exchange->wire_len;
    }
    return parse;
}

static enum http_parse feed_body(struct exchange *exchange, struct buffer *in, size_t at)
{
    switch (exchange->head.framing) {
    case HTTP_BODY_LENGTH: return feed_sized(exchange, in, at);
    case HTTP_BODY_CHUNKED: return feed_chunked(exchange, in, at);
    default: return HTTP_PARSE_DONE;
    }
}

static enum http_parse feed_head(struct exchange *exchange, const struct buffer *in, size_t at,
                                 enum error *error)
{
    struct slice input = {in->data + at, in->len - at};
    enum http_parse parse = http_head_parse(&exchange->head, input);
    if (parse == HTTP_PARSE_DONE) {
        *error = begin_body(exchange, input.ptr);
    } else if (parse == HTTP_PARSE_FAILED) {
        *error = exchange->head.error;
        exchange->why = exchange->head.why;
    }
    return *error ? HTTP_PARSE_FAILED : parse;
}

enum http_parse request_feed(struct exchange *exchange, struct buffer *in, size_t at,
                             enum error *error)
{
    if (!exchange->reading_body) {
        enum http_parse parse = feed_head(exchange, in, at, error);
        if (parse != HTTP_PARSE_DONE) {
            return parse;
        }
    }
    enum http_parse parse = feed_body(exchange, in, at);
    if (parse == HTTP_PARSE_FAILED) {
        *error = exchange->chunked.error;
        exchange->why = exchange->chunked.why;
    }
    if (parse != HTTP_PARSE_DONE) {
        return parse;
    }
    const char *base = in->data + at;
    *error = exchange_follow(exchange, base);
    exchange->x.request.body = (struct slice){base + exchange->head.length, exchange->body_len};
    return *error ? HTTP_PARSE_FAILED : HTTP_PARSE_DONE;
}

size_t request_wants(const struct exchange *exchange, const struct buffer *in, size_t at)
{
    if (!exchange->reading_body || exchange->head.framing != HTTP_BODY_LENGTH) {
        return 1;
    }
    size_t have = in->len - at - exchange->head.length;
    size_t left = (size_t)exchange->head.content_length - have;
    return left < WANTS_MOST ? left : WANTS_MOST;
}
