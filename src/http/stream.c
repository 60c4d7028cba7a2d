// SPDX-License-Identifier: MIT
#include "http/stream.h"

#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "http/connection.h"
#include "http/dispatch.h"
#include "http/loop.h"
#include "http/problem.h"

#define PULSE_MS        15000
#define CHUNK_SIZE_LINE 10 /* eight digits and CRLF */

/* ---- the bytes ---- */

/* There is room for the chunk's size in front: leading zeros are allowed there (RFC 9112 section
 * 7.1), so the size can be filled in afterwards. */
enum http_stream_step http_stream_frame(http_stream_fn *pull, void *source, bool plain,
                                        struct buffer *out)
{
    static const char digits[] = ASCII_HEX;
    const size_t begin = out->len;
    assert(pull && out);
    if (plain) {
        return pull(source, out);
    }
    buffer_add(out, SLICE("00000000\r\n"));
    const enum http_stream_step step = pull(source, out);
    if (out->failed) {
        return HTTP_STREAM_FAIL;
    }
    const size_t len = out->len - begin - CHUNK_SIZE_LINE;
    if (len == 0) {
        out->len = begin;
    } else {
        size_t rest = len;
        for (size_t i = CHUNK_SIZE_LINE - 2; i-- > 0; rest /= 16) {
            out->data[begin + i] = digits[rest % 16];
        }
        buffer_add(out, SLICE("\r\n"));
    }
    if (step == HTTP_STREAM_END) {
        buffer_add(out, SLICE("0\r\n\r\n"));
    }
    return step;
}

/* What `pull` gives into the output of the connection. */
static bool give(struct http_stream *stream, http_stream_fn *pull, void *source)
{
    struct http_connection *c = stream->connection;
    struct buffer *out = &c->out;
    enum http_stream_step step = HTTP_STREAM_FAIL;
    assert(!stream->over);
    stream->woken = false;
    if (http_loop_take_buffer(c->loop, out)) {
        const size_t begin = out->len;
        const size_t framing = stream->plain ? 0 : CHUNK_SIZE_LINE;
        step = http_stream_frame(pull, source, stream->plain, out);
        const size_t tail = stream->plain ? 0 : step == HTTP_STREAM_END ? 7 : 2;
        const size_t len = out->len - begin;
        stream->chunk = begin;
        stream->chunk_len = len > framing + tail ? len - framing - tail : 0;
    }
    if (c->out.len > c->out_at) {
        c->touched_ms = c->loop->now_ms;
    }
    stream->over = step == HTTP_STREAM_END;
    stream->fresh = stream->fresh && step == HTTP_STREAM_WAIT;
    stream->waits = step == HTTP_STREAM_WAIT && !stream->woken;
    http_loop_spend(c->loop, c->account);
    c->gone = c->gone || c->out.failed || step == HTTP_STREAM_FAIL;
    return !c->gone;
}

bool http_stream_pull(struct http_stream *stream)
{
    assert(OWNER_IS(stream, HTTP_STREAM_MAGIC) && !stream->waits);
    return give(stream, stream->kind->pull, stream->source);
}

static enum http_stream_step say_last(void *source, struct buffer *out)
{
    struct http_stream *stream = OWNER_CAST(source, struct http_stream, HTTP_STREAM_MAGIC);
    if (stream->kind->drain) {
        stream->kind->drain(stream->source, out);
    }
    return HTTP_STREAM_END;
}

bool http_stream_drain(struct http_stream *stream)
{
    return give(stream, say_last, stream);
}

static enum http_stream_step pulse(void *source, struct buffer *out)
{
    const struct http_stream *stream = OWNER_CAST(source, struct http_stream, HTTP_STREAM_MAGIC);
    buffer_add(out, stream->kind->pulse);
    return HTTP_STREAM_WAIT;
}

/* Of a chunk that the client has a part of, the rest of its length must still come: spaces stand
 * for what is not sent. For a reader of text that is a line which never ends, so it is not
 * believed. */
static void drop_unsent(const struct http_stream *stream, struct buffer *out, size_t sent)
{
    const size_t begin = stream->chunk + (stream->plain ? 0 : CHUNK_SIZE_LINE);
    const size_t end = begin + stream->chunk_len;
    assert(stream->chunk_len > 0 && end <= out->len);
    if (sent <= stream->chunk) {
        out->len = stream->chunk;
    } else if (stream->plain) {
        out->len = sent;
    } else {
        const size_t at = sent > begin ? sent : begin;
        if (at < end) {
            memset(out->data + at, ' ', end - at);
        }
        out->len = end + 2;
    }
}

void http_stream_cut(struct http_stream *stream)
{
    struct http_connection *c = stream->connection;
    assert(OWNER_IS(stream, HTTP_STREAM_MAGIC) && c);
    const bool unsent = c->out.len > c->out_at && stream->chunk_len > 0;
    const size_t end = stream->chunk + CHUNK_SIZE_LINE + stream->chunk_len + 2;
    if (stream->over && (!unsent || c->out_at > end)) {
        return; /* its end is on its way */
    }
    if (unsent) {
        drop_unsent(stream, &c->out, c->out_at);
    }
    stream->over = stream->cut = true;
    stream->waits = false;
    if (!http_loop_take_buffer(c->loop, &c->out)) {
        c->gone = true;
    } else if (!stream->plain) {
        buffer_add(&c->out, SLICE("0\r\n\r\n"));
        c->gone = c->gone || c->out.failed;
    }
    http_connection_wake(c);
}

/* ---- its life ---- */

bool http_stream_admit(struct http_exchange *x)
{
    struct http_loop *loop = x->loop;
    if (loop->stopping) {
        http_respond_problem(x, ERROR_UNAVAILABLE,
                             "This server is about to end, so it begins no stream. Ask again: "
                             "another one will answer.",
                             NULL);
        return false;
    }
    if (loop->open_streams >= loop->server->streams_most) {
        dispatch_refuse_overload(x, "As many streams are open as this server may have. Read "
                                    "GET /v1/changes meanwhile, or try again later.");
        return false;
    }
    return true;
}

struct http_stream *http_stream_open(struct http_exchange *x, const struct http_stream_kind *kind,
                                     void *source)
{
    assert(kind->pull && kind->close && !x->response.open && !x->response.stream);
    struct http_stream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        return NULL;
    }
    OWNER_SET(stream, HTTP_STREAM_MAGIC);
    stream->kind = kind;
    stream->source = source;
    stream->fresh = true;
    stream->end_ms = TIMERS_NEVER;
    stream->wake_ms = TIMERS_NEVER;
    stream->plain = x->request.http10;
    x->response.open = stream;
    x->response.close = true;
    return stream;
}

static enum http_stream_step give_nothing(void *source, struct buffer *out)
{
    (void)source;
    (void)out;
    return HTTP_STREAM_END;
}

void http_stream_promise(struct http_exchange *x)
{
    assert(x->request.method == HTTP_HEAD);
    x->response.stream = give_nothing;
    x->response.close = true;
}

void http_stream_attach(struct http_stream *stream, struct http_connection *c)
{
    assert(OWNER_IS(stream, HTTP_STREAM_MAGIC) && !stream->connection && !c->stream);
    stream->connection = c;
    c->stream = stream;
    c->loop->open_streams++;
}

void http_stream_end_at(struct http_stream *stream, int64_t end_ms)
{
    assert(OWNER_IS(stream, HTTP_STREAM_MAGIC) && end_ms > 0);
    stream->end_ms = end_ms;
}

bool http_stream_may_send(const struct http_stream *stream)
{
    return stream->cut || !stream->kind->may_send || stream->kind->may_send(stream->source);
}

void http_stream_wake(struct http_stream *stream)
{
    assert(OWNER_IS(stream, HTTP_STREAM_MAGIC));
    stream->woken = true;
    stream->waits = false;
    stream->wake_ms = TIMERS_NEVER;
    if (stream->connection) {
        http_connection_wake(stream->connection);
    }
}

void http_stream_wake_at(struct http_stream *stream, int64_t wake_ms)
{
    struct http_connection *c = stream->connection;
    assert(OWNER_IS(stream, HTTP_STREAM_MAGIC) && c && wake_ms > 0);
    stream->wake_ms = wake_ms;
    timers_set(&c->loop->timers, &c->timer, http_stream_deadline(stream));
}

int64_t http_stream_deadline(const struct http_stream *stream)
{
    const struct http_connection *c = stream->connection;
    const bool unsent = c->out.len > c->out_at;
    const int64_t next_ms =
        c->touched_ms + (unsent || stream->over ? CONNECTION_SILENT_MS : PULSE_MS);
    if (stream->over) {
        return next_ms;
    }
    const int64_t own_ms = stream->wake_ms < stream->end_ms ? stream->wake_ms : stream->end_ms;
    return next_ms < own_ms ? next_ms : own_ms;
}

bool http_stream_expire(struct http_stream *stream)
{
    const struct http_connection *c = stream->connection;
    const int64_t now_ms = c->loop->now_ms;
    if (!stream->over && now_ms >= stream->end_ms) {
        http_stream_cut(stream);
        return true;
    }
    if (!stream->over && now_ms >= stream->wake_ms) {
        http_stream_wake(stream);
        return true;
    }
    return c->out.len == c->out_at && !stream->over && give(stream, pulse, stream);
}

void http_stream_destroy(struct http_stream **stream)
{
    struct http_stream *gone = *stream;
    if (!gone) {
        return;
    }
    *stream = NULL;
    if (gone->connection) {
        gone->connection->stream = NULL;
        gone->connection->loop->open_streams--;
    }
    gone->kind->close(gone->source);
    OWNER_END(gone);
    free(gone);
}
