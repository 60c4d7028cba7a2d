// SPDX-License-Identifier: MIT
#include "http/chunked.h"

#include <assert.h>

/* What the next byte belongs to.
 *
 *   SIZE -> (EXTENSION) -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE ...
 *   the last chunk (size 0): SIZE_LF -> TRAILER -> (TRAILER_NAME -> TRAILER_VALUE -> TRAILER_LF
 *   -> TRAILER ...) -> END_LF -> done
 */
enum state {
    SIZE,
    EXTENSION,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    END_LF,
    DONE,
};

void http_chunked_init(struct http_chunked *chunked, uint64_t most)
{
    *chunked = (struct http_chunked){.most = most};
}

static bool fail(struct http_chunked *c, enum error error)
{
    c->error = error;
    return false;
}

static bool malformed(struct http_chunked *c)
{
    c->why =
        "The chunks of the body cannot be read. Each is its size in hexadecimal digits, CR LF, "
        "as many bytes, CR LF; the last one has the size 0, and CR LF follows it.";
    return fail(c, ERROR_MALFORMED_REQUEST);
}

static bool too_much(struct http_chunked *c)
{
    c->why = "The extensions and trailers of the chunks take more than 8,192 bytes: send none.";
    return fail(c, ERROR_HEADER_FIELDS_TOO_LARGE);
}

/* At most 16 digits, so `left` cannot overflow. */
static bool take_size(struct http_chunked *c, char byte)
{
    int value = ascii_hex(byte);
    if (value >= 0) {
        c->left = c->left * 16 + (uint64_t)value;
        return ++c->digits <= 16 || malformed(c);
    }
    if (c->digits == 0 || (byte != '\r' && byte != ';')) {
        return malformed(c);
    }
    if (c->left > c->most - c->total) {
        return fail(c, ERROR_CONTENT_TOO_LARGE);
    }
    c->total += c->left;
    c->digits = 0;
    c->state = byte == ';' ? EXTENSION : SIZE_LF;
    return true;
}

static bool take_line_feed(struct http_chunked *c, char byte, enum state next)
{
    c->state = (uint8_t)next;
    return byte == '\n' || malformed(c);
}

/* A byte of a line that is dropped; the line ends at CR. */
static bool take_dropped(struct http_chunked *c, char byte, enum state next)
{
    if (byte == '\r') {
        c->state = (uint8_t)next;
        return true;
    }
    if (++c->extra > HTTP_CHUNK_EXTRA_MOST) {
        return too_much(c);
    }
    bool clean = http_find_control((struct slice){&byte, 1}, 0) == 1;
    return clean || malformed(c);
}

static bool take_trailer_name(struct http_chunked *c, char byte)
{
    if (byte == ':' && c->digits > 0) {
        c->digits = 0;
        c->state = TRAILER_VALUE;
        return true;
    }
    if (++c->extra > HTTP_CHUNK_EXTRA_MOST) {
        return too_much(c);
    }
    c->digits = 1;
    return http_is_token((struct slice){&byte, 1}) || malformed(c);
}

static bool take_byte(struct http_chunked *c, char byte)
{
    switch (c->state) {
    case SIZE: return take_size(c, byte);
    case EXTENSION: return take_dropped(c, byte, SIZE_LF);
    case SIZE_LF: return take_line_feed(c, byte, c->left > 0 ? DATA : TRAILER);
    case DATA_CR: c->state = DATA_LF; return byte == '\r' || malformed(c);
    case DATA_LF: return take_line_feed(c, byte, SIZE);
    case TRAILER:
        if (byte == '\r') {
            c->state = END_LF;
            return true;
        }
        c->state = TRAILER_NAME;
        return take_trailer_name(c, byte);
    case TRAILER_NAME: return take_trailer_name(c, byte);
    case TRAILER_VALUE: return take_dropped(c, byte, TRAILER_LF);
    case TRAILER_LF: return take_line_feed(c, byte, TRAILER);
    default: return take_line_feed(c, byte, DONE);
    }
}

enum http_parse http_chunked_decode(struct http_chunked *c, struct slice in, char *out,
                                    size_t *consumed, size_t *decoded)
{
    size_t at = 0;
    size_t put = 0;
    assert(c->error == ERROR_NONE && c->state != DONE);
    while (at < in.len && c->state != DONE) {
        if (c->state != DATA) {
            if (!take_byte(c, in.ptr[at++])) {
                *consumed = at;
                *decoded = put;
                return HTTP_PARSE_FAILED;
            }
            continue;
        }
        size_t piece = in.len - at < c->left ? in.len - at : (size_t)c->left;
        memmove(out + put, in.ptr + at, piece);
        put += piece;
        at += piece;
        c->left -= piece;
        if (c->left == 0) {
            c->state = DATA_CR;
        }
    }
    *consumed = at;
    *decoded = put;
    return c->state == DONE ? HTTP_PARSE_DONE : HTTP_PARSE_MORE;
}
