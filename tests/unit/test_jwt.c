// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <sodium.h>

#include "auth/jwt.h"
#include "base/json_reader.h"

#define CURRENT  SLICE("hT5-one-secret-for-the-unit-tests-q7Zw")
#define PREVIOUS SLICE("kL2-another-secret-for-the-tests-v9Xe")
#define ISSUER   "taskhold"
#define IAT      1795000000
#define EXP      1795000900
#define VARIANT  sodium_base64_VARIANT_URLSAFE_NO_PADDING

#define SUB "01a203c9-2b03-70a1-81ce-0123456789ab"
#define SID "01a203c9-2b04-7fff-bfff-fedcba987654"
#define JTI "01a203c9-2b05-7123-8123-00112233445f"

#define HEADER "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}"
#define IDS    "\"sub\":\"" SUB "\",\"sid\":\"" SID "\",\"jti\":\"" JTI "\""
#define WHO    "\"iss\":\"taskhold\",\"aud\":\"taskhold\""
#define TIMES  "\"iat\":1795000000,\"exp\":1795000900"
#define CLAIMS "{" WHO "," IDS "," TIMES "}"

/* Signed and verified by Python's PyJWT 2.6.0, from CLAIMS, under CURRENT and PREVIOUS. */
#define VECTOR_PAYLOAD                                                                             \
    "eyJpc3MiOiJ0YXNraG9sZCIsImF1ZCI6InRhc2tob2xkIiwic3ViIjoiMDFhMjAzYzktMmIwMy03MGExLTgxY2UtM"    \
    "DEyMzQ1Njc4OWFiIiwic2lkIjoiMDFhMjAzYzktMmIwNC03ZmZmLWJmZmYtZmVkY2JhOTg3NjU0IiwianRpIjoiMD"    \
    "FhMjAzYzktMmIwNS03MTIzLTgxMjMtMDAxMTIyMzM0NDVmIiwiaWF0IjoxNzk1MDAwMDAwLCJleHAiOjE3OTUwMDA"    \
    "5MDB9"
#define VECTOR_HEADER    "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjU1OWIzNjljMTVkNjAwYzkifQ"
#define VECTOR_SIGNATURE "63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO-In-JjBVI"
#define VECTOR           VECTOR_HEADER "." VECTOR_PAYLOAD "." VECTOR_SIGNATURE
#define VECTOR_PREVIOUS                                                                            \
    "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjQ1MDVjNWI3Nzc2ZTk2MWEifQ." VECTOR_PAYLOAD   \
    ".Q5ic6Y2X4vCp-rxW1vIhoY7w3JGpxlo9BJulTUnCak8"

/* What PyJWT makes by itself: the same members in another order. */
#define VECTOR_REORDERED                                                                           \
    "eyJhbGciOiJIUzI1NiIsImtpZCI6IjU1OWIzNjljMTVkNjAwYzkiLCJ0eXAiOiJhdCtqd3QifQ." VECTOR_PAYLOAD   \
    ".XwlEvWznej9zWbJT7F46hK5f6NYO8DCJWU1SbY7gKco"

static struct keys *keys; /* CURRENT and PREVIOUS */

static int make_keys(void **state)
{
    (void)state;
    keys = keys_create(CURRENT, PREVIOUS);
    return keys ? 0 : -1;
}

static int drop_keys(void **state)
{
    (void)state;
    keys_destroy(&keys);
    return 0;
}

static struct jwt_claims claims_of_vector(void)
{
    struct jwt_claims claims = {.issued_at = IAT, .expires_at = EXP};

    assert_true(uuid_parse(SLICE(SUB), &claims.user));
    assert_true(uuid_parse(SLICE(SID), &claims.session));
    assert_true(uuid_parse(SLICE(JTI), &claims.token));
    return claims;
}

static void assert_claims(const struct jwt_claims *a, const struct jwt_claims *b)
{
    assert_true(uuid_eq(a->user, b->user));
    assert_true(uuid_eq(a->session, b->session));
    assert_true(uuid_eq(a->token, b->token));
    assert_true(a->issued_at == b->issued_at && a->expires_at == b->expires_at);
}

/* A copy in memory of exactly its size, so that a sanitizer sees a read beyond it. */
static enum jwt_result verify_at(struct slice token, int64_t now)
{
    char *copy = malloc(token.len > 0 ? token.len : 1);
    struct jwt_claims claims;
    enum jwt_result result;

    assert_non_null(copy);
    if (token.len > 0) {
        memcpy(copy, token.ptr, token.len);
    }
    result = jwt_verify(keys, ISSUER, (struct slice){copy, token.len}, now, &claims);
    free(copy);
    return result;
}

static enum jwt_result verify(const char *token)
{
    return verify_at(slice_of(token), IAT + 1);
}

static size_t add_base64(char *out, size_t room, struct slice bytes)
{
    assert_true(sodium_base64_encoded_len(bytes.len, VARIANT) <= room);
    sodium_bin2base64(out, room, (const unsigned char *)bytes.ptr, bytes.len, VARIANT);
    return strlen(out);
}

/* `header.payload.signature`, signed with `secret` by other code than that under test. */
static const char *sign(struct slice secret, struct slice header, struct slice payload)
{
    static char token[4096];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state hmac;
    size_t len = add_base64(token, sizeof token, header);

    token[len++] = '.';
    len += add_base64(token + len, sizeof token - len, payload);
    crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)secret.ptr, secret.len);
    crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)token, len);
    crypto_auth_hmacsha256_final(&hmac, mac);
    token[len++] = '.';
    add_base64(token + len, sizeof token - len, (struct slice){(const char *)mac, sizeof mac});
    return token;
}

/* The same for text that is already base64url. */
static const char *sign_raw(const char *signing_input)
{
    static char token[4096];
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state hmac;
    const size_t len = strlen(signing_input);

    crypto_auth_hmacsha256_init(&hmac, (const unsigned char *)CURRENT.ptr, CURRENT.len);
    crypto_auth_hmacsha256_update(&hmac, (const unsigned char *)signing_input, len);
    crypto_auth_hmacsha256_final(&hmac, mac);
    memcpy(token, signing_input, len);
    token[len] = '.';
    add_base64(token + len + 1, sizeof token - len - 1,
               (struct slice){(const char *)mac, sizeof mac});
    return token;
}

/* ---- what is good ---- */

static void the_vectors_verify(void **state)
{
    static const char *const vectors[] = {VECTOR, VECTOR_PREVIOUS};
    const struct jwt_claims expected = claims_of_vector();

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        struct jwt_claims claims = {0};
        assert_int_equal(jwt_verify(keys, ISSUER, slice_of(vectors[i]), IAT, &claims), JWT_VALID);
        assert_claims(&claims, &expected);
    }
}

static void we_make_the_vector(void **state)
{
    const struct jwt_claims claims = claims_of_vector();
    struct buffer out;

    (void)state;
    buffer_init(&out, 4096);
    buffer_add_text(&out, "Bearer "); /* it is appended */
    jwt_make(keys, ISSUER, &claims, &out);
    assert_false(out.failed);
    assert_int_equal(out.len, strlen("Bearer " VECTOR));
    assert_memory_equal(out.data, "Bearer " VECTOR, out.len);
    buffer_finish(&out);
}

static void our_signing_in_this_file_is_right(void **state)
{
    (void)state;
    assert_string_equal(sign(CURRENT, SLICE(HEADER), SLICE(CLAIMS)), VECTOR);
    assert_string_equal(sign_raw(VECTOR_HEADER "." VECTOR_PAYLOAD), VECTOR);
}

static void rotation_keeps_tokens_while_the_previous_secret_is_there(void **state)
{
    struct keys *before = keys_create(PREVIOUS, (struct slice){NULL, 0});
    struct keys *later = keys_create(CURRENT, (struct slice){NULL, 0});
    struct jwt_claims claims;

    (void)state;
    assert_int_equal(jwt_verify(before, ISSUER, SLICE(VECTOR_PREVIOUS), IAT, &claims), JWT_VALID);
    assert_int_equal(jwt_verify(before, ISSUER, SLICE(VECTOR), IAT, &claims), JWT_MALFORMED);
    assert_int_equal(jwt_verify(later, ISSUER, SLICE(VECTOR), IAT, &claims), JWT_VALID);
    assert_int_equal(jwt_verify(later, ISSUER, SLICE(VECTOR_PREVIOUS), IAT, &claims),
                     JWT_MALFORMED);
    keys_destroy(&before);
    keys_destroy(&later);
}

static void issuers_are_escaped(void **state)
{
    static const char *const issuers[] = {
        "a",
        "https://tasks.example.com/\"quoted\"\\path",
        "Aufgaben für alle \xe2\x9c\x93",
    };
    const struct jwt_claims expected = claims_of_vector();

    (void)state;
    for (size_t i = 0; i < sizeof issuers / sizeof *issuers; i++) {
        struct jwt_claims claims;
        struct buffer out;
        buffer_init(&out, JWT_MOST);
        jwt_make(keys, issuers[i], &expected, &out);
        assert_false(out.failed);
        assert_int_equal(jwt_verify(keys, issuers[i], buffer_slice(&out), IAT, &claims), JWT_VALID);
        assert_claims(&claims, &expected);
        assert_int_equal(jwt_verify(keys, ISSUER, buffer_slice(&out), IAT, &claims),
                         JWT_BAD_CLAIMS);
        buffer_finish(&out);
    }
}

static void an_issuer_that_does_not_fit_gives_no_token(void **state)
{
    const struct jwt_claims claims = claims_of_vector();
    char issuer[1024];

    (void)state;
    for (size_t len = 0; len < sizeof issuer; len++) {
        struct jwt_claims found;
        struct buffer out;
        memset(issuer, 'i', len);
        issuer[len] = '\0';
        buffer_init(&out, 4096);
        jwt_make(keys, issuer, &claims, &out);
        if (out.failed) {
            assert_true(len > JWT_ISSUER_MOST);
        } else {
            assert_int_equal(jwt_verify(keys, issuer, buffer_slice(&out), IAT, &found), JWT_VALID);
        }
        buffer_finish(&out);
    }
}

static void a_full_buffer_gets_no_half_token(void **state)
{
    const struct jwt_claims claims = claims_of_vector();

    (void)state;
    for (size_t most = 0; most < sizeof VECTOR - 1; most++) {
        struct buffer out;
        buffer_init(&out, most);
        jwt_make(keys, ISSUER, &claims, &out);
        assert_true(out.failed);
        buffer_finish(&out);
    }
}

/* ---- time ---- */

static void time_is_kept(void **state)
{
    static const struct {
        int64_t now;
        enum jwt_result result;
    } cases[] = {
        {IAT, JWT_VALID},
        {EXP - 1, JWT_VALID},
        {EXP, JWT_EXPIRED},
        {EXP + 1, JWT_EXPIRED},
        {INT64_C(253402300800), JWT_EXPIRED},
        {IAT - JWT_SKEW_SECONDS, JWT_VALID},
        {IAT - JWT_SKEW_SECONDS - 1, JWT_BAD_CLAIMS},
        {0, JWT_BAD_CLAIMS},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(verify_at(SLICE(VECTOR), cases[i].now), cases[i].result);
    }
}

/* ---- form ---- */

static void other_forms_are_no_tokens(void **state)
{
    static const char *const tokens[] = {
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        VECTOR_HEADER,
        VECTOR_HEADER ".",
        VECTOR_HEADER "..",
        VECTOR_HEADER ".." VECTOR_SIGNATURE,
        VECTOR_HEADER "." VECTOR_PAYLOAD,
        VECTOR_HEADER "." VECTOR_PAYLOAD ".",
        "." VECTOR_PAYLOAD "." VECTOR_SIGNATURE,
        VECTOR_PAYLOAD "." VECTOR_SIGNATURE,
        VECTOR ".",
        "." VECTOR,
        VECTOR ".AAAA",
        VECTOR ".AAAA.AAAA",
        VECTOR_HEADER "." VECTOR_HEADER "." VECTOR_PAYLOAD "." VECTOR_SIGNATURE,
        VECTOR_HEADER "..." VECTOR_SIGNATURE,
        VECTOR "=",
        VECTOR "A",
        VECTOR " ",
        " " VECTOR,
        VECTOR "\n",
        "Bearer " VECTOR,
        VECTOR_HEADER "=." VECTOR_PAYLOAD "." VECTOR_SIGNATURE,
        VECTOR_HEADER " ." VECTOR_PAYLOAD "." VECTOR_SIGNATURE,
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO-In-JjBV",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO-In-JjBVI=",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO+In+JjBVI",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO/In/JjBVI",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO-In-JjBVJ",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO-In-JjBVL",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO-In-JjBV=",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuv yWJfO-In-JjBVI",
        VECTOR_HEADER "." VECTOR_PAYLOAD ".63zyXCbpTWhPB2bE8NhJXs9tLBuvsyWJfO\xffIn-JjBVI",
        "{\"payload\":\"" VECTOR_PAYLOAD "\",\"protected\":\"" VECTOR_HEADER
        "\",\"signature\":\"" VECTOR_SIGNATURE "\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof tokens / sizeof *tokens; i++) {
        if (verify(tokens[i]) != JWT_MALFORMED) {
            fail_msg("%s: %s", jwt_result_name(verify(tokens[i])), tokens[i]);
        }
    }
    assert_int_equal(verify_at(SLICE(VECTOR "\0"), IAT), JWT_MALFORMED);
}

/* Each is signed with our secret, so that only the header can be the reason. */
static void other_headers_are_not_ours(void **state)
{
    static const char *const headers[] = {
        "",
        "{}",
        "{\"alg\":\"none\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"NoNe\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"hs256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS384\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS512\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"RS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS256\",\"typ\":\"JWT\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS256\",\"typ\":\"application/at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS256\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":null}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559B369C15D600C9\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c8\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"../../../../dev/null\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"' OR 1=1 --\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"crit\":[\"exp\"]}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"b64\":false}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"zip\":\"DEF\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"jku\":\"https://a\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"x5u\":\"https://a\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"jwk\":{}}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\",\"x5c\":[]}",
        "{\"alg\":\"none\",\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"typ\":\"at+jwt\",\"alg\":\"HS256\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\": \"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"}",
        "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"559b369c15d600c9\"} ",
        ("\xef\xbb\xbf" HEADER),
    };

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const char *token = sign(CURRENT, slice_of(headers[i]), SLICE(CLAIMS));
        if (verify(token) != JWT_MALFORMED) {
            fail_msg("%s: %s", jwt_result_name(verify(token)), headers[i]);
        }
    }
    assert_int_equal(verify(VECTOR_REORDERED), JWT_MALFORMED);
}

static void no_signature_is_no_token(void **state)
{
    static const char *const headers[] = {"{\"alg\":\"none\"}",
                                          "{\"alg\":\"nOnE\",\"typ\":\"JWT\"}", HEADER};
    char token[1024];

    (void)state;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        const size_t len = add_base64(token, sizeof token, slice_of(headers[i]));
        snprintf(token + len, sizeof token - len, ".%s.", VECTOR_PAYLOAD);
        assert_int_equal(verify(token), JWT_MALFORMED);
    }
}

static void tokens_above_1024_bytes_are_not_read(void **state)
{
    char payload[800];
    size_t low = sizeof CLAIMS;
    int valid = 0;

    (void)state;
    /* White space in the JSON makes a token of ours as long as we like. */
    for (size_t len = low; len < sizeof payload; len++) {
        const char *token = NULL;
        enum jwt_result expected;
        memset(payload, ' ', sizeof payload);
        memcpy(payload, CLAIMS, sizeof CLAIMS - 2);
        payload[len - 1] = '}';
        token = sign(CURRENT, SLICE(HEADER), (struct slice){payload, len});
        expected = strlen(token) <= JWT_MOST ? JWT_VALID : JWT_MALFORMED;
        valid += expected == JWT_VALID;
        assert_int_equal(verify(token), expected);
    }
    assert_in_range(valid, 300, sizeof payload - low - 1);
}

/* ---- signature ---- */

static void other_secrets_do_not_sign(void **state)
{
    static const struct slice secrets[] = {
        {"", 0},
        {"hT5-one-secret-for-the-unit-tests-q7Zx", 38},
        {"hT5-one-secret-for-the-unit-tests-q7Z", 37},
        {"kL2-another-secret-for-the-tests-v9Xe", 37}, /* the previous one, under the current kid */
        {"559b369c15d600c9", 16},
    };

    (void)state;
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        assert_int_equal(verify(sign(secrets[i], SLICE(HEADER), SLICE(CLAIMS))), JWT_BAD_SIGNATURE);
    }
}

/* A refresh token's MAC, or a cursor's, is not a signature. */
static void other_purposes_do_not_sign(void **state)
{
    static const enum keys_purpose others[] = {KEYS_REFRESH, KEYS_CURSOR};
    char token[1024] = VECTOR_HEADER "." VECTOR_PAYLOAD;
    const size_t len = strlen(token);

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        uint8_t mac[KEYS_MAC_LEN];
        assert_true(keys_mac(keys, others[i], 0, (struct slice){token, len}, mac));
        token[len] = '.';
        add_base64(token + len + 1, sizeof token - len - 1,
                   (struct slice){(const char *)mac, sizeof mac});
        assert_int_equal(verify(token), JWT_BAD_SIGNATURE);
    }
}

/* Any one character changed to any other: never valid, and the claims are left alone. */
static void every_character_counts(void **state)
{
    char token[] = VECTOR;
    const struct jwt_claims before = {.issued_at = -1};

    (void)state;
    for (size_t i = 0; i < sizeof token - 1; i++) {
        const char right = token[i];
        for (int c = 0; c < 256; c++) {
            struct jwt_claims claims = before;
            token[i] = (char)c;
            if (token[i] != right) {
                assert_int_not_equal(
                    jwt_verify(keys, ISSUER, (struct slice){token, sizeof token - 1}, IAT, &claims),
                    JWT_VALID);
                assert_memory_equal(&claims, &before, sizeof claims);
            }
        }
        token[i] = right;
    }
    assert_int_equal(verify(token), JWT_VALID);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof VECTOR - 1; len++) {
        assert_int_not_equal(verify_at((struct slice){VECTOR, len}, IAT), JWT_VALID);
    }
}

/* ---- claims: a good signature is not enough (test_jwt_claims.c has them all) ---- */

static void other_claims_are_not_ours(void **state)
{
    static const char *const payloads[] = {
        "null",
        CLAIMS CLAIMS,
        "{" WHO "," IDS ",\"iat\":1795000000}",
        "{" WHO "," IDS ",\"iat\":1795000092,\"exp\":1795000900}", /* in the future */
        "{\"iss\":\"other\",\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\",\"aud\":\"other\"," IDS "," TIMES "}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        const char *token = sign(CURRENT, SLICE(HEADER), slice_of(payloads[i]));
        if (verify(token) != JWT_BAD_CLAIMS) {
            fail_msg("%s: %s", jwt_result_name(verify(token)), payloads[i]);
        }
    }
}

/* A lax maker's base64 does not pass even under a good signature. */
static void payloads_are_strict_base64url(void **state)
{
    static const char *const inputs[] = {
        VECTOR_HEADER "." VECTOR_PAYLOAD "=",
        VECTOR_HEADER "." VECTOR_PAYLOAD "==",
        VECTOR_HEADER "." VECTOR_PAYLOAD " ",
        VECTOR_HEADER "." VECTOR_PAYLOAD "A",
        VECTOR_HEADER ".\n" VECTOR_PAYLOAD,
        VECTOR_HEADER ".+" VECTOR_PAYLOAD,
        VECTOR_HEADER "./" VECTOR_PAYLOAD,
        VECTOR_HEADER ".e30x",
        VECTOR_HEADER ".e31",
    };

    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        assert_int_equal(verify(sign_raw(inputs[i])), JWT_BAD_CLAIMS);
    }
}

static void what_is_expired_is_still_checked(void **state)
{
    const char *token = sign(CURRENT, SLICE(HEADER),
                             SLICE("{\"iss\":\"other\",\"aud\":\"taskhold\"," IDS "," TIMES "}"));

    (void)state;
    assert_int_equal(verify_at(slice_of(token), EXP + 1), JWT_BAD_CLAIMS);
}

static void results_have_names(void **state)
{
    (void)state;
    assert_string_equal(jwt_result_name(JWT_VALID), "valid");
    assert_string_equal(jwt_result_name(JWT_MALFORMED), "malformed");
    assert_string_equal(jwt_result_name(JWT_BAD_SIGNATURE), "bad_signature");
    assert_string_equal(jwt_result_name(JWT_BAD_CLAIMS), "bad_claims");
    assert_string_equal(jwt_result_name(JWT_EXPIRED), "expired");
}

static long allocations_left; /* before one fails */
static void *allocate_or_fail(size_t size)
{
    return allocations_left-- != 0 ? malloc(size) : (json_memory_miss(), NULL);
}

/* Called bad, it would log a client out. */
static void a_lack_of_memory_is_no_refusal(void **state)
{
    long first = 0;
    (void)state;
    json_set_alloc_funcs(allocate_or_fail, free);
    while (allocations_left = first++, verify_at(SLICE(VECTOR), IAT) == JWT_NO_MEMORY) {
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(first > 10 && verify_at(SLICE(VECTOR), IAT) == JWT_VALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_verify),
        cmocka_unit_test(we_make_the_vector),
        cmocka_unit_test(our_signing_in_this_file_is_right),
        cmocka_unit_test(rotation_keeps_tokens_while_the_previous_secret_is_there),
        cmocka_unit_test(issuers_are_escaped),
        cmocka_unit_test(an_issuer_that_does_not_fit_gives_no_token),
        cmocka_unit_test(a_full_buffer_gets_no_half_token),
        cmocka_unit_test(time_is_kept),
        cmocka_unit_test(other_forms_are_no_tokens),
        cmocka_unit_test(other_headers_are_not_ours),
        cmocka_unit_test(no_signature_is_no_token),
        cmocka_unit_test(tokens_above_1024_bytes_are_not_read),
        cmocka_unit_test(other_secrets_do_not_sign),
        cmocka_unit_test(other_purposes_do_not_sign),
        cmocka_unit_test(every_character_counts),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(other_claims_are_not_ours),
        cmocka_unit_test(payloads_are_strict_base64url),
        cmocka_unit_test(what_is_expired_is_still_checked),
        cmocka_unit_test(results_have_names),
        cmocka_unit_test(a_lack_of_memory_is_no_refusal),
    };

    return cmocka_run_group_tests_name("jwt", tests, make_keys, drop_keys);
}
