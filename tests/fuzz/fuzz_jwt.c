// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include <sodium.h>

#include "auth/base64url.h"
#include "auth/jwt.h"
#include "auth/tokens.h"

/* What arrives after `Bearer`, and what a body calls a refresh token: any bytes. Then the same
 * bytes as claims under a good signature, or the parser of claims would never be reached. */

#define SECRET SLICE("hT5-one-secret-for-the-unit-tests-q7Zw")
#define ISSUER "taskhold"
#define NOW    INT64_C(1795000001)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
    if (!what) {
        abort();
    }
}

static enum jwt_result verify(const struct keys *keys, struct slice token)
{
    struct jwt_claims claims;
    struct jwt_claims again;
    struct buffer out;
    const enum jwt_result result = jwt_verify(keys, ISSUER, token, NOW, &claims);

    if (result == JWT_VALID) {
        require(claims.expires_at > NOW && claims.issued_at <= NOW + JWT_SKEW_SECONDS);
        buffer_init(&out, JWT_MOST);
        jwt_make(keys, ISSUER, &claims, &out);
        require(jwt_verify(keys, ISSUER, buffer_slice(&out), NOW, &again) == JWT_VALID);
        require(uuid_eq(claims.user, again.user) && uuid_eq(claims.session, again.session));
        require(uuid_eq(claims.token, again.token) && claims.expires_at == again.expires_at);
        buffer_finish(&out);
    }
    return result;
}

/* A refresh token that is taken is one that we write in the very same bytes. */
static void parse_refresh_token(const struct keys *keys, struct slice token)
{
    struct uuid session;
    int64_t counter = 0;
    struct buffer out;

    if (refresh_token_parse(keys, token, &session, &counter)) {
        buffer_init(&out, REFRESH_TOKEN_LEN + 1);
        refresh_token_make(keys, session, counter, &out);
        require(slice_eq(buffer_slice(&out), token));
        buffer_finish(&out);
    }
}

static void decode(struct slice text)
{
    static uint8_t bytes[20000];
    struct buffer out;
    size_t len = 0;

    if (base64url_decode(text, bytes, sizeof bytes, &len)) {
        buffer_init(&out, sizeof bytes * 2);
        base64url_add(&out, (struct slice){(const char *)bytes, len});
        require(slice_eq(buffer_slice(&out), text));
        buffer_finish(&out);
    }
}

static void verify_signed(const struct keys *keys, struct slice claims)
{
    uint8_t mac[KEYS_MAC_LEN];
    struct buffer token;
    enum jwt_result result;

    buffer_init(&token, 65536);
    buffer_add(&token, keys_jose_header(keys, 0));
    buffer_add_char(&token, '.');
    base64url_add(&token, claims);
    require(keys_mac(keys, KEYS_ACCESS, 0, buffer_slice(&token), mac));
    buffer_add_char(&token, '.');
    base64url_add(&token, (struct slice){(const char *)mac, sizeof mac});
    require(!token.failed);
    result = verify(keys, buffer_slice(&token));
    require(result != JWT_BAD_SIGNATURE);
    require((result == JWT_MALFORMED) == (token.len > JWT_MOST || claims.len == 0));
    buffer_finish(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keys *keys;
    const struct slice input = {(const char *)data, size};

    if (!keys) {
        keys = keys_create(SECRET, (struct slice){NULL, 0});
        require(keys != NULL);
    }
    verify(keys, input);
    parse_refresh_token(keys, input);
    decode(input);
    verify_signed(keys, input);
    return 0;
}
