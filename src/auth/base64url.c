// SPDX-License-Identifier: MIT
#include "auth/base64url.h"

#include <assert.h>
#include <sodium.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

void base64url_add(struct buffer *out, struct slice bytes)
{
    assert(out);
    const size_t room = sodium_base64_encoded_len(bytes.len, VARIANT);
    char *place = buffer_reserve(out, room);

    if (place) {
        sodium_bin2base64(place, room, (const unsigned char *)bytes.ptr, bytes.len, VARIANT);
        out->len += room - 1; /* without the NUL */
    }
}

bool base64url_decode(struct slice text, uint8_t *bytes, size_t most, size_t *len)
{
    assert(bytes && len);
    unsigned high = 0;

    /* libsodium 1.0.18 takes a byte above 127 for an underscore. */
    for (size_t i = 0; i < text.len; i++) {
        high |= (unsigned char)text.ptr[i];
    }
    *len = 0;
    return high < 0x80 && (text.len == 0 || sodium_base642bin(bytes, most, text.ptr, text.len, NULL,
                                                              len, NULL, VARIANT) == 0);
}
