// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_PASSWORD_H
#define TASKHOLD_AUTH_PASSWORD_H

#include "base/slice.h"

/* The policy for new passwords, and their hashes, which hasher.h makes on threads of its own. */

enum password_verdict {
    PASSWORD_OK,
    PASSWORD_TOO_SHORT,      /* fewer than `least` code points */
    PASSWORD_TOO_LONG,       /* above USER_PASSWORD_MOST bytes */
    PASSWORD_COMMON,         /* one of the most common that fit the policy */
    PASSWORD_CONTAINS_EMAIL, /* the local part, of 4 characters or more, ASCII case aside */
};

/* Says what is wrong first, in the order above. `least` in code points. `email` may be empty; its
 * local part is what stands before the last `@`. `password` is valid UTF-8. Any thread. */
enum password_verdict password_judge(struct slice password, struct slice email, unsigned least);

/* Hashes: Argon2id (RFC 9106) as text: `$argon2id$v=19$m=19456,t=2,p=1$SALT$HASH`, so that each
 * hash says how it was made. A call works for tens of milliseconds in 19 MiB of its own, which go
 * back to the system at its end. Call sodium_init before. */

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
