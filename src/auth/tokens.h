// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_TOKENS_H
#define TASKHOLD_AUTH_TOKENS_H

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

/* An invitation is 32 random bytes as base64url, and good for one registration. Only its SHA-256 is
 * kept, so that nothing in the database can be used as one; a slow hash would add nothing to a
 * secret that nobody can guess. Call sodium_init before. */

#define INVITATION_LEN      43 /* characters */
#define INVITATION_HASH_LEN 32

void invitation_make(char text[static INVITATION_LEN + 1],
                     uint8_t hash[static INVITATION_HASH_LEN]);

/* Of whatever was sent. */
void invitation_hash(struct slice text, uint8_t hash[static INVITATION_HASH_LEN]);

#endif
