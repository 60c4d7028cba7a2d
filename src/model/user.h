// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_USER_H
#define TASKHOLD_MODEL_USER_H

#include <stdint.h>

#include "base/slice.h"
#include "base/uuid.h"

#define USER_EMAIL_MOST    254  /* bytes */
#define USER_NAME_MOST     100  /* code points */
#define USER_PASSWORD_MOST 1024 /* bytes */
#define USER_SESSIONS_MOST 100

/* An account. Texts are borrowed from whoever made the row; times in milliseconds since 1970. */
struct user {
    struct uuid id;
    struct slice email;         /* as sent; compared without regard to ASCII case */
    struct slice name;          /* ptr NULL: null */
    struct slice time_zone;     /* a name of IANA's (model/zone.h), never null */
    struct slice password_hash; /* Argon2id in its own text form; never encoded to JSON */
    int64_t created_at;
    int64_t updated_at;
    int64_t disabled_at; /* 0: the account may be used */
};

/* Names the version of what its owner sees of an account; from 1. The same account always has the
 * same; another name, e-mail, zone or time has another one. */
int64_t user_version(const struct user *user);

/* The zone of an account by its column, where UTC is null and takes no room. */
struct slice user_time_zone(struct slice column);

/* One login and its chain of refresh tokens. */
struct session {
    struct uuid id;
    struct uuid user;
    int64_t counter; /* of the refresh token that is valid now, from 1 */
    int64_t created_at;
    int64_t last_used_at;
    int64_t expires_at;
    struct slice user_agent; /* ptr NULL: none; at most 256 bytes, valid UTF-8 */
    struct slice ip;         /* address of the client as text */
};

#endif
