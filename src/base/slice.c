// SPDX-License-Identifier: MIT
#include "base/slice.h"

#include <assert.h>

inline struct slice slice_of(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

inline bool slice_starts(struct slice s, struct slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

inline bool slice_ends(struct slice s, struct slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

inline struct slice slice_from(struct slice s, size_t n)
{
    assert(n <= s.len);
    return n > 0 ? (struct slice){s.ptr + n, s.len - n} : s;
}

inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

inline bool ascii_is_alnum(char c)
{
    return ascii_is_digit(c) || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

inline int ascii_hex(char c)
{
    const char lower = ascii_lower(c);
    return ascii_is_digit(c) ? c - '0' : lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

inline bool ascii_is_in(char c, const char *set)
{
    return c != '\0' && strchr(set, c);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

struct slice slice_lower(struct slice s, char *room)
{
    assert(room || s.len == 0);
    for (size_t i = 0; i < s.len; i++) {
        room[i] = ascii_lower(s.ptr[i]);
    }
    return (struct slice){room, s.len};
}

/* Without any of `set` at either end. */
static struct slice without(struct slice s, const char *set)
{
    while (s.len > 0 && ascii_is_in(s.ptr[0], set)) {
        s = slice_from(s, 1);
    }
    while (s.len > 0 && ascii_is_in(s.ptr[s.len - 1], set)) {
        s.len--;
    }
    return s;
}

struct slice slice_trim(struct slice s)
{
    return without(s, " \t");
}

struct slice slice_strip(struct slice s)
{
    return without(s, " \t\r\n");
}

bool slice_has_control(struct slice s)
{
    assert(s.ptr || s.len == 0);
    for (size_t i = 0; i < s.len; i++) {
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f) {
            return true;
        }
    }
    return false;
}

struct slice slice_next(struct slice *rest, char separator)
{
    assert(rest);
    struct slice part = *rest;
    const char *end = part.len > 0 ? memchr(part.ptr, separator, part.len) : NULL;

    if (!end) {
        *rest = (struct slice){0};
        return part;
    }
    part.len = (size_t)(end - part.ptr);
    rest->ptr = end + 1;
    rest->len -= part.len + 1;
    return part;
}

bool slice_to_u64(struct slice s, uint64_t most, uint64_t *value)
{
    assert(value);
    uint64_t sum = 0;

    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        const unsigned digit = (unsigned char)s.ptr[i] - (unsigned)'0';
        if (digit > 9 || sum > (most - digit) / 10 || most < digit) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

struct slice slice_decimal_u64(uint64_t value, char room[static SLICE_DECIMAL_MOST])
{
    assert(room);
    size_t first = SLICE_DECIMAL_MOST;

    do {
        room[--first] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return (struct slice){room + first, SLICE_DECIMAL_MOST - first};
}

struct slice slice_decimal(int64_t value, char room[static SLICE_DECIMAL_MOST])
{
    if (value >= 0) {
        return slice_decimal_u64((uint64_t)value, room);
    }
    /* Negated as unsigned: -INT64_MIN would overflow. 19 digits at most, so the sign has room. */
    const struct slice digits = slice_decimal_u64(0 - (uint64_t)value, room);
    char *sign = room + (SLICE_DECIMAL_MOST - digits.len - 1);
    *sign = '-';
    return (struct slice){sign, digits.len + 1};
}

/* ---- UTF-8 ---- */

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_step(struct slice s)
{
    assert(s.ptr || s.len == 0);
    const unsigned char *p = (const unsigned char *)s.ptr;

    if (s.len == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    const size_t len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
    if (p[0] < 0xc2 || p[0] > 0xf4 || s.len < len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if (!is_tail(s.ptr[i])) {
            return 0;
        }
    }
    /* Overlong forms, surrogates, above U+10FFFF: told by the second byte. */
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)) {
        return 0;
    }
    return len;
}

bool utf8_valid(struct slice s)
{
    while (s.len > 0) {
        const size_t step = utf8_step(s);
        if (step == 0) {
            return false;
        }
        s = slice_from(s, step);
    }
    return true;
}

struct slice utf8_cut(struct slice s, size_t most)
{
    assert(s.ptr || s.len == 0);
    if (s.len > most) {
        s.len = most;
        while (s.len > 0 && is_tail(s.ptr[s.len])) {
            s.len--;
        }
    }
    return s;
}

void utf8_tame(char *text, size_t len, bool lines)
{
    assert(text || len == 0);
    for (size_t at = 0; at < len;) {
        const size_t step = utf8_step((struct slice){text + at, len - at});
        const unsigned char c = (unsigned char)text[at];
        if (step == 0) {
            text[at] = '?';
        } else if ((c < 0x20 && !(lines && c == '\n')) || c == 0x7f) {
            text[at] = ' ';
        } else if (c == 0xc2 && (unsigned char)text[at + 1] < 0xa0) {
            text[at] = text[at + 1] = ' ';
        }
        at += step ? step : 1;
    }
}
