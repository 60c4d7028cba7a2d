// SPDX-License-Identifier: MIT
#include "base/json_reader.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include <jansson.h>
#include <sodium.h>

#include "base/json_refusal.h"

/* A scan looks at the text first, before jansson, which recurses and allocates, sees it, and says
 * what is wrong and where in words for the person who sent it. */

struct scan {
    struct slice text;
    size_t at; /* the next byte */
    unsigned depth;
    unsigned tokens;
    unsigned tokens_most;
    char open[JSON_DEPTH]; /* `{` or `[`, the outermost first */
    bool huge;
    char *mend; /* the same text, to be written; NULL: it is only looked at */
    char *why;
};

static bool say_at(struct scan *s, size_t at, const char *what)
{
    return json_refusal_at(s->why, s->text, at, what);
}

static bool say_unexpected(struct scan *s, const char *wanted)
{
    return json_refusal_unexpected(s->why, s->text, s->at, wanted);
}

/* ---- strings ---- */

/* The code unit of `\uXXXX` that begins at `at`; -1: there is none. */
static long code_unit(struct slice text, size_t at)
{
    long value = 0;
    if (at + 6 > text.len || text.ptr[at] != '\\' || text.ptr[at + 1] != 'u') {
        return -1;
    }
    for (size_t i = 2; i < 6; i++) {
        const int digit = ascii_hex(text.ptr[at + i]);
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

/* From its backslash. */
static bool scan_escape(struct scan *s)
{
    const char c = s->at + 1 < s->text.len ? s->text.ptr[s->at + 1] : '\0';
    if (!ascii_is_in(c, "\"\\/bfnrtu")) {
        return say_at(s, s->at,
                      "a backslash begins no escape of JSON there; a backslash itself is \\\\.");
    }
    if (c != 'u') {
        s->at += 2;
        return true;
    }
    const long unit = code_unit(s->text, s->at);
    if (unit < 0) {
        return say_at(s, s->at, "\\u must be followed by four hexadecimal digits.");
    }
    if (unit == 0) {
        return say_at(s, s->at, "\\u0000 stands in a text; no text here can hold that character.");
    }
    if (unit >= 0xD800 && unit <= 0xDFFF) {
        const long low = unit < 0xDC00 ? code_unit(s->text, s->at + 6) : -1;
        if (low < 0xDC00 || low > 0xDFFF) {
            return say_at(s, s->at,
                          "the escape is half of a surrogate pair. Send both halves, or the "
                          "character itself; a text that was cut to a length may end in one.");
        }
        s->at += 6;
    }
    s->at += 6;
    return true;
}

/* From its opening quote. */
static bool scan_string(struct scan *s)
{
    s->at++;
    while (s->at < s->text.len) {
        const unsigned char c = (unsigned char)s->text.ptr[s->at];
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return say_at(s, s->at,
                          c == '\n' || c == '\r' ? "a line break stands in a text; there it is \\n."
                          : c == '\t'            ? "a tab stands in a text; there it is \\t."
                                                 : "a control character stands in a text as it is, "
                                                   "not as \\uXXXX.");
        }
        if (c != '\\') {
            s->at += c < 0x80 ? 1 : utf8_step(slice_from(s->text, s->at));
        } else if (!scan_escape(s)) {
            return false;
        }
    }
    return say_at(s, s->text.len,
                  "it ends in the middle of a text, whose closing quote is missing.");
}

/* ---- numbers and words ---- */

static char peek(const struct scan *s)
{
    return s->at < s->text.len ? s->text.ptr[s->at] : '\0';
}

static bool scan_digits(struct scan *s)
{
    if (!ascii_is_digit(peek(s))) {
        return say_at(s, s->at, "a digit is missing in a number.");
    }
    while (ascii_is_digit(peek(s))) {
        s->at++;
    }
    return true;
}

/* Whether neither an int64_t nor a double holds it; something that is no part of it follows. */
static bool is_huge(const char *number, bool integer)
{
    errno = 0;
    if (integer) {
        (void)strtoll(number, NULL, 10);
        return errno == ERANGE;
    }
    return isinf(strtod(number, NULL)); /* in the C locale, which is never changed */
}

static bool scan_number(struct scan *s)
{
    const size_t begin = s->at;
    bool integer = true;
    s->at += peek(s) == '-';
    const bool zero = peek(s) == '0';
    if (!scan_digits(s)) {
        return false;
    }
    if (zero && s->at - begin > (s->text.ptr[begin] == '-' ? 2U : 1U)) {
        return say_at(s, begin, "a number has a leading zero.");
    }
    if (peek(s) == '.') {
        integer = false;
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        integer = false;
        s->at++;
        s->at += peek(s) == '+' || peek(s) == '-';
        if (!scan_digits(s)) {
            return false;
        }
    }
    /* At the very end nothing follows, and the object is not closed. */
    if (s->at < s->text.len && is_huge(s->text.ptr + begin, integer)) {
        s->huge = true;
        if (s->mend) {
            memset(s->mend + begin, ' ', s->at - begin);
            memcpy(s->mend + begin, "0.5", 3);
        }
    }
    return true;
}

/* The length of true, false or null; 0: none of them begins there. */
static size_t word_length(const struct scan *s)
{
    static const struct slice words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
    const struct slice rest = slice_from(s->text, s->at);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (slice_starts(rest, words[i])) {
            return words[i].len;
        }
    }
    return 0;
}

/* ---- structure ---- */

static void skip_blanks(struct scan *s)
{
    while (ascii_is_in(peek(s), " \t\r\n")) {
        s->at++;
    }
}

static bool count_token(struct scan *s)
{
    return ++s->tokens <= s->tokens_most ||
           json_refusal_say(s->why, "The body has more than %u members and elements: send fewer.",
                            s->tokens_most);
}

/* A name and its colon. */
static bool scan_name(struct scan *s)
{
    skip_blanks(s);
    if (s->at == s->text.len) {
        return say_at(s, s->text.len, "it ends before the object is closed.");
    }
    if (s->text.ptr[s->at] != '"') {
        return say_unexpected(s, s->text.ptr[s->at] == '}'
                                     ? "the name of one more member is expected after the comma"
                                     : "a name in double quotes is expected");
    }
    if (!scan_string(s)) {
        return false;
    }
    skip_blanks(s);
    if (s->at == s->text.len) {
        return say_at(s, s->text.len, "it ends before the object is closed.");
    }
    if (s->text.ptr[s->at] != ':') {
        return say_unexpected(s, "a colon is expected after the name");
    }
    s->at++;
    return true;
}

/* A value, or the beginning of one that has parts. `*begun`: its parts follow. */
static bool scan_value(struct scan *s, bool *begun)
{
    *begun = false;
    skip_blanks(s);
    if (s->at == s->text.len) {
        return say_at(s, s->text.len, "it ends where a value is expected.");
    }
    const char c = s->text.ptr[s->at];
    if (c == '"') {
        return scan_string(s);
    }
    if (c == '-' || ascii_is_digit(c)) {
        return scan_number(s);
    }
    if (c == '{' || c == '[') {
        if (s->depth == JSON_DEPTH) {
            return json_refusal_deep(s->why, s->text, s->at);
        }
        *begun = true;
        s->open[s->depth++] = c;
        s->at++;
        return count_token(s);
    }
    const size_t length = word_length(s);
    s->at += length;
    return length > 0 ||
           say_unexpected(s, "a value is expected: a text in double quotes, a number, true, false, "
                             "null, an array or an object");
}

static bool closes(const struct scan *s)
{
    return s->depth > 0 && peek(s) == (s->open[s->depth - 1] == '{' ? '}' : ']');
}

/* After a value: closes what is closed there, and steps over the comma before the next part. */
static bool scan_end(struct scan *s)
{
    for (skip_blanks(s); closes(s); skip_blanks(s)) {
        s->at++;
        if (--s->depth == 0) {
            return true;
        }
    }
    if (s->at == s->text.len) {
        return say_at(s, s->text.len,
                      s->open[s->depth - 1] == '{' ? "it ends before the object is closed."
                                                   : "it ends before the array is closed.");
    }
    if (s->text.ptr[s->at] != ',') {
        return say_unexpected(s, s->open[s->depth - 1] == '{'
                                     ? "a comma or the closing } is expected"
                                     : "a comma or the closing ] is expected");
    }
    s->at++;
    return count_token(s);
}

/* The object, from its brace to the one that closes it. */
static bool scan_object(struct scan *s)
{
    bool begun = false;
    if (!scan_value(s, &begun)) {
        return false;
    }
    while (s->depth > 0) {
        skip_blanks(s);
        if (begun && closes(s)) { /* it has no parts */
            begun = false;
        } else if ((s->open[s->depth - 1] == '{' && !scan_name(s)) || !scan_value(s, &begun)) {
            return false;
        }
        if (!begun && !scan_end(s)) {
            return false;
        }
    }
    return true;
}

/* ---- the whole ---- */

/* To the first brace. */
static bool scan_top(struct scan *s)
{
    if (slice_starts(s->text, JSON_BYTE_ORDER_MARK) || !utf8_valid(s->text)) {
        return json_refusal_encoding(s->why, s->text);
    }
    skip_blanks(s);
    return peek(s) == '{' || json_refusal_top(s->why, s->text, s->at, word_length(s) > 0);
}

/* Whether the text is one JSON object. False: with one sentence in `why`, which repeats nothing of
 * the text but single ASCII characters. With `mend`, a copy of the text, numbers beyond 64 bits are
 * overwritten there with one that is no integer and has as many bytes. */
static bool scan(struct scan *s)
{
    if (!scan_top(s) || !scan_object(s)) {
        return false;
    }
    skip_blanks(s);
    if (s->at < s->text.len) {
        return say_at(s, s->at, "something stands after the object; send one object and no more.");
    }
    return true;
}

/* ---- reading ---- */

/* jansson goes on where there was no memory for a byte of a text, and the text lacks it. So its
 * allocations are watched. */
static _Thread_local bool memory_lacked;

void json_memory_miss(void)
{
    memory_lacked = true;
}

static void *allocate_watched(size_t size)
{
    void *memory = malloc(size);
    if (!memory) {
        json_memory_miss();
    }
    return memory;
}

__attribute__((constructor)) static void watch_memory(void)
{
    json_set_alloc_funcs(allocate_watched, free);
}

void json_memory_watch(void)
{
    memory_lacked = false;
}

bool json_memory_lacked(void)
{
    return memory_lacked;
}

enum json_read json_reader_init(struct json_reader *reader, struct slice text, unsigned tokens,
                                char why[static JSON_READER_WHY])
{
    assert(reader && (text.ptr || text.len == 0));
    struct scan s = {.text = text, .tokens_most = tokens, .why = why};
    json_error_t error = {0};
    char *copy = NULL;
    *reader = (struct json_reader){0};
    if (!scan(&s)) {
        return JSON_READ_INVALID;
    }
    if (s.huge) { /* once more, over a copy with numbers that jansson can hold */
        copy = malloc(text.len);
        if (!copy) {
            return JSON_READ_NO_MEMORY;
        }
        memcpy(copy, text.ptr, text.len);
        s = (struct scan){
            .text = {copy, text.len}, .tokens_most = tokens, .why = why, .mend = copy};
        (void)scan(&s);
    }
    json_memory_watch();
    reader->root = json_loadb(copy ? copy : text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (copy) {
        sodium_memzero(copy, text.len);
        free(copy);
    }
    if (json_memory_lacked()) {
        json_decref(reader->root);
        reader->root = NULL;
        return JSON_READ_NO_MEMORY;
    }
    if (!reader->root) { /* Of what the scan lets through, jansson refuses a name that stands twice.
                          * Of a lack of memory it says nothing, or calls a token invalid: who
                          * believed that would tell a client to drop a good request. */
        if (error.text[0] == '\0' || json_error_code(&error) != json_error_duplicate_key) {
            return JSON_READ_NO_MEMORY;
        }
        (void)json_refusal_duplicate(why, text, (size_t)error.position);
        return JSON_READ_INVALID;
    }
    reader->next = json_object_iter(reader->root);
    return JSON_READ_OK;
}

void json_reader_finish(struct json_reader *reader)
{
    assert(reader);
    json_decref(reader->root);
    *reader = (struct json_reader){0};
}

/* ---- what was read, member by member ---- */

enum json_kind json_reader_kind(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return JSON_KIND_OBJECT;
    case JSON_ARRAY: return JSON_KIND_ARRAY;
    case JSON_STRING: return JSON_KIND_TEXT;
    case JSON_INTEGER:
    case JSON_REAL: return JSON_KIND_NUMBER;
    case JSON_TRUE:
    case JSON_FALSE: return JSON_KIND_BOOL;
    case JSON_NULL: break;
    }
    return JSON_KIND_NULL;
}

static struct json_member member_of(struct slice name, json_t *value)
{
    struct json_member member = {.name = name, .kind = json_reader_kind(value), .value = value};
    if (member.kind == JSON_KIND_TEXT) {
        member.text = (struct slice){json_string_value(value), json_string_length(value)};
    }
    return member;
}

bool json_reader_next(struct json_reader *reader, struct json_member *member)
{
    assert(reader && member);
    if (!reader->next) {
        return false;
    }
    *member = member_of(slice_of(json_object_iter_key(reader->next)),
                        json_object_iter_value(reader->next));
    reader->next = json_object_iter_next(reader->root, reader->next);
    return true;
}

struct json_reader json_member_reader(const struct json_member *object)
{
    assert(object->kind == JSON_KIND_OBJECT);
    return (struct json_reader){object->value, json_object_iter(object->value)};
}

bool json_member_next(const struct json_member *whole, struct json_parts *parts,
                      struct json_member *part)
{
    assert(parts && part && (whole->kind == JSON_KIND_ARRAY || whole->kind == JSON_KIND_OBJECT));
    if (parts->index == json_member_parts(whole)) {
        return false;
    }
    if (whole->kind == JSON_KIND_ARRAY) {
        *part = member_of((struct slice){0}, json_array_get(whole->value, parts->index));
    } else {
        parts->last = parts->index == 0 ? json_object_iter(whole->value)
                                        : json_object_iter_next(whole->value, parts->last);
        *part = member_of(slice_of(json_object_iter_key(parts->last)),
                          json_object_iter_value(parts->last));
    }
    parts->index++;
    return true;
}

size_t json_member_parts(const struct json_member *whole)
{
    assert(whole->kind == JSON_KIND_ARRAY || whole->kind == JSON_KIND_OBJECT);
    return whole->kind == JSON_KIND_ARRAY ? json_array_size(whole->value)
                                          : json_object_size(whole->value);
}

bool json_member_i64(const struct json_member *member, int64_t *number)
{
    assert(member->kind == JSON_KIND_NUMBER && number);
    return json_whole_number(member->value, number);
}

bool json_member_bool(const struct json_member *member)
{
    assert(member->kind == JSON_KIND_BOOL);
    return json_is_true(member->value);
}

void json_reader_wipe(const struct json_member *member)
{
    assert(member);
    if (member->kind == JSON_KIND_TEXT) { /* the reader's own memory; only its accessor is const */
        sodium_memzero((void *)(uintptr_t)json_string_value(member->value), member->text.len);
    }
}
