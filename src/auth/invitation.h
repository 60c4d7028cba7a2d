// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_INVITATION_H
#define TASKHOLD_AUTH_INVITATION_H

#include <stdint.h>

#include "base/slice.h"

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
