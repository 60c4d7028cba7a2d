#include "model/text.h"

/* Unicode 15, property White_Space, above ASCII. */
static bool is_wide_space(uint32_t c)
{
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
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

/* Length of a sequence by its first byte, 1 for what cannot begin one. */
static size_t sequence_length(unsigned char first)
{
    return first < 0xC2 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 1;
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
        size_t len = sequence_length(p[i]);
        if (len > text.len - i) {
            len = text.len - i;
        }
        uint32_t c = len == 1 ? 0xFFFD : wide_code_point(p + i, len);
        facts.other_control |= c < 0xA0;
        facts.blank &= is_wide_space(c);
        i += len;
    }
    return facts;
}

/* Length of the well-formed sequence at `p`, 0 if there is none (Unicode 15, table 3-7). */
static size_t well_formed(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80) {
        return 1;
    }
    size_t len = sequence_length(p[0]);
    if (len == 1 || len > left) {
        return 0;
    }
    unsigned least = p[0] == 0xE0 ? 0xA0 : p[0] == 0xF0 ? 0x90 : 0x80;
    unsigned most = p[0] == 0xED ? 0x9F : p[0] == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < least || p[1] > most) {
        return 0;
    }
    for (size_t i = 2; i < len; i++) {
        if ((p[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return len;
}

bool text_is_utf8(struct slice text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    for (size_t i = 0; i < text.len;) {
        size_t len = well_formed(p + i, text.len - i);
        if (len == 0) {
            return false;
        }
        i += len;
    }
    return true;
}

struct slice text_cut(struct slice text, size_t most)
{
    if (text.len <= most) {
        return text;
    }
    size_t len = most;
    while (len > 0 && ((unsigned char)text.ptr[len] & 0xC0) == 0x80) {
        len--;
    }
    return (struct slice){text.ptr, len};
}
