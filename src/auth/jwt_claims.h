// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_JWT_CLAIMS_H
#define TASKHOLD_AUTH_JWT_CLAIMS_H

#include "auth/jwt.h"

/* Reads the claims of a token whose signature was found good (RFC 7519 section 4). Returns whether
 * `text` is a JSON object with each of our claims once, of its own type and in its range, from this
 * issuer, for us, and nothing else. Does not look at the clock. On false `claims` holds rubbish. */
bool jwt_claims_read(struct slice text, const char *issuer, struct jwt_claims *claims);

#endif
