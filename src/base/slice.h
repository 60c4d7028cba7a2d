// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_SLICE_H
#define TASKHOLD_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. `ptr` may be NULL only when `len` is 0; nothing is terminated by
 * NUL. A slice lives as long as its owner says. */
struct slice {
    const char *ptr;
    size_t len;
};

/* A slice of a string literal. */
#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})

static inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* Equal without regard to ASCII case (and to nothing else). */
bool slice_eq_nocase(struct slice a, struct slice b);

/* Without leading and trailing SP and HTAB (the OWS of RFC 9110). */
struct slice slice_trim(struct slice s);

/* The same without line ends too: what a shell, an editor or a platform's form leaves around a
 * value. */
struct slice slice_strip(struct slice s);

/* Whether a control character (C0 or DEL) is in it. */
bool slice_has_control(struct slice s);

/* Cuts off what stands before the next `separator` and returns it; `*rest` moves after the
 * separator, and its `ptr` becomes NULL after the last part. */
struct slice slice_next(struct slice *rest, char separator);

/* Decimal digits only, no sign, no leading blank. Returns false on anything else, on an empty slice
 * and above `most`. */
bool slice_to_u64(struct slice s, uint64_t most, uint64_t *value);

#endif
