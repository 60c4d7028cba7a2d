// SPDX-License-Identifier: MIT
#include "model/text.h"

#include <assert.h>

#include "base/utf8.h"

/* Unicode 15, property White_Space, above ASCII; and U+FEFF, which shows nothing either. */
static bool is_wide_space(uint32_t c)
{
    return c == 0xFEFF || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Decodes one code point of well-formed UTF-8 that is not ASCII. */
static uint32_t wide_code_point(const unsigned char *p, size_t len)
{
    if (len == 2) {
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    }
    if (len == 3) {
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    }
    return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 |
           (uint32_t)(p[2] & 0x3F) << 6 | (p[3] & 0x3F);
}

static void look_at_ascii(struct text_facts *facts, unsigned char c)
{
    if (c >= 0x21 && c != 0x7F) {
        facts->blank = false;
        return;
    }
    if (c == '\t' || c == '\n' || c == '\r') {
        facts->line_control = true;
        return;
    }
    if (c == ' ') {
        return;
    }
    facts->other_control = true;
    if (c != 0x0B && c != 0x0C) {
        facts->blank = false;
    }
}

/* The code point at the front of well-formed UTF-8, which is not empty, and its length. */
static uint32_t first_code_point(struct slice text, size_t *len)
{
    *len = utf8_step(text);
    assert(*len > 0);
    return *len == 1 ? (unsigned char)text.ptr[0]
                     : wide_code_point((const unsigned char *)text.ptr, *len);
}

size_t text_find_control(struct slice text, bool lines, uint32_t *control)
{
    struct slice rest = text;
    for (size_t place = 1; rest.len > 0; place++) {
        size_t len = 0;
        const uint32_t c = first_code_point(rest, &len);
        const bool line = c == '\t' || c == '\n' || c == '\r';
        if ((c < 0x20 && !(line && lines)) || (c >= 0x7F && c < 0xA0)) {
            *control = c;
            return place;
        }
        rest = slice_from(rest, len);
    }
    return 0;
}

struct text_facts text_look(struct slice text)
{
    struct text_facts facts = {.blank = true};
    const unsigned char *p = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len; facts.code_points++) {
        if (p[i] < 0x80) {
            look_at_ascii(&facts, p[i++]);
            continue;
        }
        size_t len = utf8_step(slice_from(text, i));
        assert(len > 1);
        uint32_t c = wide_code_point(p + i, len);
        facts.other_control |= c < 0xA0;
        facts.blank &= is_wide_space(c);
        i += len;
    }
    return facts;
}
