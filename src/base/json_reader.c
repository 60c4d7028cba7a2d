// SPDX-License-Identifier: MIT
#include "base/json_reader.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"

static enum json_read refuse(char why[static JSON_READER_WHY], const char *sentence)
{
    snprintf(why, JSON_READER_WHY, "%s", sentence);
    return JSON_READ_INVALID;
}

#define NAME_MOST 64 /* bytes of a name that a sentence repeats */

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

/* What the scan lets through, jansson takes, but for a name that stands twice and a lack of memory,
 * about which it says nothing. */
static enum json_read refuse_duplicate(struct slice text, const json_error_t *error,
                                       char why[static JSON_READER_WHY])
{
    const size_t end = error->position > 0 ? (size_t)error->position : 0;
    if (error->text[0] == '\0') {
        return JSON_READ_NO_MEMORY;
    }
    if (json_error_code(error) != json_error_duplicate_key || end < 2 || end > text.len ||
        text.ptr[end - 1] != '"') {
        return refuse(why, "The body is not valid JSON.");
    }
    size_t begin = 0;
    const struct slice name = name_before(text, end, &begin);
    const struct slice shown = utf8_cut(name, NAME_MOST);
    const struct json_place place = json_place_of(text, begin);
    snprintf(why, JSON_READER_WHY,
             "The member \"%.*s%s\" stands twice in one object, again at line %zu, column %zu.",
             (int)shown.len, shown.ptr, shown.len < name.len ? "..." : "", place.line,
             place.column);
    return JSON_READ_INVALID;
}

/* The same text with numbers that jansson can hold; to be wiped and freed. */
static char *mended(struct slice text)
{
    char *copy = malloc(text.len);
    if (copy) {
        memcpy(copy, text.ptr, text.len);
        json_scan_mend(copy, text.len);
    }
    return copy;
}

enum json_read json_reader_init(struct json_reader *reader, struct slice text,
                                char why[static JSON_READER_WHY])
{
    bool huge = false;
    char *copy = NULL;
    *reader = (struct json_reader){0};
    if (!json_scan(text, &huge, why)) {
        return JSON_READ_INVALID;
    }
    if (huge) {
        copy = mended(text);
        if (!copy) {
            return JSON_READ_NO_MEMORY;
        }
    }
    json_error_t error = {0};
    reader->root = json_loadb(copy ? copy : text.ptr, text.len, JSON_REJECT_DUPLICATES, &error);
    if (copy) {
        sodium_memzero(copy, text.len);
        free(copy);
    }
    if (!reader->root) {
        return refuse_duplicate(text, &error, why);
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

/* ---- digests ---- */

typedef crypto_generichash_state digest_state;

static void add_bytes(digest_state *state, const void *bytes, size_t len)
{
    const uint64_t length = len; /* so that no two sequences run together into the same bytes */
    crypto_generichash_update(state, (const unsigned char *)&length, sizeof length);
    if (len > 0) {
        crypto_generichash_update(state, bytes, len);
    }
}

/* 1, 1.0 and 10e-1 are one number. */
static void add_number(digest_state *state, const json_t *value)
{
    double real = json_is_integer(value) ? 0 : json_real_value(value);
    int64_t whole = json_integer_value(value);
    bool is_whole = json_is_integer(value);
    if (!is_whole && real >= -9007199254740992.0 && real <= 9007199254740992.0 &&
        (double)(int64_t)real == real) {
        whole = (int64_t)real;
        is_whole = true;
    }
    add_bytes(state, is_whole ? "i" : "r", 1);
    add_bytes(state, is_whole ? (const void *)&whole : (const void *)&real, 8);
}

static void digest_value(const json_t *value, uint8_t digest[static JSON_READER_DIGEST]);

/* Members are added up, so that their order does not count: no name stands twice. */
static void add_object(digest_state *state, json_t *object)
{
    uint8_t sum[JSON_READER_DIGEST] = {0};
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const struct slice name = slice_of(json_object_iter_key(at));
        uint8_t member[JSON_READER_DIGEST];
        digest_state of_member;
        digest_value(json_object_iter_value(at), member);
        crypto_generichash_init(&of_member, NULL, 0, sizeof member);
        add_bytes(&of_member, name.ptr, name.len);
        add_bytes(&of_member, member, sizeof member);
        crypto_generichash_final(&of_member, member, sizeof member);
        sodium_add(sum, member, sizeof sum);
    }
    add_bytes(state, sum, sizeof sum);
}

static void add_array(digest_state *state, const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        uint8_t element[JSON_READER_DIGEST];
        digest_value(json_array_get(array, i), element);
        add_bytes(state, element, sizeof element);
    }
}

/* Recurses at most JSON_SCAN_DEPTH deep. */
static void digest_value(const json_t *value, uint8_t digest[static JSON_READER_DIGEST])
{
    const unsigned char kind = (unsigned char)kind_of(value);
    digest_state state;
    crypto_generichash_init(&state, NULL, 0, JSON_READER_DIGEST);
    crypto_generichash_update(&state, &kind, sizeof kind);
    switch (kind_of(value)) {
    case JSON_KIND_NULL: break;
    case JSON_KIND_BOOL: add_bytes(&state, json_is_true(value) ? "t" : "f", 1); break;
    case JSON_KIND_NUMBER: add_number(&state, value); break;
    case JSON_KIND_TEXT:
        add_bytes(&state, json_string_value(value), json_string_length(value));
        break;
    case JSON_KIND_ARRAY: add_array(&state, value); break;
    case JSON_KIND_OBJECT: add_object(&state, (json_t *)(uintptr_t)value); break;
    }
    crypto_generichash_final(&state, digest, JSON_READER_DIGEST);
}

void json_reader_digest(const struct json_reader *reader, uint8_t digest[static JSON_READER_DIGEST])
{
    digest_value(reader->root, digest);
}

void json_reader_wipe(const struct json_member *member)
{
    if (member->kind == JSON_KIND_TEXT) {
        /* The text is the reader's own memory from malloc; only its accessor is const. */
        sodium_memzero((void *)(uintptr_t)json_string_value(member->value), member->text.len);
    }
}
