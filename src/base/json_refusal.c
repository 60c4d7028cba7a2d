// SPDX-License-Identifier: MIT
#include "base/json_refusal.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#define NAME_MOST 64 /* bytes of a name that a sentence repeats */

/* Where a byte is, for people: both from 1; columns are code points. */
struct place {
    size_t line;
    size_t column;
};

static struct place place_of(struct slice text, size_t at)
{
    struct place place = {1, 1};
    for (size_t i = 0; i < at && i < text.len; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];
        if (c == '\n') {
            place = (struct place){place.line + 1, 1};
        } else if ((c & 0xC0) != 0x80) {
            place.column++;
        }
    }
    return place;
}

bool json_refusal_say(char why[static JSON_READER_WHY], const char *format, ...)
{
    va_list arguments;
    assert(format);
    va_start(arguments, format);
    (void)vsnprintf(why, JSON_READER_WHY, format, arguments);
    va_end(arguments);
    return false;
}

bool json_refusal_at(char why[static JSON_READER_WHY], struct slice text, size_t at,
                     const char *what)
{
    assert(at <= text.len && what);
    const struct place place = place_of(text, at);
    return json_refusal_say(why, "The body is not valid JSON at line %zu, column %zu: %s",
                            place.line, place.column, what);
}

bool json_refusal_unexpected(char why[static JSON_READER_WHY], struct slice text, size_t at,
                             const char *wanted)
{
    char what[160];
    assert(at < text.len && wanted);
    const unsigned char c = (unsigned char)text.ptr[at];
    if (c == '\0') {
        return json_refusal_at(why, text, at, "a NUL byte stands there.");
    }
    if (c == '\'') {
        return json_refusal_at(why, text, at,
                               "JSON puts texts and names in double quotes, not in single ones.");
    }
    if (c == '/' || c == '#') {
        return json_refusal_at(why, text, at, "JSON has no comments.");
    }
    if (c > 0x20 && c < 0x7F) {
        (void)snprintf(what, sizeof what, "%s, but `%c` stands there.", wanted, c);
    } else {
        (void)snprintf(what, sizeof what, "%s, but a character that cannot stand there does.",
                       wanted);
    }
    return json_refusal_at(why, text, at, what);
}

bool json_refusal_deep(char why[static JSON_READER_WHY], struct slice text, size_t at)
{
    const struct place place = place_of(text, at);
    return json_refusal_say(why,
                            "The body is nested more than %d levels deep at line %zu, column %zu.",
                            JSON_DEPTH, place.line, place.column);
}

bool json_refusal_encoding(char why[static JSON_READER_WHY], struct slice text)
{
    size_t at = 0;
    if (slice_starts(text, JSON_BYTE_ORDER_MARK)) {
        return json_refusal_say(
            why, "The body begins with a byte order mark (EF BB BF): send UTF-8 without one.");
    }
    for (size_t step = 1; step > 0; at += step) {
        step = utf8_step(slice_from(text, at));
    }
    return json_refusal_say(why, "The body is not UTF-8 at byte %zu: encode all of it in UTF-8.",
                            at + 1);
}

/* The common ones have a sentence of their own. */
bool json_refusal_top(char why[static JSON_READER_WHY], struct slice text, size_t at, bool word)
{
    if (at == text.len) {
        return json_refusal_say(why, "The body is empty: send one JSON object.");
    }
    const char c = text.ptr[at];
    if (c == '[') {
        return json_refusal_say(why, "The body is a JSON array: send one JSON object.");
    }
    if (c == '"') {
        return json_refusal_say(
            why, "The body is a JSON text in quotes, as if it had been stringified twice: send the "
                 "object itself.");
    }
    if (ascii_is_digit(c) || c == '-') {
        return json_refusal_say(why, "The body is a JSON number: send one JSON object.");
    }
    if (word) {
        return json_refusal_say(why, "The body is a single JSON word: send one JSON object.");
    }
    return json_refusal_unexpected(why, text, at, "an object is expected");
}

/* The name that ends before `end`, as it is written, and where its quote opens. No quote stands in
 * it but after a backslash. */
static struct slice name_before(struct slice text, size_t end, size_t *begin)
{
    size_t at = end - 1;
    for (bool found = false; !found && at > 0;) {
        size_t slashes = 0;
        at--;
        while (text.ptr[at] == '"' && slashes < at && text.ptr[at - 1 - slashes] == '\\') {
            slashes++;
        }
        found = text.ptr[at] == '"' && slashes % 2 == 0;
    }
    *begin = at;
    return (struct slice){text.ptr + at + 1, end - at - 2};
}

bool json_refusal_duplicate(char why[static JSON_READER_WHY], struct slice text, size_t end)
{
    size_t begin = 0;
    assert(end >= 2 && end <= text.len && text.ptr[end - 1] == '"');
    const struct slice name = name_before(text, end, &begin);
    const struct slice shown = utf8_cut(name, NAME_MOST);
    const struct place place = place_of(text, begin);
    return json_refusal_say(
        why, "The member \"%.*s%s\" stands twice in one object, again at line %zu, column %zu.",
        (int)shown.len, shown.ptr, shown.len < name.len ? "..." : "", place.line, place.column);
}
