// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <sodium.h>

#include "auth/base64url.h"
#include "auth/jwt.h"

/* The vectors of Project Wycheproof against what makes and reads our tokens. Where they say "valid"
 * and we refuse, or the other way round, the vector stands in a table here with the reason. */

#define ISSUER   "taskhold"
#define IAT      1795000000
#define KEY_MOST 128
#define MSG_MOST 4096

static json_t *load(const char *name)
{
    char path[1024];
    json_error_t error;
    json_t *root = NULL;

    assert_true(snprintf(path, sizeof path, "%s/%s", WYCHEPROOF, name) < (int)sizeof path);
    root = json_load_file(path, 0, &error);
    if (!root) {
        fail_msg("%s: %s", path, error.text);
    }
    return root;
}

static struct slice text_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    assert_true(json_is_string(value));
    return (struct slice){json_string_value(value), json_string_length(value)};
}

static int number_of(const json_t *object, const char *name)
{
    assert_true(json_is_integer(json_object_get(object, name)));
    return (int)json_integer_value(json_object_get(object, name));
}

static bool is_valid(const json_t *test)
{
    return slice_eq(text_of(test, "result"), SLICE("valid"));
}

/* Each group of the file. Answers how many vectors they have. */
static size_t try_groups(const char *file, void (*try)(const json_t *group, void *context),
                         void *context)
{
    json_t *root = load(file);
    const json_t *group = NULL;
    size_t g = 0;
    size_t count = 0;

    json_array_foreach(json_object_get(root, "testGroups"), g, group)
    {
        count += json_array_size(json_object_get(group, "tests"));
        try(group, context);
    }
    json_decref(root);
    return count;
}

/* ---- HMAC-SHA-256 ---- */

static size_t unhex(struct slice text, uint8_t *bytes, size_t most)
{
    size_t len = 0;

    assert_int_equal(sodium_hex2bin(bytes, most, text.ptr, text.len, NULL, &len, NULL), 0);
    assert_int_equal(len * 2, text.len);
    return len;
}

/* A tag cut to 128 bits is none of ours: a token's signature has 256, or it is malformed. So of
 * those only the whole MAC's first half is compared, and the tag itself must not pass. */
static void try_mac(const json_t *test, size_t tag_bits, const struct keys *keys)
{
    uint8_t msg[MSG_MOST];
    uint8_t tag[KEYS_MAC_LEN] = {0};
    uint8_t mac[KEYS_MAC_LEN];
    const size_t msg_len = unhex(text_of(test, "msg"), msg, sizeof msg);
    const size_t tag_len = unhex(text_of(test, "tag"), tag, sizeof tag);
    const struct slice data = {(const char *)msg, msg_len};

    assert_int_equal(tag_len * 8, tag_bits);
    assert_true(keys_mac(keys, KEYS_ACCESS, 0, data, mac));
    if ((memcmp(mac, tag, tag_len) == 0) != is_valid(test)) {
        fail_msg("HMAC vector %d", number_of(test, "tcId"));
    }
    assert_int_equal(keys_verify(keys, KEYS_ACCESS, data, tag), is_valid(test) && tag_bits == 256);
    assert_false(keys_verify(keys, KEYS_REFRESH, data, tag));
    assert_false(keys_verify(keys, KEYS_CURSOR, data, tag));
}

struct macs {
    int tried;
    int short_keys;
};

static void try_macs(const json_t *group, void *context)
{
    struct macs *macs = context;
    const json_t *test = NULL;
    size_t t = 0;

    json_array_foreach(json_object_get(group, "tests"), t, test)
    {
        uint8_t key[KEY_MOST];
        const size_t len = unhex(text_of(test, "key"), key, sizeof key);
        const struct slice secret = {(const char *)key, len};
        struct keys *keys = keys_create(secret, (struct slice){0});
        /* Keys of 128 bits are right for HMAC and too short for HS256 (RFC 7518 3.2). */
        assert_int_equal(keys != NULL, len >= KEYS_SECRET_LEAST);
        if (keys) {
            try_mac(test, (size_t)number_of(group, "tagSize"), keys);
            macs->tried++;
        } else {
            macs->short_keys++;
        }
        keys_destroy(&keys);
    }
}

static void hmac_sha256_vectors(void **state)
{
    struct macs macs = {0};

    (void)state;
    assert_int_equal(try_groups("hmac_sha256.json", try_macs, &macs), 174);
    assert_int_equal(macs.tried, 168);
    assert_int_equal(macs.short_keys, 6);
}

/* ---- JWS with HS256 ---- */

/* What is "valid" there and none of our tokens in any case: their headers are in another form
 * (RFC 8725 3.1: one algorithm and one type, chosen by us; ours are compared byte for byte) and
 * their payloads are no claims. Of these the MAC must be right. */
static const int right_macs[] = {1, 348, 352, 357, 358, 359, 376, 377};

/* "Valid" there, because lenient decoders skip the question mark; we refuse every byte that is not
 * of base64url (RFC 7515 section 2), so their MAC is right only for a text that was not sent. */
static const int lenient_there[] = {372, 373};

/* "Invalid" there, and the same text as vector 357, which is "valid": their padding was lost. */
static const int same_as_another[] = {367, 370};

static bool stands_in(int id, const int *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (ids[i] == id) {
            return true;
        }
    }
    return false;
}

#define STANDS_IN(id, ids) stands_in(id, ids, sizeof(ids) / sizeof *(ids))

static bool is_base64url(struct slice text)
{
    uint8_t bytes[MSG_MOST];
    size_t len = 0;

    return base64url_decode(text, bytes, sizeof bytes, &len);
}

/* Three parts of strict base64url, and the right MAC over the first two: what our code looks at
 * before any claim, but for the header's words. */
static bool mac_is_right(const struct keys *keys, struct slice jws)
{
    struct slice rest = jws;
    const struct slice header = slice_next(&rest, '.');
    const struct slice payload = rest.ptr ? slice_next(&rest, '.') : (struct slice){0};
    uint8_t signature[KEYS_MAC_LEN];
    size_t len = 0;

    if (header.len == 0 || payload.len == 0 || !rest.ptr || memchr(rest.ptr, '.', rest.len) ||
        !is_base64url(header) || !is_base64url(payload) ||
        !base64url_decode(rest, signature, sizeof signature, &len) || len != sizeof signature) {
        return false;
    }
    return keys_verify(keys, KEYS_ACCESS, (struct slice){jws.ptr, header.len + 1 + payload.len},
                       signature);
}

static enum jwt_result verify(const struct keys *keys, struct slice token)
{
    struct jwt_claims claims;
    char *copy = malloc(token.len + 1); /* of its size: a sanitizer sees a read beyond it */
    enum jwt_result result;

    assert_non_null(copy);
    memcpy(copy, token.ptr, token.len);
    result = jwt_verify(keys, ISSUER, (struct slice){copy, token.len}, IAT, &claims);
    free(copy);
    return result;
}

/* Puts the parts of a token of ours in the place of those of `good` wherever `jws` has them whole,
 * so that the same is done to our token as was done to that. Returns whether it has any. */
static bool transplant(struct slice jws, struct slice good, struct slice own, struct buffer *out)
{
    struct slice from[3];
    struct slice into[3];
    bool any = false;
    size_t at = 0;

    for (size_t i = 0; i < 3; i++) {
        from[i] = slice_next(&good, '.');
        into[i] = slice_next(&own, '.');
    }
    while (at < jws.len) {
        size_t i = 0;
        while (i < 3 && !slice_starts(slice_from(jws, at), from[i])) {
            i++;
        }
        if (i < 3) {
            buffer_add(out, into[i]);
            at += from[i].len;
            any = true;
        } else {
            buffer_add_char(out, jws.ptr[at++]);
        }
    }
    return any;
}

static void try_tokens(const json_t *group, void *context)
{
    int *transplanted = context;
    uint8_t key[KEY_MOST];
    size_t key_len = 0;
    size_t t = 0;
    const json_t *test = NULL;
    const json_t *tests = json_object_get(group, "tests");
    const struct slice good = text_of(json_array_get(tests, 0), "jws");
    const struct jwt_claims claims = {.issued_at = IAT, .expires_at = IAT + 900};
    struct buffer own;

    assert_true(is_valid(json_array_get(tests, 0)));
    assert_true(base64url_decode(text_of(group, "k"), key, sizeof key, &key_len));
    struct keys *keys =
        keys_create((struct slice){(const char *)key, key_len}, (struct slice){NULL, 0});
    assert_non_null(keys);
    buffer_init(&own, JWT_MOST);
    jwt_make(keys, ISSUER, &claims, &own);
    json_array_foreach(tests, t, test)
    {
        const struct slice jws = text_of(test, "jws");
        const int id = number_of(test, "tcId");
        const bool right = STANDS_IN(id, right_macs) || STANDS_IN(id, same_as_another);
        struct buffer moved;
        assert_int_equal(STANDS_IN(id, right_macs) || STANDS_IN(id, lenient_there), is_valid(test));
        if (mac_is_right(keys, jws) != right || verify(keys, jws) != JWT_MALFORMED) {
            fail_msg("JWS vector %d", id);
        }
        buffer_init(&moved, MSG_MOST);
        if (transplant(jws, good, buffer_slice(&own), &moved)) {
            const bool same = slice_eq(jws, good);
            if ((verify(keys, buffer_slice(&moved)) == JWT_VALID) != same) {
                fail_msg("JWS vector %d, done to a token of ours", id);
            }
            (*transplanted)++;
        }
        buffer_finish(&moved);
    }
    buffer_finish(&own);
    keys_destroy(&keys);
}

static void jws_hs256_vectors(void **state)
{
    int transplanted = 0;

    (void)state;
    assert_int_equal(try_groups("jws_hs256.json", try_tokens, &transplanted), 40);
    assert_in_range(transplanted, 30, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hmac_sha256_vectors),
        cmocka_unit_test(jws_hs256_vectors),
    };

    return cmocka_run_group_tests_name("wycheproof", tests, NULL, NULL);
}
