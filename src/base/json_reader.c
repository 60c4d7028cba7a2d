#include "base/json_reader.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>

/* Walks over a string that begins at `i` and returns the index of its closing quote, or `len`. */
static size_t skip_string(struct slice text, size_t i)
{
    for (i++; i < text.len && text.ptr[i] != '"'; i++) {
        if (text.ptr[i] == '\\') {
            i++;
        }
    }
    return i < text.len ? i : text.len;
}

/* Bounds nesting and tokens before the parser, which recurses and allocates, sees the text. */
static const char *check_size(struct slice text)
{
    unsigned depth = 0;
    unsigned tokens = 0;
    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '"': i = skip_string(text, i); break;
        case '{':
        case '[':
            if (++depth > JSON_READER_DEPTH) {
                return "The body is nested more than 16 levels deep.";
            }
            tokens++;
            break;
        case '}':
        case ']': depth -= depth > 0; break;
        case ',': tokens++; break;
        default: break;
        }
        if (tokens > JSON_READER_TOKENS) {
            return "The body has more than 4096 members and elements.";
        }
    }
    return NULL;
}

/* jansson's own texts quote the input, so they are not shown. */
static const char *explain(enum json_error_code code)
{
    switch (code) {
    case json_error_premature_end_of_input: return "something is not closed";
    case json_error_end_of_input_expected: return "something stands behind the object";
    case json_error_invalid_utf8: return "the text is not UTF-8";
    case json_error_duplicate_key: return "a name stands twice in one object";
    case json_error_null_character:
    case json_error_null_byte_in_key: return "a text holds \\u0000";
    case json_error_numeric_overflow: return "a number is too large";
    default: return "unexpected character or value";
    }
}

static enum json_read refuse(char why[static JSON_READER_WHY], const char *sentence)
{
    snprintf(why, JSON_READER_WHY, "%s", sentence);
    return JSON_READ_INVALID;
}

static enum json_read refuse_syntax(char why[static JSON_READER_WHY], const json_error_t *error)
{
    if (error->text[0] == '\0') { /* jansson says nothing only when malloc failed */
        return JSON_READ_NO_MEMORY;
    }
    snprintf(why, JSON_READER_WHY, "The body is not valid JSON at line %d, column %d: %s.",
             error->line < 1 ? 1 : error->line, error->column < 0 ? 0 : error->column,
             explain(json_error_code(error)));
    return JSON_READ_INVALID;
}

enum json_read json_reader_init(struct json_reader *reader, struct slice text,
                                char why[static JSON_READER_WHY])
{
    *reader = (struct json_reader){0};
    if (text.len == 0) {
        return refuse(why, "The body is empty: send one JSON object.");
    }
    const char *size = check_size(text);
    if (size) {
        return refuse(why, size);
    }
    json_error_t error = {0};
    reader->root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!reader->root) {
        return refuse_syntax(why, &error);
    }
    if (!json_is_object(reader->root)) {
        return refuse(why, "The body is a JSON array: send one JSON object.");
    }
    reader->next = json_object_iter(reader->root);
    return JSON_READ_OK;
}

void json_reader_finish(struct json_reader *reader)
{
    json_decref(reader->root);
    *reader = (struct json_reader){0};
}

static enum json_kind kind_of(const json_t *value)
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

bool json_reader_next(struct json_reader *reader, struct json_member *member)
{
    if (!reader->next) {
        return false;
    }
    json_t *value = json_object_iter_value(reader->next);
    *member = (struct json_member){
        .name = slice_of(json_object_iter_key(reader->next)),
        .kind = kind_of(value),
        .value = value,
    };
    if (member->kind == JSON_KIND_TEXT) {
        member->text = (struct slice){json_string_value(value), json_string_length(value)};
    }
    reader->next = json_object_iter_next(reader->root, reader->next);
    return true;
}

void json_reader_wipe(const struct json_member *member)
{
    if (member->kind == JSON_KIND_TEXT) {
        /* The text is the reader's own memory from malloc; only its accessor is const. */
        sodium_memzero((void *)(uintptr_t)json_string_value(member->value), member->text.len);
    }
}
