// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_PASSWORD_CHECK_H
#define TASKHOLD_API_PASSWORD_CHECK_H

#include "api/login_limit.h"
#include "auth/hasher.h"
#include "model/user_fields.h"
#include "store/store.h"

/* Calls that need the caller's password beside the token: PUT /v1/me/password and /v1/me/email,
 * POST /v1/me/deletion. A call keeps this as the first member of its own struct, zeroed. */
struct password_check {
    struct http_exchange *x;
    struct user_input input; /* `password` is what is proved */

    /* The caller's row is there. Goes on with password_check_compare, or answers. */
    void (*loaded)(struct password_check *check);

    /* The password is right, and wiped. Goes on. */
    void (*proved)(struct password_check *check);

    /* The check's own: */
    struct store_user_get get;
    struct password_job job;
    struct login_limit limit;
    char client[CLIENT_KEY_TEXT_MOST];
};

/* Reads the caller's row and calls `loaded`. */
void password_check_load(struct password_check *check);

/* The row, from `loaded` on. */
static inline const struct user *password_check_user(const struct password_check *check)
{
    return &check->get.user;
}

/* Compares. Sends 403 wrong_password, 429 or 503; else calls `proved`. */
void password_check_compare(struct password_check *check);

#endif
