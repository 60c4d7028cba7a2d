// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_USER_FIELDS_H
#define TASKHOLD_MODEL_USER_FIELDS_H

#include "model/field.h"
#include "model/user.h"

/* What calls about accounts read and write. */

/* Every body of these calls is read into this; a call uses the members of its own rows. */
struct user_input {
    struct slice email;
    struct slice name;         /* ptr NULL: null or absent */
    struct slice password;     /* in NFC, as RFC 8265 section 4.2 has it, and nothing else */
    struct slice new_password; /* likewise */
    struct slice refresh_token;
    struct slice invitation; /* ptr NULL: absent */
    struct slice time_zone;  /* ptr NULL: null or absent */
    struct slice scopes;     /* a JSON array of names, each once, at least one; not ptr NULL */
    struct slice expires_at; /* RFC 3339; ptr NULL: null or absent */
    struct slice id;         /* a UUID */
    struct slice days;       /* digits, 1 to USER_DAYS_MOST; ptr NULL: absent */
};

#define USER_DAYS_MOST 365 /* how long an invitation may be good */

/* Bits of field_reading.set. */
enum user_member {
    USER_EMAIL = 1,
    USER_NAME = 2,
    USER_PASSWORD = 4,
    USER_NEW_PASSWORD = 8,
    USER_REFRESH_TOKEN = 16,
    USER_INVITATION = 32,
    USER_DAYS = 64,
    USER_TIME_ZONE = 128,
    USER_SCOPES = 256,
    USER_EXPIRES_AT = 512,
    USER_ID = 1024,
};

struct user_body {
    const struct field *fields;
    size_t count;
};

extern const struct user_body user_body_registration; /* email, password, name?, invitation? */
extern const struct user_body user_body_credentials;  /* email, password, whatever they are */
extern const struct user_body user_body_refresh;      /* refresh_token */
extern const struct user_body user_body_profile;      /* name?, time_zone? */
extern const struct user_body user_body_password;     /* current_password, new_password */
extern const struct user_body user_body_email;        /* email, password */
extern const struct user_body user_body_proof;        /* password */
extern const struct user_body user_body_new_password; /* email, whatever it is; password */
extern const struct user_body user_body_invite;       /* email?, days? */
extern const struct user_body user_body_added;        /* email, password, name? */
extern const struct user_body user_body_account;      /* email, whatever it is */

/* Of a token for scripts: name, scopes, expires_at?, password; of an operator's email instead of
 * the password; and to end one: email, id. */
extern const struct user_body user_body_script_token;
extern const struct user_body user_body_operator_token;
extern const struct user_body user_body_token_end;

/* Written from a struct user: what its owner sees, and what an operator sees; and from a struct
 * session; and from a struct script_token, but for its scopes. */
extern const struct user_body user_body_user;
extern const struct user_body user_body_operator;
extern const struct user_body user_body_session;
extern const struct user_body user_body_token_shown;

/* An address is as the HTML standard's input type=email has it: ASCII, one @, a local part of at
 * most 64 bytes, labels of 1 to 63 letters, digits and inner hyphens; at most 254 bytes in all.
 * What is wrong with it, to show to who typed it; NULL: nothing. `email` is valid UTF-8. */
const char *user_email_wrong(struct slice email);

#endif
