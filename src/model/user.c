// SPDX-License-Identifier: MIT
#include "model/user.h"

#include <stddef.h>

#include "base/clock.h"
#include "base/nfc.h"
#include "model/field.h"
#include "model/script_token.h"
#include "model/user_fields.h"
#include "model/zone.h"

#define LOCAL_PART_MOST 64
#define LABEL_MOST      63

#define REFRESH_TOKEN_MOST 1024
#define INVITATION_MOST    1024
#define DAYS_MOST          64 /* digits that are looked at */

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

#define LOCAL_PART_TAKES "ASCII letters, digits and .!#$%&'*+/=?^_`{|}~-"

static const char *local_part_wrong(struct slice local)
{
    if (local.len == 0) {
        return "There is nothing before the @.";
    }
    if (!is_ascii(local)) {
        return "Before the @ this server takes " LOCAL_PART_TAKES " only.";
    }
    if (local.len > LOCAL_PART_MOST) {
        return "The part before the @ must have at most 64 characters.";
    }
    for (size_t i = 0; i < local.len; i++) {
        char c = local.ptr[i];
        if (!ascii_is_alnum(c) && !ascii_is_in(c, ".!#$%&'*+/=?^_`{|}~-")) {
            return "The part before the @ must hold " LOCAL_PART_TAKES " only.";
        }
    }
    return NULL;
}

static const char *label_wrong(struct slice label)
{
    if (label.len == 0) {
        return "A part of the domain is empty: there is a dot too many, or no domain.";
    }
    if (label.len > LABEL_MOST) {
        return "Each part of the domain must have at most 63 characters.";
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!ascii_is_alnum(label.ptr[i]) && label.ptr[i] != '-') {
            return "The domain must hold letters, digits, hyphens and dots only.";
        }
    }
    if (label.ptr[0] == '-' || label.ptr[label.len - 1] == '-') {
        return "No part of the domain may begin or end with a hyphen.";
    }
    return NULL;
}

static const char *domain_wrong(struct slice domain)
{
    struct slice rest = domain;
    const char *wrong = NULL;
    if (!is_ascii(domain)) {
        return "Write the domain in its ASCII form, whose parts begin with xn-- (punycode).";
    }
    while (rest.ptr && !wrong) {
        wrong = label_wrong(slice_next(&rest, '.'));
    }
    return wrong;
}

const char *user_email_wrong(struct slice email)
{
    if (email.len == 0) {
        return "Must be an e-mail address such as ada@example.com.";
    }
    if (email.len > USER_EMAIL_MOST) {
        return "Must have at most 254 bytes.";
    }
    size_t last = email.len - 1; /* where the last code point begins */
    while (last > 0 && ((unsigned char)email.ptr[last] & 0xC0) == 0x80) {
        last--;
    }
    if (text_look((struct slice){email.ptr, utf8_step(email)}).blank ||
        text_look(slice_from(email, last)).blank) {
        return "Has white space before or after it: leave that out.";
    }
    struct slice rest = email;
    struct slice local = slice_next(&rest, '@');
    if (!rest.ptr || memchr(rest.ptr, '@', rest.len)) {
        return "Must be an e-mail address with one @, such as ada@example.com.";
    }
    const char *wrong = local_part_wrong(local);
    return wrong ? wrong : domain_wrong(rest);
}

static const char *days_wrong(struct slice days)
{
    uint64_t number = 0;
    return slice_to_u64(days, USER_DAYS_MOST, &number) && number > 0
               ? NULL
               : "Must be a whole number from 1 to 365.";
}

/* ---- the rows that more than one call has ---- */

#define EMAIL_FIELD(required, rule)                                                                \
    {                                                                                              \
        .name = FIELD_NAME("email"), .type = FIELD_TEXT, .flags = (required) | FIELD_BYTES,        \
        .most = USER_EMAIL_MOST, .at = offsetof(struct user_input, email), .bit = USER_EMAIL,      \
        .wrong = (rule), .wrong_code = "email"                                                     \
    }
#define NEW_EMAIL_FIELD EMAIL_FIELD(FIELD_REQUIRED, user_email_wrong)

#define NAME_FIELD                                                                                 \
    {                                                                                              \
        .name = FIELD_NAME("name"), .type = FIELD_TEXT,                                            \
        .flags = FIELD_NULLABLE | FIELD_NOT_EMPTY | FIELD_NOT_BLANK, .most = USER_NAME_MOST,       \
        .at = offsetof(struct user_input, name), .bit = USER_NAME                                  \
    }

/* One that is longer before it is normalised is refused as well. */
_Static_assert(USER_PASSWORD_MOST == NFC_MOST, "what is not normalised is too long");

/* A password that exists: only what no account can have is refused before it is compared. */
#define PASSWORD_FIELD(member)                                                                     \
    {                                                                                              \
        .name = FIELD_NAME(member), .type = FIELD_TEXT,                                            \
        .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_NFC | FIELD_BYTES,                          \
        .most = USER_PASSWORD_MOST, .at = offsetof(struct user_input, password),                   \
        .bit = USER_PASSWORD                                                                       \
    }

/* A password to be: its length is the policy's business (password_judge). */
#define NEW_PASSWORD_FIELD(member)                                                                 \
    {                                                                                              \
        .name = FIELD_NAME(member), .type = FIELD_TEXT,                                            \
        .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_NFC, .most = UINT32_MAX,                    \
        .at = offsetof(struct user_input, new_password), .bit = USER_NEW_PASSWORD                  \
    }

#define BODY(rows)                                                                                 \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof(rows)[0]                                                     \
    }

/* What an operator adds needs no invitation. */
static const struct field added[] = {NEW_EMAIL_FIELD, NEW_PASSWORD_FIELD("password"), NAME_FIELD};
static const struct field registration[] = {
    NEW_EMAIL_FIELD,
    NEW_PASSWORD_FIELD("password"),
    NAME_FIELD,
    {.name = FIELD_NAME("invitation"),
     .type = FIELD_TEXT,
     .flags = FIELD_SECRET | FIELD_BYTES,
     .most = INVITATION_MOST,
     .at = offsetof(struct user_input, invitation),
     .bit = USER_INVITATION},
};
static const struct field invite[] = {
    EMAIL_FIELD(0, user_email_wrong),
    {.name = FIELD_NAME("days"),
     .type = FIELD_TEXT,
     .most = DAYS_MOST,
     .at = offsetof(struct user_input, days),
     .bit = USER_DAYS,
     .wrong = days_wrong,
     .wrong_code = "days"},
};
/* An account as it was read may be sent back, but for what stands elsewhere or is ours. */
#define FIXED(literal)                                                                             \
    {                                                                                              \
        .name = FIELD_NAME(literal), .flags = FIELD_READ_ONLY                                      \
    }

static const struct field profile[] = {
    NAME_FIELD,
    {.name = FIELD_NAME("time_zone"),
     .type = FIELD_TEXT,
     .flags = FIELD_NULLABLE | FIELD_NOT_EMPTY | FIELD_BYTES | FIELD_ZONE,
     .most = ZONE_NAME_MOST,
     .at = offsetof(struct user_input, time_zone),
     .bit = USER_TIME_ZONE},
    FIXED("id"),
    {.name = FIELD_NAME("email"),
     .flags = FIELD_READ_ONLY,
     .elsewhere = "Is changed with PUT /v1/me/email; leave it out."},
    FIXED("created_at"),
    FIXED("updated_at"),
};
static const struct field password[] = {PASSWORD_FIELD("current_password"),
                                        NEW_PASSWORD_FIELD("new_password")};
static const struct field email[] = {NEW_EMAIL_FIELD, PASSWORD_FIELD("password")};
static const struct field proof[] = {PASSWORD_FIELD("password")};

/* An e-mail that no account can have is answered like one that no account has. */
#define ANY_EMAIL_FIELD EMAIL_FIELD(FIELD_REQUIRED, NULL)

static const struct field credentials[] = {ANY_EMAIL_FIELD, PASSWORD_FIELD("password")};
static const struct field new_password[] = {ANY_EMAIL_FIELD, NEW_PASSWORD_FIELD("password")};
static const struct field account[] = {ANY_EMAIL_FIELD};

static const struct field refresh[] = {
    {.name = FIELD_NAME("refresh_token"),
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_SECRET | FIELD_BYTES,
     .most = REFRESH_TOKEN_MOST,
     .at = offsetof(struct user_input, refresh_token),
     .bit = USER_REFRESH_TOKEN},
};

/* ---- tokens for scripts ---- */

static const char *scope_wrong(struct slice name)
{
    return scope_named(name) ? NULL : "Must be tasks:read, tasks:write or account:read.";
}

static const char *time_wrong(struct slice text)
{
    int64_t ms = 0;
    return clock_parse_rfc3339(text, &ms)
               ? NULL
               : "Must be a time as in RFC 3339, such as 2026-12-01T09:30:00Z.";
}

#define TOKEN_NAME_FIELD                                                                           \
    {                                                                                              \
        .name = FIELD_NAME("name"), .type = FIELD_TEXT,                                            \
        .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK,                               \
        .most = SCRIPT_TOKEN_NAME_MOST, .at = offsetof(struct user_input, name), .bit = USER_NAME  \
    }
#define SCOPES_FIELD                                                                               \
    {                                                                                              \
        .name = FIELD_NAME("scopes"), .type = FIELD_STRINGS,                                       \
        .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_DISTINCT, .most = SCOPE_TEXT_MOST,       \
        .most_items = SCOPE_COUNT, .at = offsetof(struct user_input, scopes), .bit = USER_SCOPES,  \
        .wrong = scope_wrong, .wrong_code = "not_allowed"                                          \
    }
#define EXPIRES_AT_FIELD                                                                           \
    {                                                                                              \
        .name = FIELD_NAME("expires_at"), .type = FIELD_TEXT, .flags = FIELD_NULLABLE,             \
        .most = UINT32_MAX, .at = offsetof(struct user_input, expires_at), .bit = USER_EXPIRES_AT, \
        .wrong = time_wrong, .wrong_code = "time"                                                  \
    }

static const struct field script_token[] = {TOKEN_NAME_FIELD, SCOPES_FIELD, EXPIRES_AT_FIELD,
                                            PASSWORD_FIELD("password")};
static const struct field operator_token[] = {ANY_EMAIL_FIELD, TOKEN_NAME_FIELD, SCOPES_FIELD,
                                              EXPIRES_AT_FIELD};
static const char *id_wrong(struct slice text)
{
    struct uuid id;
    return uuid_parse_any_case(text, &id) ? NULL : "Must be a UUID.";
}

static const struct field token_end[] = {
    ANY_EMAIL_FIELD,
    {.name = FIELD_NAME("id"),
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED,
     .most = UINT32_MAX,
     .at = offsetof(struct user_input, id),
     .bit = USER_ID,
     .wrong = id_wrong,
     .wrong_code = "uuid"},
};

const struct user_body user_body_script_token = BODY(script_token);
const struct user_body user_body_operator_token = BODY(operator_token);
const struct user_body user_body_token_end = BODY(token_end);
const struct user_body user_body_registration = BODY(registration);
const struct user_body user_body_added = BODY(added);
const struct user_body user_body_invite = BODY(invite);
const struct user_body user_body_credentials = BODY(credentials);
const struct user_body user_body_refresh = BODY(refresh);
const struct user_body user_body_profile = BODY(profile);
const struct user_body user_body_password = BODY(password);
const struct user_body user_body_email = BODY(email);
const struct user_body user_body_proof = BODY(proof);
const struct user_body user_body_new_password = BODY(new_password);
const struct user_body user_body_account = BODY(account);

/* ---- what answers show ---- */

#define SHOWN(literal, kind, type_name, member)                                                    \
    {                                                                                              \
        .name = FIELD_NAME(literal), .type = (kind), .flags = FIELD_READ_ONLY,                     \
        .at = offsetof(type_name, member)                                                          \
    }

static const struct field user_shown[] = {
    SHOWN("id", FIELD_UUID, struct user, id),
    SHOWN("email", FIELD_TEXT, struct user, email),
    SHOWN("name", FIELD_TEXT, struct user, name),
    SHOWN("time_zone", FIELD_TEXT, struct user, time_zone),
    SHOWN("created_at", FIELD_TIME, struct user, created_at),
    SHOWN("updated_at", FIELD_TIME, struct user, updated_at),
};

static const struct field operator_shown[] = {
    SHOWN("id", FIELD_UUID, struct user, id),
    SHOWN("email", FIELD_TEXT, struct user, email),
    SHOWN("name", FIELD_TEXT, struct user, name),
    SHOWN("time_zone", FIELD_TEXT, struct user, time_zone),
    SHOWN("created_at", FIELD_TIME, struct user, created_at),
    {.name = FIELD_NAME("disabled_at"),
     .type = FIELD_TIME,
     .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
     .at = offsetof(struct user, disabled_at)},
};

static const struct field session_shown[] = {
    SHOWN("id", FIELD_UUID, struct session, id),
    SHOWN("created_at", FIELD_TIME, struct session, created_at),
    SHOWN("last_used_at", FIELD_TIME, struct session, last_used_at),
    SHOWN("expires_at", FIELD_TIME, struct session, expires_at),
    SHOWN("user_agent", FIELD_TEXT, struct session, user_agent),
    SHOWN("ip", FIELD_TEXT, struct session, ip),
};

#define SHOWN_OR_NULL(literal, kind, type_name, member)                                            \
    {                                                                                              \
        .name = FIELD_NAME(literal), .type = (kind), .flags = FIELD_READ_ONLY | FIELD_NULLABLE,    \
        .at = offsetof(type_name, member)                                                          \
    }

static const struct field token_shown[] = {
    SHOWN("id", FIELD_UUID, struct script_token, id),
    SHOWN("name", FIELD_TEXT, struct script_token, name),
    SHOWN("created_at", FIELD_TIME, struct script_token, created_at),
    SHOWN_OR_NULL("last_used_at", FIELD_TIME, struct script_token, last_used_at),
    SHOWN_OR_NULL("expires_at", FIELD_TIME, struct script_token, expires_at),
    SHOWN_OR_NULL("ip", FIELD_TEXT, struct script_token, ip),
};

const struct user_body user_body_token_shown = BODY(token_shown);
const struct user_body user_body_user = BODY(user_shown);
const struct user_body user_body_operator = BODY(operator_shown);
const struct user_body user_body_session = BODY(session_shown);

struct slice user_time_zone(struct slice column)
{
    return column.ptr ? column : SLICE(ZONE_UTC);
}

/* ---- versions ---- */

/* FNV-1a, 64 bits: nobody gains by finding two versions of an own account that collide. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3U;
    }
    return hash;
}

static uint64_t mix_text(uint64_t hash, struct slice text)
{
    const uint64_t len = text.ptr ? text.len : UINT64_MAX; /* null is not the empty text */
    return mix(mix(hash, &len, sizeof len), text.ptr, text.len);
}

int64_t user_version(const struct user *user)
{
    assert(user && user->email.ptr && user->time_zone.ptr);
    uint64_t hash = mix(0xcbf29ce484222325U, user->id.bytes, sizeof user->id.bytes);
    hash = mix_text(mix_text(mix_text(hash, user->email), user->name), user->time_zone);
    hash = mix(hash, &user->created_at, sizeof user->created_at);
    hash = mix(hash, &user->updated_at, sizeof user->updated_at);
    return (int64_t)(hash >> 1) | 1;
}
