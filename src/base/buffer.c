// SPDX-License-Identifier: MIT
#include "base/buffer.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* What a first append takes; most responses fit. */
#define BUFFER_FIRST 256

void buffer_init(struct buffer *b, size_t most)
{
    assert(b);
    *b = (struct buffer){.most = most};
}

void buffer_finish(struct buffer *b)
{
    assert(b);
    free(b->data);
    buffer_init(b, b->most);
}

void buffer_clear(struct buffer *b)
{
    assert(b);
    b->len = 0;
    b->failed = false;
}

/* One byte more than the capacity is allocated, so that vsnprintf has a place for its NUL. */
static __attribute__((noinline)) char *reserve_more(struct buffer *b, size_t extra)
{
    size_t capacity = b->capacity > BUFFER_FIRST ? b->capacity : BUFFER_FIRST;
    char *data = NULL;

    if (b->failed) {
        return NULL;
    }
    if (extra <= b->most - b->len) {
        while (capacity < b->len + extra && capacity <= b->most / 2) {
            capacity *= 2;
        }
        capacity = capacity < b->len + extra || capacity > b->most ? b->most : capacity;
        data = capacity < SIZE_MAX ? realloc(b->data, capacity + 1) : NULL;
    }
    if (!data) {
        b->failed = true;
        return NULL;
    }
    b->data = data;
    b->capacity = capacity;
    return data + b->len;
}

inline char *buffer_reserve(struct buffer *b, size_t extra)
{
    assert(b && b->len <= b->capacity);
    if (!b->failed && b->data && extra <= b->capacity - b->len) {
        return b->data + b->len;
    }
    return reserve_more(b, extra);
}

inline struct slice buffer_slice(const struct buffer *b)
{
    assert(b);
    return (struct slice){b->data, b->len};
}

void buffer_add(struct buffer *b, struct slice s)
{
    assert(s.ptr || s.len == 0);
    char *end = buffer_reserve(b, s.len);

    if (end && s.len > 0) {
        memcpy(end, s.ptr, s.len);
        b->len += s.len;
    }
}

void buffer_add_text(struct buffer *b, const char *text)
{
    assert(text);
    buffer_add(b, slice_of(text));
}

void buffer_add_char(struct buffer *b, char c)
{
    assert(b);
    char *end = buffer_reserve(b, 1);

    if (end) {
        *end = c;
        b->len++;
    }
}

void buffer_add_u64(struct buffer *b, uint64_t value)
{
    assert(b);
    char room[SLICE_DECIMAL_MOST];

    buffer_add(b, slice_decimal_u64(value, room));
}

void buffer_add_i64(struct buffer *b, int64_t value)
{
    char room[SLICE_DECIMAL_MOST];

    buffer_add(b, slice_decimal(value, room));
}

void buffer_add_format(struct buffer *b, const char *format, ...)
{
    assert(format);
    va_list arguments;
    char *end = buffer_reserve(b, 0);
    int len = 0;

    if (!end) {
        return;
    }
    va_start(arguments, format);
    len = vsnprintf(end, b->capacity - b->len + 1, format, arguments);
    va_end(arguments);
    if (len < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)len > b->capacity - b->len) {
        end = buffer_reserve(b, (size_t)len);
        if (!end) {
            return;
        }
        va_start(arguments, format);
        (void)vsnprintf(end, (size_t)len + 1, format, arguments);
        va_end(arguments);
    }
    b->len += (size_t)len;
}

void buffer_consume(struct buffer *b, size_t n)
{
    assert(b && n <= b->len);
    b->len -= n;
    if (n > 0 && b->len > 0) {
        memmove(b->data, b->data + n, b->len);
    }
}
