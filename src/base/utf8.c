// SPDX-License-Identifier: MIT
#include "base/utf8.h"

static bool is_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

size_t utf8_step(struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    size_t len = 0;

    if (s.len == 0) {
        return 0;
    }
    if (p[0] < 0x80) {
        return 1;
    }
    len = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : (p[0] & 0xf0) == 0xe0 ? 3 : 4;
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
        s.ptr += step;
        s.len -= step;
    }
    return true;
}

struct slice utf8_cut(struct slice s, size_t most)
{
    if (s.len > most) {
        s.len = most;
        while (s.len > 0 && is_tail(s.ptr[s.len])) {
            s.len--;
        }
    }
    return s;
}
