// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_BASE64URL_H
#define TASKHOLD_AUTH_BASE64URL_H

#include "base/buffer.h"

/* base64url without padding (RFC 4648 section 5, RFC 7515 section 2). */

/* Characters that `bytes` bytes become. */
#define BASE64URL_LEN(bytes) (((bytes)*4 + 2) / 3)

/* Appends `bytes` as text. */
void base64url_add(struct buffer *out, struct slice bytes);

/* Reads a text that base64url_add could have written, and nothing else: no padding, no white space,
 * no `+` or `/`, no other byte, unused bits zero. So two different texts never mean the same bytes.
 * Returns false on anything else, and when the result is longer than `most`. */
bool base64url_decode(struct slice text, uint8_t *bytes, size_t most, size_t *len)
    __attribute__((warn_unused_result));

#endif
