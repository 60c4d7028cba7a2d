// SPDX-License-Identifier: MIT
#include <assert.h>

#include <jansson.h>
#include <sodium.h>

#include "base/json_reader.h"

typedef crypto_generichash_state digest_state;

static void add_bytes(digest_state *state, const void *bytes, size_t len)
{
    const uint64_t length = len; /* so that no two sequences run together into the same bytes */
    crypto_generichash_update(state, (const unsigned char *)&length, sizeof length);
    if (len > 0) {
        crypto_generichash_update(state, bytes, len);
    }
}

bool json_whole_number(const struct json_t *value, int64_t *number)
{
    const double exact_most = 9007199254740992.0; /* 2^53 */
    const double real = json_real_value(value);
    if (json_is_integer(value)) {
        *number = json_integer_value(value);
        return true;
    }
    if (!json_is_real(value) || real < -exact_most || real > exact_most ||
        (double)(int64_t)real != real) {
        return false;
    }
    *number = (int64_t)real;
    return true;
}

/* 1, 1.0 and 10e-1 are one number. */
static void add_number(digest_state *state, const json_t *value)
{
    const double real = json_real_value(value);
    int64_t whole = 0;
    const bool is_whole = json_whole_number(value, &whole);
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

/* Recurses at most JSON_DEPTH deep. */
static void digest_value(const json_t *value, uint8_t digest[static JSON_READER_DIGEST])
{
    const unsigned char kind = (unsigned char)json_reader_kind(value);
    digest_state state;
    crypto_generichash_init(&state, NULL, 0, JSON_READER_DIGEST);
    crypto_generichash_update(&state, &kind, sizeof kind);
    switch (json_reader_kind(value)) {
    case JSON_KIND_NULL: break;
    case JSON_KIND_BOOL: add_bytes(&state, json_is_true(value) ? "t" : "f", 1); break;
    case JSON_KIND_NUMBER: add_number(&state, value); break;
    case JSON_KIND_TEXT:
        add_bytes(&state, json_string_value(value), json_string_length(value));
        break;
    case JSON_KIND_ARRAY:
        for (size_t i = 0; i < json_array_size(value); i++) {
            uint8_t element[JSON_READER_DIGEST];
            digest_value(json_array_get(value, i), element);
            add_bytes(&state, element, sizeof element);
        }
        break;
    case JSON_KIND_OBJECT: add_object(&state, (json_t *)(uintptr_t)value); break;
    }
    crypto_generichash_final(&state, digest, JSON_READER_DIGEST);
}

void json_reader_digest(const struct json_reader *reader, uint8_t digest[static JSON_READER_DIGEST])
{
    assert(reader && reader->root);
    digest_value(reader->root, digest);
}
