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

struct text_facts text_look(struct slice text)
{
    struct text_facts facts = {.blank = true};
    const unsigned char *p = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len; facts.code_points++) {
        if (p[i] < 0x80) {
            look_at_ascii(&facts, p[i++]);
            continue;
        }
        size_t len = utf8_step((struct slice){text.ptr + i, text.len - i});
        assert(len > 1);
        uint32_t c = wide_code_point(p + i, len);
        facts.other_control |= c < 0xA0;
        facts.blank &= is_wide_space(c);
        i += len;
    }
    return facts;
}
