// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_PROOF_H
#define TASKHOLD_API_PROOF_H

#include "api/failures.h"
#include "auth/hasher.h"
#include "model/user_fields.h"
#include "store/store.h"

/* Calls that need the caller's password beside the token: PUT /v1/me/password and /v1/me/email,
 * POST /v1/me/deletion. A call keeps this as the first member of its own struct, zeroed. */
struct proof {
    struct http_exchange *x;
    struct user_input input; /* `password` is what is proved */

    /* The caller's row is there. Goes on with proof_compare, or answers. */
    void (*loaded)(struct proof *proof);

    /* The password is right, and wiped. Goes on. */
    void (*proved)(struct proof *proof);

    /* The proof's own: */
    struct store_user_get get;
    struct password_job job;
    struct failures failures;
    char client[CLIENT_KEY_TEXT_MOST];
};

/* Reads the caller's row and calls `loaded`. */
void proof_load(struct proof *proof);

/* The row, from `loaded` on. */
static inline const struct user *proof_user(const struct proof *proof)
{
    return &proof->get.user;
}

/* Compares. Sends 403 wrong_password, 429 or 503; else calls `proved`. */
void proof_compare(struct proof *proof);

#endif
