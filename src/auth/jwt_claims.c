// SPDX-License-Identifier: MIT
#include "auth/jwt_claims.h"

#include <jansson.h>

#define CLAIM_COUNT 7
#define TIME_MOST   INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

static bool text_claim(const json_t *claims, const char *name, struct slice *value)
{
    const json_t *claim = json_object_get(claims, name);

    if (!json_is_string(claim)) {
        return false;
    }
    *value = (struct slice){json_string_value(claim), json_string_length(claim)};
    return true;
}

static bool is_text_claim(const json_t *claims, const char *name, struct slice expected)
{
    struct slice value;

    return text_claim(claims, name, &value) && slice_eq(value, expected);
}

static bool id_claim(const json_t *claims, const char *name, struct uuid *id)
{
    struct slice value;

    return text_claim(claims, name, &value) && uuid_parse(value, id);
}

static bool time_claim(const json_t *claims, const char *name, int64_t *seconds)
{
    const json_t *claim = json_object_get(claims, name);

    if (!json_is_integer(claim)) {
        return false;
    }
    *seconds = json_integer_value(claim);
    return *seconds >= 0 && *seconds <= TIME_MOST;
}

bool jwt_claims_read(struct slice text, const char *issuer, struct jwt_claims *claims)
{
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);
    const bool ok =
        json_is_object(root) && json_object_size(root) == CLAIM_COUNT &&
        is_text_claim(root, "iss", slice_of(issuer)) &&
        is_text_claim(root, "aud", SLICE(JWT_AUDIENCE)) && id_claim(root, "sub", &claims->user) &&
        id_claim(root, "sid", &claims->session) && id_claim(root, "jti", &claims->token) &&
        time_claim(root, "iat", &claims->issued_at) &&
        time_claim(root, "exp", &claims->expires_at) && claims->expires_at > claims->issued_at;

    json_decref(root);
    return ok;
}
