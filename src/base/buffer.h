// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_BUFFER_H
#define TASKHOLD_BASE_BUFFER_H

#include "base/slice.h"

/* A growing run of bytes with a ceiling and a sticky error: after the first failure (ceiling or
 * memory) every further append does nothing, and the one check at the end sees it. */
struct buffer {
    char *data;
    size_t len;
    size_t capacity;
    size_t most;
    bool failed;
};

/* An empty buffer that never grows above `most` bytes. Allocates nothing yet. */
void buffer_init(struct buffer *b, size_t most);

/* Frees the memory; the buffer may be used again. */
void buffer_finish(struct buffer *b);

/* Forgets content and error, keeps the memory. */
void buffer_clear(struct buffer *b);

/* Makes room for `extra` bytes after `len` and returns where they start, or NULL (sticky). The
 * caller then adds to `len` what it wrote. */
char *buffer_reserve(struct buffer *b, size_t extra);

void buffer_add(struct buffer *b, struct slice s);
void buffer_add_text(struct buffer *b, const char *text);
void buffer_add_char(struct buffer *b, char c);
void buffer_add_u64(struct buffer *b, uint64_t value);
void buffer_add_i64(struct buffer *b, int64_t value);
void buffer_add_format(struct buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first `n` bytes; the rest moves to the front. */
void buffer_consume(struct buffer *b, size_t n);

/* What it holds. The slice lives until the next call that changes the buffer. */
struct slice buffer_slice(const struct buffer *b);

#endif
