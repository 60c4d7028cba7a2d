// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ACCOUNT_H
#define TASKHOLD_API_ACCOUNT_H

#include "auth/hasher.h"
#include "auth/script_token.h"
#include "auth/throttle.h"
#include "auth/tokens.h"
#include "base/client_key.h"
#include "http/fields.h"
#include "model/user_fields.h"
#include "store/store.h"

/* The steps that calls about accounts and sessions have in common: read the body, compare or hash a
 * password, ask the store. Each step either goes on with `next`, then or later, or answers; so it
 * is the last thing that its caller does. */

/* The quota `failures`: guesses of a password for each account. A client from whose address the
 * account's owner logged in before has a quota of its own, so that strangers who fail elsewhere
 * lock nobody out. An e-mail without an account is counted like one with.
 *
 * A guess is taken before its password is hashed, so that guesses that come together are not all
 * compared; it is kept only when it was wrong. Each guess that was taken is settled once. */
struct login_limit {
    bool known_address;
    bool taken; /* and not settled yet */
    size_t key_len;
    char key[USER_EMAIL_MOST + CLIENT_KEY_TEXT_MOST + 2];
};

#define ACCOUNT_CALL_MAGIC 0x3f9c62d5u

/* One such call, in the request's arena. It is `caller` of its operations and jobs. */
struct account_call {
    unsigned magic;
    struct http_exchange *x;
    struct user_input input; /* of the body */
    unsigned set;            /* the members that the body has */
    char client[CLIENT_KEY_TEXT_MOST];

    /* The password that is compared or hashed. */
    struct login_limit limit;
    struct password_job job;
    struct slice *password;
    struct slice new_hash; /* ptr NULL: none was made */
    void (*next)(struct account_call *call);
    void (*checked)(struct account_call *call);

    /* What the store is asked: about the account, and then to do. */
    struct store_user_get get;
    struct store_user_by_email find;
    union {
        struct store_user_create create;
        struct store_user_set_profile set_profile;
        struct store_user_set_password set_password;
        struct store_user_set_email set_email;
        struct store_user_delete erase;
        struct store_user_govern govern;
        struct store_user_list users;
        struct store_invitation_create invite;
        struct store_session_create login;
        struct store_session_refresh refresh;
        struct store_session_list sessions;
        struct store_session_end end;
        struct store_script_token_create make_token;
        struct store_script_token_list tokens;
        struct store_script_token_end end_token;
    } op;

    /* Of single calls. */
    struct http_conditions conditions;
    const char *event;        /* to be logged when it is done */
    const struct user *shown; /* in the answer then; NULL: nothing is */
    struct json_writer json;
    int64_t token_expires_at; /* of a new token for scripts */
    char script_token[SCRIPT_TOKEN_LEN + 1];
    uint8_t script_token_hash[SCRIPT_TOKEN_HASH_LEN];
    char invitation[INVITATION_LEN + 1];
    uint8_t invitation_hash[INVITATION_HASH_LEN];
};

/* A zeroed call. NULL: 503 was sent. */
struct account_call *account_call_new(struct http_exchange *x) __attribute__((warn_unused_result));

/* Reads the body by `body`. What is wrong with it, and what the policy says against a new password,
 * goes to `errors`. False: it was answered. */
bool account_read(struct account_call *call, const struct user_body *body, enum field_mode mode,
                  struct field_errors *errors) __attribute__((warn_unused_result));

/* A call whose whole body is read and valid. NULL: it was answered. */
struct account_call *account_call_begin(struct http_exchange *x, const struct user_body *body)
    __attribute__((warn_unused_result));

/* As body_valid (respond.h), of an operator's order: all that is wrong is sent as sentences in
 * `detail`, because it is read in a terminal. */
bool account_valid_for_operator(struct http_exchange *x, const struct field_errors *errors)
    __attribute__((warn_unused_result));

/* The call that an answer of the store belongs to. */
struct account_call *account_call_of(const struct store_op *op);

/* The common part of an operation of the call. */
struct store_op account_op(struct account_call *call, void (*done)(struct store_op *op));

/* Takes a guess for the account of `email` and compares input.password with `hash`; an empty one
 * costs the same and never matches. `known_address`: as the store says. Sends 429 when no guess is
 * left, 503 when the pool is full or without memory; or goes on: job.ok says whether it is right,
 * and the guess is to be settled. */
void account_compare(struct account_call *call, struct slice email, bool known_address,
                     struct slice hash, void (*next)(struct account_call *call));

enum account_guess {
    ACCOUNT_GUESS_WRONG,
    ACCOUNT_GUESS_UNUSED, /* it was not compared: the guess comes back */
    ACCOUNT_GUESS_RIGHT,  /* it comes back, and a known client's earlier ones too; not those of
                           * strangers, or each login from a new address would give them ten more */
};

/* Settles the guess and adds the RateLimit fields to the answer to come. */
void account_settle(struct account_call *call, enum account_guess guess);

/* Asks the caller, who is known by a token, for their password: loads their row into `get`, judges
 * a new password by it and compares input.password. Sends 403 wrong_password, 422, 429 or 503; or
 * goes on. */
void account_check_password(struct account_call *call, void (*next)(struct account_call *call));

/* Makes new_hash of `password`, a member of the input, and wipes it. Sends 503 when the pool is
 * full or without memory; but without memory it goes on with no new_hash when it is input.password:
 * a login does not fail because its hash could not be made stronger. */
void account_hash(struct account_call *call, struct slice *password,
                  void (*next)(struct account_call *call));

/* Overwrites a password that is not needed any more. */
void account_wipe(struct slice *password);

/* Makes the account that the input describes, with new_hash, as op.create. */
void account_create(struct account_call *call, void (*done)(struct store_op *op));

#endif
