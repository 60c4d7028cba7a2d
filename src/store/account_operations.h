// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_ACCOUNT_OPERATIONS_H
#define TASKHOLD_STORE_ACCOUNT_OPERATIONS_H

#include "model/user.h"
#include "store/operation.h"

/* Calls about accounts and their sessions. */

/* ERROR_NOT_FOUND: no such e-mail. Comparison ignores ASCII case. */
struct store_user_by_email {
    struct store_op op;
    struct slice email;
    struct slice client; /* who asks, as base/client_key.h writes it */
    struct user user;    /* out */
    bool known_address;  /* out: that user logged in from there before */
};

/* ERROR_NOT_FOUND. */
struct store_user_get {
    struct store_op op;
    struct uuid id;
    struct slice client; /* ptr NULL: known_address is not looked up */
    struct user user;    /* out */
    bool known_address;  /* out */
};

/* One page of all accounts, ordered by id, which is the order in which they were made. `each` runs
 * for each row, at most `limit` times, before `done`; the row's texts live only during that call.
 */
struct store_user_list {
    struct store_op op;
    struct uuid after; /* begin after this id; all zero: at the beginning */
    unsigned limit;    /* rows, 1 to 100 */
    void (*each)(struct store_user_list *op, const struct user *row);
    bool more; /* out: there are rows after the last */
};

/* Is the session alive: there, not expired at `now`, its user there and not disabled? Or the token
 * of a script, of which only the id is known. ERROR_NOT_FOUND if not. */
struct store_session_check {
    struct store_op op;
    struct uuid user;
    struct uuid id;
    bool of_script; /* `id` is such a token's */
    int64_t now;
    int64_t expires_at; /* out; 0: never */
};

/* The live sessions of a user, the newest first. `each` runs for each row before `done`; the row's
 * texts live only during that call. */
struct store_session_list {
    struct store_op op;
    struct uuid user;
    int64_t now;
    void (*each)(struct store_session_list *op, const struct session *row);
};
/* ---- writes ---- */

/* ERROR_EMAIL_TAKEN. `user` is complete, hash included; its space is made with it.
 * ERROR_INVALID_INVITATION: there is none of that hash, or it has expired at user.created_at, or is
 * for another e-mail. It is used up when the user is made. */
struct store_user_create {
    struct store_op op;
    struct user user;
    const uint8_t *invitation; /* STORE_INVITATION_LEN bytes; NULL: none is needed */
};

#define STORE_INVITATION_LEN 32

/* Keeps an invitation to one registration. ERROR_QUOTA_EXCEEDED: there are RETENTION_INVITATIONS.
 */
struct store_invitation_create {
    struct store_op op;
    uint8_t hash[STORE_INVITATION_LEN];
    struct slice email; /* ptr NULL: for anyone */
    int64_t now;
    int64_t expires_at;
};

/* Sets what an owner says of themselves. ERROR_NOT_FOUND, ERROR_PRECONDITION_FAILED. `user` out:
 * the row as it is now, also when a precondition failed. */
struct store_user_set_profile {
    struct store_op op;
    struct uuid id;
    bool sets_name;
    bool sets_time_zone;
    struct slice name;                      /* ptr NULL clears */
    struct slice time_zone;                 /* ptr NULL: UTC */
    struct store_precondition precondition; /* of user_version() */
    enum store_verdict verdict;             /* out */
    int64_t now;
    struct user user; /* out */
};

/* Changes that need the password. `verified_hash` is the hash that the given password matched: when
 * it is no longer the user's, ERROR_WRONG_PASSWORD. ERROR_NOT_FOUND: no such user. */
struct store_user_set_password {
    struct store_op op;
    struct uuid id;
    struct slice verified_hash;
    struct slice hash;
    struct uuid keep; /* this session stays; every other ends */
    int64_t now;
};

/* ERROR_EMAIL_TAKEN too. */
struct store_user_set_email {
    struct store_op op;
    struct uuid id;
    struct slice verified_hash;
    struct slice email;
    int64_t now;
    struct user user; /* out */
};

/* The account and all that belongs to it. Sessions and the space end with the commit; the rows of
 * the space are removed later, in steps. Meanwhile no list shows them, but an item_get may find one
 * by its id: no session is left to ask. The e-mail is free at once. */
struct store_user_delete {
    struct store_op op;
    struct uuid id;
    struct slice verified_hash;
};

/* What an operator may do to an account without its password. */
enum store_user_verb {
    STORE_USER_DISABLE,      /* every session ends and none can begin; the tasks stay */
    STORE_USER_ENABLE,       /* back to what it was, but for the sessions */
    STORE_USER_SET_PASSWORD, /* `hash` becomes the user's, every session ends */
    STORE_USER_ERASE,        /* as store_user_delete */
};

/* Disabling once more keeps the first time. ERROR_NOT_FOUND. */
struct store_user_govern {
    struct store_op op;
    enum store_user_verb verb;
    struct uuid id;
    struct slice hash; /* for SET_PASSWORD */
    int64_t now;
    struct user user; /* out: the row as it is now; as it was, when erased */
};

/* A login. ERROR_INVALID_CREDENTIALS when `verified_hash` is no longer the user's or the user is
 * gone or disabled. Above USER_SESSIONS_MOST the oldest session ends. Remembers the client. */
struct store_session_create {
    struct store_op op;
    struct session session; /* complete, counter 1 */
    struct slice client;    /* to be known from now on; ptr NULL: none */
    struct slice verified_hash;
    struct slice rehash; /* ptr NULL: keep the hash; else it becomes the user's */
};

/* Rotation. `counter` is the presented token's. The current one, or one ahead of it, which is a
 * token that a restore made us forget: counter + 1, last_used_at and expires_at move. One that was
 * superseded less than `grace_ms` ago: answers with the current counter and changes nothing. Any
 * other: the session ends, that is committed, and the result is ERROR_INVALID_REFRESH_TOKEN; the
 * same for an expired or absent session or a disabled user. */
struct store_session_refresh {
    struct store_op op;
    struct uuid id;
    int64_t counter;
    int64_t now;
    int64_t ttl_ms;
    int64_t lifetime_ms; /* expires_at never passes created_at + this */
    int64_t grace_ms;
    struct session session; /* out; without user_agent and ip */
    bool reuse;             /* out: the session was ended by a replay */
};

/* ERROR_NOT_FOUND: the user has no such session. With `others` it stays, and every other one of the
 * user ends. */
struct store_session_end {
    struct store_op op;
    struct uuid user; /* all zero: whoever's session it is, for a token of it was shown; out */
    struct uuid id;
    bool others; /* `user` is known */
};

#endif
