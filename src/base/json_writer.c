// SPDX-License-Identifier: MIT
#include "base/json_writer.h"

#include <assert.h>

#include "base/clock.h"

#define BYTES(byte) (UINT64_C(0x0101010101010101) * (byte))

void json_writer_init(struct json_writer *w, struct buffer *out)
{
    assert(w && out);
    *w = (struct json_writer){.out = out};
    w->first[0] = true;
}

inline void jw_name(struct json_writer *w, struct slice name)
{
    assert(name.ptr && !w->name.ptr);
    w->name = name;
}

/* Names have few bytes: two copies of a fixed size, which may overlap, cost less than one call. */
static char *put_name(char *at, struct slice name)
{
    *at++ = '"';
    if (name.len >= 4 && name.len <= 8) {
        memcpy(at, name.ptr, 4);
        memcpy(at + name.len - 4, name.ptr + name.len - 4, 4);
    } else if (name.len > 8 && name.len <= 16) {
        memcpy(at, name.ptr, 8);
        memcpy(at + name.len - 8, name.ptr + name.len - 8, 8);
    } else {
        memcpy(at, name.ptr, name.len);
    }
    at += name.len;
    *at++ = '"';
    *at++ = ':';
    return at;
}

/* Room for a value of `len` bytes, after a comma and the name where they are due. The caller gives
 * where the value ends to end_value. */
static inline char *begin_value(struct json_writer *w, size_t len)
{
    const struct slice name = w->name;
    const bool comma = !w->first[w->depth];
    const size_t before = (comma ? 1 : 0) + (name.ptr ? name.len + 3 : 0);
    char *at = buffer_reserve(w->out, len < SIZE_MAX - before ? len + before : len);

    w->first[w->depth] = false;
    w->name.ptr = NULL;
    if (!at) {
        return NULL;
    }
    if (comma) {
        *at++ = ',';
    }
    return name.ptr ? put_name(at, name) : at;
}

static inline void end_value(struct json_writer *w, const char *end)
{
    w->out->len = (size_t)(end - w->out->data);
}

void jw_raw(struct json_writer *w, struct slice json)
{
    assert(w && json.ptr);
    char *end = begin_value(w, json.len);

    if (end) {
        memcpy(end, json.ptr, json.len);
        end_value(w, end + json.len);
    }
}

static void open_level(struct json_writer *w, char bracket)
{
    char *end = begin_value(w, 1);

    if (end) {
        *end = bracket;
        end_value(w, end + 1);
    }
    w->first[++w->depth] = true;
}

void jw_open_object(struct json_writer *w)
{
    assert(w && w->depth < JSON_WRITER_DEPTH);
    open_level(w, '{');
}

void jw_close_object(struct json_writer *w)
{
    assert(w && w->depth > 0);
    w->depth--;
    buffer_add_char(w->out, '}');
}

void jw_open_array(struct json_writer *w)
{
    assert(w && w->depth < JSON_WRITER_DEPTH);
    open_level(w, '[');
}

void jw_close_array(struct json_writer *w)
{
    assert(w && w->depth > 0);
    w->depth--;
    buffer_add_char(w->out, ']');
}

/* Whether one of eight bytes must be escaped. Each term has a byte's high bit set where that byte
 * is below 0x20, a quote, a backslash; borrows can only add bits above a true one. */
static bool any_must_escape(const char *eight)
{
    uint64_t bytes = 0;

    memcpy(&bytes, eight, sizeof bytes);
    const uint64_t quote = bytes ^ BYTES('"');
    const uint64_t backslash = bytes ^ BYTES('\\');
    return ((((bytes - BYTES(0x20)) & ~bytes) | ((quote - BYTES(1)) & ~quote) |
             ((backslash - BYTES(1)) & ~backslash)) &
            BYTES(0x80)) != 0;
}

/* How many bytes at the start of `text` need no escape. */
static size_t clean_run(struct slice text)
{
    size_t n = 0;

    while (text.len - n >= 8 && !any_must_escape(text.ptr + n)) {
        n += 8;
    }
    while (n < text.len && (unsigned char)text.ptr[n] >= 0x20 && text.ptr[n] != '"' &&
           text.ptr[n] != '\\') {
        n++;
    }
    return n;
}

/* The rest of a text from its first byte that needs an escape. */
static void add_escaped(struct buffer *out, struct slice text)
{
    static const char shorts[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};

    while (text.len > 0 && !out->failed) {
        const unsigned char byte = (unsigned char)text.ptr[0];
        const char letter = byte < sizeof shorts ? shorts[byte] : text.ptr[0];
        const char escape[] = {'\\', letter ? letter : 'u', '0',
                               '0',  ASCII_HEX[byte >> 4],  ASCII_HEX[byte & 15]};
        buffer_add(out, (struct slice){escape, letter ? 2 : sizeof escape});
        text = slice_from(text, 1);
        const size_t n = clean_run(text);
        buffer_add(out, (struct slice){text.ptr, n});
        text = slice_from(text, n);
    }
}

void jw_text(struct json_writer *w, struct slice text)
{
    assert(w && (text.ptr || text.len == 0));
    const size_t clean = clean_run(text);
    char *end = begin_value(w, clean + 2);

    if (!end) {
        return;
    }
    *end++ = '"';
    if (clean > 0) {
        memcpy(end, text.ptr, clean);
    }
    end += clean;
    if (clean == text.len) {
        *end = '"';
        end_value(w, end + 1);
        return;
    }
    end_value(w, end);
    add_escaped(w->out, slice_from(text, clean));
    buffer_add_char(w->out, '"');
}

void jw_i64(struct json_writer *w, int64_t value)
{
    assert(w);
    char room[SLICE_DECIMAL_MOST];

    jw_raw(w, slice_decimal(value, room));
}

void jw_bool(struct json_writer *w, bool value)
{
    assert(w);
    jw_raw(w, value ? SLICE("true") : SLICE("false"));
}

void jw_null(struct json_writer *w)
{
    assert(w);
    jw_raw(w, SLICE("null"));
}

void jw_uuid(struct json_writer *w, struct uuid id)
{
    assert(w);
    char *end = begin_value(w, UUID_TEXT_LEN + 2);

    if (end) {
        end[0] = '"';
        uuid_format(id, end + 1);
        end[UUID_TEXT_LEN + 1] = '"';
        end_value(w, end + UUID_TEXT_LEN + 2);
    }
}

void jw_time(struct json_writer *w, int64_t ms)
{
    assert(w);
    char *end = begin_value(w, CLOCK_RFC3339_LEN + 2);

    if (end) {
        end[0] = '"';
        clock_format_rfc3339(ms, end + 1);
        end[CLOCK_RFC3339_LEN + 1] = '"';
        end_value(w, end + CLOCK_RFC3339_LEN + 2);
    }
}
