// SPDX-License-Identifier: MIT
#include "auth/tokens.h"

#include <assert.h>
#include <sodium.h>

#include "auth/base64url.h"

/* ---- refresh tokens ---- */

#define COUNTER_AT  16
#define MAC_AT      24
#define TOKEN_BYTES (MAC_AT + KEYS_MAC_LEN)

_Static_assert(BASE64URL_LEN(TOKEN_BYTES) == REFRESH_TOKEN_LEN, "the length in the header");

void refresh_token_make(const struct keys *keys, struct uuid session, int64_t counter,
                        struct buffer *out)
{
    assert(keys && out);
    uint8_t bytes[TOKEN_BYTES];

    memcpy(bytes, session.bytes, sizeof session.bytes);
    for (int i = 0; i < 8; i++) {
        bytes[COUNTER_AT + i] = (uint8_t)((uint64_t)counter >> (56 - 8 * i));
    }
    keys_mac(keys, KEYS_REFRESH, 0, (struct slice){(const char *)bytes, MAC_AT}, bytes + MAC_AT);
    base64url_add(out, (struct slice){(const char *)bytes, sizeof bytes});
}

bool refresh_token_parse(const struct keys *keys, struct slice token, struct uuid *session,
                         int64_t *counter)
{
    assert(keys && session && counter);
    uint8_t bytes[TOKEN_BYTES];
    uint64_t value = 0;
    size_t len = 0;

    if (token.len != REFRESH_TOKEN_LEN || !base64url_decode(token, bytes, sizeof bytes, &len) ||
        len != sizeof bytes ||
        !keys_verify(keys, KEYS_REFRESH, (struct slice){(const char *)bytes, MAC_AT},
                     bytes + MAC_AT)) {
        return false;
    }
    for (int i = 0; i < 8; i++) {
        value = value << 8 | bytes[COUNTER_AT + i];
    }
    if (value > INT64_MAX) {
        return false;
    }
    memcpy(session->bytes, bytes, sizeof session->bytes);
    *counter = (int64_t)value;
    return true;
}

/* ---- invitations ---- */

#define INVITATION_BYTES 32
#define VARIANT          sodium_base64_VARIANT_URLSAFE_NO_PADDING

_Static_assert(sodium_base64_ENCODED_LEN(INVITATION_BYTES, VARIANT) == INVITATION_LEN + 1,
               "the length");
_Static_assert(crypto_hash_sha256_BYTES == INVITATION_HASH_LEN, "the length");

void invitation_make(char text[static INVITATION_LEN + 1], uint8_t hash[static INVITATION_HASH_LEN])
{
    uint8_t random[INVITATION_BYTES];

    randombytes_buf(random, sizeof random);
    sodium_bin2base64(text, INVITATION_LEN + 1, random, sizeof random, VARIANT);
    invitation_hash((struct slice){text, INVITATION_LEN}, hash);
}

void invitation_hash(struct slice text, uint8_t hash[static INVITATION_HASH_LEN])
{
    assert(text.ptr || text.len == 0);
    crypto_hash_sha256(hash, (const unsigned char *)(text.ptr ? text.ptr : ""), text.len);
}
