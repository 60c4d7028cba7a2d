// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_SCRIPT_TOKEN_H
#define TASKHOLD_AUTH_SCRIPT_TOKEN_H

#include "base/slice.h"

/* Tokens of scripts: `thk_`, 39 random digits of base 62, and a checksum of those: CRC-32 (IEEE)
 * mod 62^4, in four digits, the highest first. A digit is one of 0-9A-Za-z. The prefix lets
 * scanners of secrets find one that was published, the checksum tells what is none without a look
 * at the database. Only the SHA-256 is kept, as of an invitation. Call sodium_init before. */

#define SCRIPT_TOKEN_PREFIX   "thk_"
#define SCRIPT_TOKEN_LEN      47 /* characters, in all */
#define SCRIPT_TOKEN_HASH_LEN 32

/* A new one, ended by NUL, and its hash. */
void script_token_make(char text[static SCRIPT_TOKEN_LEN + 1],
                       uint8_t hash[static SCRIPT_TOKEN_HASH_LEN]);

/* Has it the form of one, with the right checksum? Reads `text` alone. */
bool script_token_is_whole(struct slice text);

void script_token_hash(struct slice text, uint8_t hash[static SCRIPT_TOKEN_HASH_LEN]);

#endif
