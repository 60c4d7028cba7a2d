// SPDX-License-Identifier: MIT
#include "http/field_name.h"

static const char *const names[FIELD_NAME_OTHER] = {
    [HTTP_FIELD_HOST] = "host",
    [HTTP_FIELD_AUTHORIZATION] = "authorization",
    [HTTP_FIELD_ACCEPT] = "accept",
    [HTTP_FIELD_ACCEPT_ENCODING] = "accept-encoding",
    [HTTP_FIELD_CONTENT_TYPE] = "content-type",
    [HTTP_FIELD_CONTENT_ENCODING] = "content-encoding",
    [HTTP_FIELD_IF_MATCH] = "if-match",
    [HTTP_FIELD_IF_NONE_MATCH] = "if-none-match",
    [HTTP_FIELD_IDEMPOTENCY_KEY] = "idempotency-key",
    [HTTP_FIELD_X_REQUEST_ID] = "x-request-id",
    [HTTP_FIELD_X_FORWARDED_FOR] = "x-forwarded-for",
    [HTTP_FIELD_USER_AGENT] = "user-agent",
    [HTTP_FIELD_ORIGIN] = "origin",
    [HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD] = "access-control-request-method",
    [HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS] = "access-control-request-headers",
    [HTTP_FIELD_TRACEPARENT] = "traceparent",
    [FIELD_NAME_CONTENT_LENGTH] = "content-length",
    [FIELD_NAME_TRANSFER_ENCODING] = "transfer-encoding",
    [FIELD_NAME_CONNECTION] = "connection",
    [FIELD_NAME_EXPECT] = "expect",
};

/* The one name that has this length and first letter; two of them never share both. */
static unsigned candidate(size_t len, char first)
{
    switch (len) {
    case 4: return HTTP_FIELD_HOST;
    case 6:
        switch (first) {
        case 'a': return HTTP_FIELD_ACCEPT;
        case 'o': return HTTP_FIELD_ORIGIN;
        default: return FIELD_NAME_EXPECT;
        }
    case 8: return HTTP_FIELD_IF_MATCH;
    case 10: return first == 'c' ? FIELD_NAME_CONNECTION : HTTP_FIELD_USER_AGENT;
    case 11: return HTTP_FIELD_TRACEPARENT;
    case 12: return first == 'c' ? HTTP_FIELD_CONTENT_TYPE : HTTP_FIELD_X_REQUEST_ID;
    case 13: return first == 'a' ? HTTP_FIELD_AUTHORIZATION : HTTP_FIELD_IF_NONE_MATCH;
    case 14: return FIELD_NAME_CONTENT_LENGTH;
    case 15:
        switch (first) {
        case 'a': return HTTP_FIELD_ACCEPT_ENCODING;
        case 'i': return HTTP_FIELD_IDEMPOTENCY_KEY;
        default: return HTTP_FIELD_X_FORWARDED_FOR;
        }
    case 16: return HTTP_FIELD_CONTENT_ENCODING;
    case 17: return FIELD_NAME_TRANSFER_ENCODING;
    case 29: return HTTP_FIELD_ACCESS_CONTROL_REQUEST_METHOD;
    case 30: return HTTP_FIELD_ACCESS_CONTROL_REQUEST_HEADERS;
    default: return FIELD_NAME_OTHER;
    }
}

unsigned field_name_find(struct slice name)
{
    unsigned field = candidate(name.len, (char)(name.ptr[0] | 0x20));
    if (field == FIELD_NAME_OTHER) {
        return field;
    }
    for (size_t i = 0; i < name.len; i++) {
        /* The bit folds letters; of the other token characters none becomes a letter or `-`. */
        if ((name.ptr[i] | 0x20) != names[field][i]) {
            return FIELD_NAME_OTHER;
        }
    }
    return field;
}
