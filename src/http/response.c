// SPDX-License-Identifier: MIT
#include "http/response.h"

#include "http/loop.h"

#define COPY_MOST       ((size_t)16 * 1024) /* larger bodies are written from where they are */
#define PULL_MOST       ((size_t)64 * 1024)
#define CHUNK_SIZE_LINE 10 /* eight digits and CRLF */
#define LENGTH_DIGITS   20

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

static char *put_number(char *at, uint64_t value)
{
    char room[SLICE_DECIMAL_MOST];
    return put(at, slice_decimal_u64(value, room));
}

static bool status_has_body(int status)
{
    return status != 204 && status != 304;
}

bool response_has_body(const struct request_state *state)
{
    return state->x.request.method != HTTP_HEAD && status_has_body(state->x.response.status);
}

static struct slice body_of(const struct http_response *response)
{
    return response->fixed.ptr ? response->fixed : buffer_slice(response->body);
}

/* How the message ends for the client (RFC 9112 section 6). */
static char *put_framing(char *at, const struct request_state *state)
{
    const struct http_response *response = &state->x.response;
    if (!status_has_body(response->status)) {
        return at;
    }
    if (!response->stream) {
        at = put(at, SLICE("Content-Length: "));
        at = put_number(at, body_of(response).len);
        return put(at, SLICE("\r\n"));
    }
    return state->x.request.http10 ? at : put(at, SLICE("Transfer-Encoding: chunked\r\n"));
}

static char *put_connection(char *at, const struct request_state *state)
{
    if (!state->keep_alive) {
        return put(at, SLICE("Connection: close\r\n"));
    }
    return state->x.request.http10 ? put(at, SLICE("Connection: keep-alive\r\n")) : at;
}

static bool write_head(const struct request_state *state, struct buffer *out)
{
    const struct http_exchange *x = &state->x;
    struct slice line = status_line(x->response.status);
    struct slice fields = buffer_slice(x->response.head);
    struct slice stamp = http_loop_stamp(x->loop);
    const size_t framing = 128; /* what the two functions above put at most, and line ends */
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
    at = put_framing(at, state);
    at = put_connection(at, state);
    at = put(at, SLICE("\r\n"));
    out->len += (size_t)(at - begin);
    return true;
}

bool response_write(struct request_state *state, struct buffer *out, struct slice *tail)
{
    size_t begin = out->len;
    *tail = (struct slice){NULL, 0};
    if (!write_head(state, out)) {
        return false;
    }
    if (response_has_body(state) && !state->x.response.stream) {
        struct slice body = body_of(&state->x.response);
        if (body.len > COPY_MOST) {
            *tail = body;
        } else {
            buffer_add(out, body);
        }
    }
    state->sent += out->len - begin + tail->len;
    return !out->failed;
}

/* Calls the stream once, with room for the chunk's size in front: leading zeros are allowed there
 * (RFC 9112 section 7.1), so the size can be filled in afterwards. */
static enum http_stream_step pull_chunk(struct http_response *response, struct buffer *out)
{
    static const char digits[] = ASCII_HEX;
    size_t begin = out->len;
    buffer_add(out, SLICE("00000000\r\n"));
    enum http_stream_step step = response->stream(response->stream_source, out);
    if (out->failed) {
        return HTTP_STREAM_FAIL;
    }
    size_t len = out->len - begin - CHUNK_SIZE_LINE;
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

enum http_stream_step response_pull(struct request_state *state, struct buffer *out)
{
    struct http_response *response = &state->x.response;
    enum http_stream_step step = HTTP_STREAM_MORE;
    size_t begin = out->len;
    while (step == HTTP_STREAM_MORE && out->len - begin < PULL_MOST) {
        size_t before = out->len;
        step = state->x.request.http10 ? response->stream(response->stream_source, out)
                                       : pull_chunk(response, out);
        if (step == HTTP_STREAM_MORE && out->len == before) {
            step = HTTP_STREAM_FAIL; /* the source broke its contract: it would spin */
        }
    }
    state->sent += out->len - begin;
    return out->failed ? HTTP_STREAM_FAIL : step;
}

bool response_end_stream(struct request_state *state, struct buffer *out)
{
    if (!state->x.request.http10) {
        buffer_add(out, SLICE("0\r\n\r\n"));
        state->sent += SLICE("0\r\n\r\n").len;
    }
    return !out->failed;
}
