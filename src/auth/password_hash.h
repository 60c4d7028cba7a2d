// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_PASSWORD_HASH_H
#define TASKHOLD_AUTH_PASSWORD_HASH_H

#include "base/slice.h"

/* Argon2id (RFC 9106) as text: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, so that each hash says
 * how it was made. A call works for tens of milliseconds in 19 MiB of its own, which go back to the
 * system at its end. Call sodium_init before. */

#define PASSWORD_HASH_MOST 128 /* bytes of the text, NUL included */

/* Hashes any bytes with today's parameters and a new salt. Returns false without memory. */
bool password_hash_make(struct slice password, char text[static PASSWORD_HASH_MOST])
    __attribute__((warn_unused_result));

/* A text in which no password was hashed: comparing with it costs what comparing with any other of
 * today's costs, and making it costs nothing. */
void password_hash_make_unknown(char text[static PASSWORD_HASH_MOST]);

enum password_match {
    PASSWORD_MATCHES,
    PASSWORD_MATCHES_OUTDATED, /* and `text` has weaker parameters than today's */
    PASSWORD_DIFFERS,
    PASSWORD_NO_HASH,   /* `text` is no hash that we could compare with; no work was done */
    PASSWORD_NO_MEMORY, /* nothing is known */
};

/* Compares in constant time. */
enum password_match password_hash_compare(struct slice password, const char *text);

#endif
