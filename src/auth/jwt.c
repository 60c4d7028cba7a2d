// SPDX-License-Identifier: MIT
#include "auth/jwt.h"

#include <assert.h>
#include <jansson.h>
#include <sodium.h>

#include "auth/base64url.h"
#include "base/json_reader.h"
#include "base/json_writer.h"

#define SIGNATURE_LEN BASE64URL_LEN(KEYS_MAC_LEN)
#define CLAIMS_MOST   (JWT_MOST / 4 * 3)
#define CLAIM_COUNT   7
#define TIME_MOST     INT64_C(253402300799) /* 9999-12-31T23:59:59Z */

/* ---- making ---- */

void jwt_make(const struct keys *keys, const char *issuer, const struct jwt_claims *claims,
              struct buffer *out)
{
    assert(keys && issuer && claims->expires_at > claims->issued_at);
    const struct slice header = keys_jose_header(keys, 0);
    const size_t start = out->len;
    uint8_t mac[KEYS_MAC_LEN];
    struct buffer text;
    struct json_writer w;

    buffer_init(&text, (JWT_MOST - header.len - SIGNATURE_LEN - 2) * 3 / 4);
    json_writer_init(&w, &text);
    jw_open_object(&w);
    jw_name(&w, SLICE("iss"));
    jw_text(&w, slice_of(issuer));
    jw_name(&w, SLICE("aud"));
    jw_text(&w, SLICE(JWT_AUDIENCE));
    jw_name(&w, SLICE("sub"));
    jw_uuid(&w, claims->user);
    jw_name(&w, SLICE("sid"));
    jw_uuid(&w, claims->session);
    jw_name(&w, SLICE("jti"));
    jw_uuid(&w, claims->token);
    jw_name(&w, SLICE("iat"));
    jw_i64(&w, claims->issued_at);
    jw_name(&w, SLICE("exp"));
    jw_i64(&w, claims->expires_at);
    jw_close_object(&w);

    buffer_add(out, header);
    buffer_add_char(out, '.');
    base64url_add(out, buffer_slice(&text));
    if (!text.failed && !out->failed) {
        keys_mac(keys, KEYS_ACCESS, 0, (struct slice){out->data + start, out->len - start}, mac);
        buffer_add_char(out, '.');
        base64url_add(out, (struct slice){(const char *)mac, sizeof mac});
    }
    out->failed |= text.failed; /* half a token must not leave */
    buffer_finish(&text);
}

/* ---- reading claims ---- */

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

/* JWT_VALID, JWT_BAD_CLAIMS or JWT_NO_MEMORY. */
static enum jwt_result read_claims(struct slice text, const char *issuer, struct jwt_claims *claims)
{
    json_memory_watch();
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL);

    if (json_memory_lacked()) {
        json_decref(root);
        return JWT_NO_MEMORY;
    }
    const bool ok =
        json_is_object(root) && json_object_size(root) == CLAIM_COUNT &&
        is_text_claim(root, "iss", slice_of(issuer)) &&
        is_text_claim(root, "aud", SLICE(JWT_AUDIENCE)) && id_claim(root, "sub", &claims->user) &&
        id_claim(root, "sid", &claims->session) && id_claim(root, "jti", &claims->token) &&
        time_claim(root, "iat", &claims->issued_at) &&
        time_claim(root, "exp", &claims->expires_at) && claims->expires_at > claims->issued_at;

    json_decref(root);
    return ok ? JWT_VALID : JWT_BAD_CLAIMS;
}

bool jwt_claims_read(struct slice text, const char *issuer, struct jwt_claims *claims)
{
    return read_claims(text, issuer, claims) == JWT_VALID;
}

/* ---- verifying ---- */

/* A token cut at its dots; `index` is that of the secret its header names. */
struct parts {
    unsigned index;
    struct slice signing_input; /* header, dot, payload */
    struct slice payload;
    struct slice signature;
};

/* Three parts, a header of ours byte for byte, and a signature of the right length. Nothing is
 * decoded, so what a header asks for (alg, jku, crit) is never looked at. */
static bool cut(const struct keys *keys, struct slice token, struct parts *parts)
{
    struct slice header = {NULL, 0};

    for (parts->index = 0; parts->index < 2; parts->index++) {
        header = keys_jose_header(keys, parts->index);
        if (header.ptr && slice_starts(token, header)) {
            break;
        }
    }
    if (parts->index == 2 || token.len > JWT_MOST ||
        token.len < header.len + SIGNATURE_LEN + 3) { /* two dots, and a payload at all */
        return false;
    }
    parts->signing_input = (struct slice){token.ptr, token.len - SIGNATURE_LEN - 1};
    parts->payload =
        (struct slice){token.ptr + header.len + 1, parts->signing_input.len - header.len - 1};
    parts->signature = (struct slice){token.ptr + token.len - SIGNATURE_LEN, SIGNATURE_LEN};
    return token.ptr[header.len] == '.' && token.ptr[parts->signing_input.len] == '.' &&
           !memchr(parts->payload.ptr, '.', parts->payload.len);
}

enum jwt_result jwt_verify(const struct keys *keys, const char *issuer, struct slice token,
                           int64_t now, struct jwt_claims *claims)
{
    assert(keys && issuer && claims);
    struct parts parts;
    struct jwt_claims found;
    uint8_t signature[KEYS_MAC_LEN];
    uint8_t mac[KEYS_MAC_LEN];
    uint8_t text[CLAIMS_MOST];
    size_t len = 0;

    if (!cut(keys, token, &parts) ||
        !base64url_decode(parts.signature, signature, sizeof signature, &len) ||
        len != sizeof signature) {
        return JWT_MALFORMED;
    }
    if (!keys_mac(keys, KEYS_ACCESS, parts.index, parts.signing_input, mac) ||
        crypto_verify_32(signature, mac) != 0) {
        return JWT_BAD_SIGNATURE;
    }
    if (!base64url_decode(parts.payload, text, sizeof text, &len)) {
        return JWT_BAD_CLAIMS;
    }
    const enum jwt_result read =
        read_claims((struct slice){(const char *)text, len}, issuer, &found);
    if (read != JWT_VALID) {
        return read;
    }
    if (found.issued_at > now + JWT_SKEW_SECONDS) {
        return JWT_BAD_CLAIMS;
    }
    *claims = found;
    return found.expires_at <= now ? JWT_EXPIRED : JWT_VALID;
}

const char *jwt_result_name(enum jwt_result result)
{
    assert(result <= JWT_NO_MEMORY);
    static const char *const names[] = {
        [JWT_VALID] = "valid",
        [JWT_MALFORMED] = "malformed",
        [JWT_BAD_SIGNATURE] = "bad_signature",
        [JWT_BAD_CLAIMS] = "bad_claims",
        [JWT_EXPIRED] = "expired",
        [JWT_NO_MEMORY] = "no_memory",
    };

    return names[result];
}
