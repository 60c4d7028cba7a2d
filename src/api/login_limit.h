// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_LOGIN_LIMIT_H
#define TASKHOLD_API_LOGIN_LIMIT_H

#include "auth/throttle.h"
#include "base/client_key.h"
#include "http/message.h"

/* The quota `failures`: guesses of a password for each account. A client from whose address the
 * account's owner logged in before has a quota of its own, so that strangers who fail elsewhere
 * lock nobody out. An e-mail without an account is counted like one with.
 *
 * A guess is taken before its password is hashed, so that guesses that come together are not all
 * compared; it is kept only when it was wrong. Each guess that was taken is settled once. */

#define LOGIN_LIMIT_KEY_MOST 512

struct login_limit {
    struct http_exchange *x;
    bool known_address;
    char key[LOGIN_LIMIT_KEY_MOST];
    size_t key_len;
    struct throttle_state state; /* of the last take */
};

/* `known_address`: as the store says. */
void login_limit_init(struct login_limit *limit, struct http_exchange *x, struct slice email,
                      bool known_address);

/* Takes one guess. False: none is left, and login_limit_refuse is to follow. */
bool login_limit_take(struct login_limit *limit) __attribute__((warn_unused_result));

/* Sends 429. As with every answer, nothing of the request may be touched after it. */
void login_limit_refuse(const struct login_limit *limit);

/* Settle it, and add the RateLimit fields to the answer to come. The password was wrong: */
void login_limit_keep(const struct login_limit *limit);

/* It was right: the guess comes back, and a known client's earlier ones too. Not those of
 * strangers, or each login from a new address would give them ten more. */
void login_limit_forget(const struct login_limit *limit);

/* It was not compared (503): the guess comes back. */
void login_limit_give_back(const struct login_limit *limit);

#endif
