// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_JWT_H
#define TASKHOLD_AUTH_JWT_H

#include "auth/keys.h"
#include "base/uuid.h"

/* Access tokens: JWT (RFC 7519) as compact JWS (RFC 7515), HS256, typ at+jwt (RFC 9068). Only
 * tokens of ours verify: the header must be byte for byte one that we issue, the MAC is checked in
 * constant time, and only then are claims read. */

#define JWT_MOST         1024 /* bytes of a token */
#define JWT_AUDIENCE     "taskhold"
#define JWT_SKEW_SECONDS 60 /* how far iat may lie in the future */

struct jwt_claims {
    struct uuid user;    /* sub */
    struct uuid session; /* sid */
    struct uuid token;   /* jti */
    int64_t issued_at;   /* iat, seconds */
    int64_t expires_at;  /* exp, seconds */
};

/* Appends a token under the current key. `issuer` is UTF-8 and at most JWT_ISSUER_MOST bytes as
 * JSON writes them; a longer one is the buffer's error, for no half token may leave. */
#define JWT_ISSUER_MOST 400
void jwt_make(const struct keys *keys, const char *issuer, const struct jwt_claims *claims,
              struct buffer *out);

enum jwt_result {
    JWT_VALID,
    JWT_MALFORMED, /* not a token of ours by its form or header */
    JWT_BAD_SIGNATURE,
    JWT_BAD_CLAIMS, /* signed by us, but not as we sign: a claim is missing, of
                     * another type or value, or not one of ours */
    JWT_EXPIRED,
    JWT_NO_MEMORY, /* nothing is known of it: no refusal */
};

/* `now` in seconds. Fills `claims` when JWT_VALID or JWT_EXPIRED. */
enum jwt_result jwt_verify(const struct keys *keys, const char *issuer, struct slice token,
                           int64_t now, struct jwt_claims *claims);

/* Reads the claims of a token whose signature was found good (RFC 7519 section 4). Returns whether
 * `text` is a JSON object with each of our claims once, of its own type and in its range, from this
 * issuer, for us, and nothing else. Does not look at the clock. On false `claims` holds rubbish. */
bool jwt_claims_read(struct slice text, const char *issuer, struct jwt_claims *claims);

/* A fixed name for logs: `expired` and so on. */
const char *jwt_result_name(enum jwt_result result);

#endif
