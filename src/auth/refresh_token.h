// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_REFRESH_TOKEN_H
#define TASKHOLD_AUTH_REFRESH_TOKEN_H

#include "auth/keys.h"
#include "base/uuid.h"

/* Refresh tokens: base64url of session id (16 bytes), counter (8, big endian) and a MAC over both
 * under a derived key. Nothing that is stored can be used as one. */

#define REFRESH_TOKEN_LEN 75 /* characters: 56 bytes */

void refresh_token_make(const struct keys *keys, struct uuid session, int64_t counter,
                        struct buffer *out);

/* Returns false for whatever is not exactly a token of ours, under the current or previous key. */
bool refresh_token_parse(const struct keys *keys, struct slice token, struct uuid *session,
                         int64_t *counter);

#endif
