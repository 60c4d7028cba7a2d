#include "auth/refresh_token.h"

#include <sodium.h>

#define VARIANT     sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define COUNTER_AT  16
#define MAC_AT      24
#define TOKEN_BYTES (MAC_AT + KEYS_MAC_LEN)

_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, VARIANT) == REFRESH_TOKEN_LEN + 1,
               "the length in the header");

void refresh_token_make(const struct keys *keys, struct uuid session, int64_t counter,
                        struct buffer *out)
{
    uint8_t bytes[TOKEN_BYTES];
    char text[REFRESH_TOKEN_LEN + 1];

    memcpy(bytes, session.bytes, sizeof session.bytes);
    for (int i = 0; i < 8; i++) {
        bytes[COUNTER_AT + i] = (uint8_t)((uint64_t)counter >> (56 - 8 * i));
    }
    keys_mac(keys, KEYS_REFRESH, 0, (struct slice){(const char *)bytes, MAC_AT}, bytes + MAC_AT);
    sodium_bin2base64(text, sizeof text, bytes, sizeof bytes, VARIANT);
    buffer_add(out, (struct slice){text, REFRESH_TOKEN_LEN});
    sodium_memzero(bytes, sizeof bytes);
    sodium_memzero(text, sizeof text);
}

bool refresh_token_parse(const struct keys *keys, struct slice token, struct uuid *session,
                         int64_t *counter)
{
    uint8_t bytes[TOKEN_BYTES];
    uint64_t value = 0;
    size_t len = 0;

    if (token.len != REFRESH_TOKEN_LEN ||
        sodium_base642bin(bytes, sizeof bytes, token.ptr, token.len, NULL, &len, NULL, VARIANT) !=
            0 ||
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
