#include "model/user.h"

#include <stddef.h>

#include "model/user_fields.h"

#define LOCAL_PART_MOST 64
#define LABEL_MOST      63

#define REFRESH_TOKEN_MOST 1024

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool local_part_valid(struct slice local)
{
    if (local.len == 0 || local.len > LOCAL_PART_MOST) {
        return false;
    }
    for (size_t i = 0; i < local.len; i++) {
        char c = local.ptr[i];
        if (!is_letter_or_digit(c) && (c == '\0' || !strchr(".!#$%&'*+/=?^_`{|}~-", c))) {
            return false;
        }
    }
    return true;
}

static bool label_valid(struct slice label)
{
    if (label.len == 0 || label.len > LABEL_MOST || label.ptr[0] == '-' ||
        label.ptr[label.len - 1] == '-') {
        return false;
    }
    for (size_t i = 0; i < label.len; i++) {
        if (!is_letter_or_digit(label.ptr[i]) && label.ptr[i] != '-') {
            return false;
        }
    }
    return true;
}

bool user_email_valid(struct slice email)
{
    if (email.len == 0 || email.len > USER_EMAIL_MOST) {
        return false;
    }
    struct slice rest = email;
    struct slice local = slice_next(&rest, '@');
    if (!rest.ptr || !local_part_valid(local)) {
        return false;
    }
    while (rest.ptr) {
        if (!label_valid(slice_next(&rest, '.'))) {
            return false;
        }
    }
    return true;
}

/* ---- the rows that more than one call has ---- */

#define EMAIL_FIELD                                                                                \
    {                                                                                              \
        .name = FIELD_NAME("email"), .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_BYTES,    \
        .most = USER_EMAIL_MOST, .input = offsetof(struct user_input, email), .bit = USER_EMAIL,   \
        .valid = user_email_valid, .invalid_code = "email",                                        \
        .invalid_detail = "Must be an e-mail address."                                             \
    }

#define NAME_FIELD                                                                                 \
    {                                                                                              \
        .name = FIELD_NAME("name"), .type = FIELD_TEXT, .flags = FIELD_NULLABLE | FIELD_NOT_BLANK, \
        .least = 1, .most = USER_NAME_MOST, .input = offsetof(struct user_input, name),            \
        .bit = USER_NAME                                                                           \
    }

/* A password that exists: only what no account can have is refused before it is compared. */
#define PASSWORD_FIELD(member)                                                                     \
    {                                                                                              \
        .name = FIELD_NAME(member), .type = FIELD_TEXT,                                            \
        .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_BYTES, .most = USER_PASSWORD_MOST,          \
        .input = offsetof(struct user_input, password), .bit = USER_PASSWORD                       \
    }

/* A password to be: its length is the policy's business (password_check). */
#define NEW_PASSWORD_FIELD(member)                                                                 \
    {                                                                                              \
        .name = FIELD_NAME(member), .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SECRET,    \
        .most = UINT32_MAX, .input = offsetof(struct user_input, new_password),                    \
        .bit = USER_NEW_PASSWORD                                                                   \
    }

#define BODY(rows)                                                                                 \
    {                                                                                              \
        (rows), sizeof(rows) / sizeof(rows)[0]                                                     \
    }

static const struct field registration[] = {EMAIL_FIELD, NEW_PASSWORD_FIELD("password"),
                                            NAME_FIELD};
/* An account as it was read may be sent back, but for what stands elsewhere or is ours. */
#define FIXED(literal)                                                                             \
    {                                                                                              \
        .name = FIELD_NAME(literal), .flags = FIELD_READ_ONLY                                      \
    }

static const struct field profile[] = {
    NAME_FIELD,
    FIXED("id"),
    {.name = FIELD_NAME("email"),
     .flags = FIELD_READ_ONLY,
     .invalid_detail = "Is changed with PUT /v1/me/email; leave it out."},
    FIXED("created_at"),
    FIXED("updated_at"),
};
static const struct field password[] = {PASSWORD_FIELD("current_password"),
                                        NEW_PASSWORD_FIELD("new_password")};
static const struct field email[] = {EMAIL_FIELD, PASSWORD_FIELD("password")};
static const struct field proof[] = {PASSWORD_FIELD("password")};

/* An e-mail that no account can have is answered like one that no account has. */
#define ANY_EMAIL_FIELD                                                                            \
    {                                                                                              \
        .name = FIELD_NAME("email"), .type = FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_BYTES,    \
        .most = USER_EMAIL_MOST, .input = offsetof(struct user_input, email), .bit = USER_EMAIL    \
    }

static const struct field credentials[] = {ANY_EMAIL_FIELD, PASSWORD_FIELD("password")};
static const struct field new_password[] = {ANY_EMAIL_FIELD, NEW_PASSWORD_FIELD("password")};
static const struct field account[] = {ANY_EMAIL_FIELD};

static const struct field refresh[] = {
    {.name = FIELD_NAME("refresh_token"),
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED | FIELD_SECRET | FIELD_BYTES,
     .least = 1,
     .most = REFRESH_TOKEN_MOST,
     .input = offsetof(struct user_input, refresh_token),
     .bit = USER_REFRESH_TOKEN},
};

const struct user_body user_body_registration = BODY(registration);
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
        .row = offsetof(type_name, member)                                                         \
    }

static const struct field user_shown[] = {
    SHOWN("id", FIELD_UUID, struct user, id),
    SHOWN("email", FIELD_TEXT, struct user, email),
    SHOWN("name", FIELD_TEXT, struct user, name),
    SHOWN("created_at", FIELD_TIME, struct user, created_at),
    SHOWN("updated_at", FIELD_TIME, struct user, updated_at),
};

static const struct field operator_shown[] = {
    SHOWN("id", FIELD_UUID, struct user, id),
    SHOWN("email", FIELD_TEXT, struct user, email),
    SHOWN("name", FIELD_TEXT, struct user, name),
    SHOWN("created_at", FIELD_TIME, struct user, created_at),
    {.name = FIELD_NAME("disabled_at"),
     .type = FIELD_TIME,
     .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
     .row = offsetof(struct user, disabled_at)},
};

static const struct field session_shown[] = {
    SHOWN("id", FIELD_UUID, struct session, id),
    SHOWN("created_at", FIELD_TIME, struct session, created_at),
    SHOWN("last_used_at", FIELD_TIME, struct session, last_used_at),
    SHOWN("expires_at", FIELD_TIME, struct session, expires_at),
    SHOWN("user_agent", FIELD_TEXT, struct session, user_agent),
    SHOWN("ip", FIELD_TEXT, struct session, ip),
};

const struct user_body user_body_user = BODY(user_shown);
const struct user_body user_body_operator = BODY(operator_shown);
const struct user_body user_body_session = BODY(session_shown);

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
    uint64_t hash = mix(0xcbf29ce484222325U, user->id.bytes, sizeof user->id.bytes);
    hash = mix_text(mix_text(hash, user->email), user->name);
    hash = mix(hash, &user->created_at, sizeof user->created_at);
    hash = mix(hash, &user->updated_at, sizeof user->updated_at);
    return (int64_t)(hash >> 1) | 1;
}
