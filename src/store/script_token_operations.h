// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SCRIPT_TOKEN_OPERATIONS_H
#define TASKHOLD_STORE_SCRIPT_TOKEN_OPERATIONS_H

#include "model/script_token.h"
#include "store/operation.h"

/* Calls about tokens of scripts. One that has expired is not there to any of them. A change of the
 * password ends all of its user, as the deletion of the account does (account_operations.h); a
 * disabled account keeps them, and they are refused meanwhile. */

#define STORE_SCRIPT_TOKEN_HASH_LEN 32

/* ---- reads ---- */

/* Whose is the token of that hash? ERROR_NOT_FOUND: nobody's, or it has expired at `now`, or its
 * user is disabled. */
struct store_script_token_check {
    struct store_op op;
    const uint8_t *hash; /* STORE_SCRIPT_TOKEN_HASH_LEN bytes */
    int64_t now;
    struct script_token token; /* out; without name and ip */
};

/* Those of a user, the newest first. `each` runs for each row before `done`; the row's texts live
 * only during that call. */
struct store_script_token_list {
    struct store_op op;
    struct uuid user;
    int64_t now;
    void (*each)(struct store_script_token_list *op, const struct script_token *row);
};

/* ---- writes ---- */

/* ERROR_TOO_MANY_TOKENS: the user has SCRIPT_TOKENS_MOST. ERROR_WRONG_PASSWORD: `verified_hash` is
 * no longer the user's. ERROR_NOT_FOUND: no such user. */
struct store_script_token_create {
    struct store_op op;
    struct script_token token;  /* complete; its created_at is now */
    const uint8_t *hash;        /* STORE_SCRIPT_TOKEN_HASH_LEN bytes */
    struct slice verified_hash; /* of the password; ptr NULL: an operator asks, who needs none */
};

/* Its end, which all loops and nodes are told of as of the end of a session. ERROR_NOT_FOUND: the
 * user has no such token. */
struct store_script_token_end {
    struct store_op op;
    struct uuid user;
    struct uuid id;
};

/* Notes a use, unless one is noted that is not half of SCRIPT_TOKEN_USED_MS older. */
struct store_script_token_use {
    struct store_op op;
    struct uuid user;
    struct uuid id;
    struct slice ip;
    int64_t now;
};

#endif
