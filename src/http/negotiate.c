// SPDX-License-Identifier: MIT
#include "http/negotiate.h"

#include <stdio.h>

#include "http/parser.h"
#include "http/problem.h"

/* How closely a media range names a type. */
enum { NO_MATCH, ANY_TYPE, ANY_SUBTYPE, EXACT };

static int match_range(struct slice range, struct slice type)
{
    struct slice range_subtype = range;
    struct slice type_subtype = type;
    struct slice range_main = slice_next(&range_subtype, '/');
    struct slice type_main = slice_next(&type_subtype, '/');
    bool any_subtype = slice_eq(range_subtype, SLICE("*"));
    if (slice_eq(range_main, SLICE("*")) && any_subtype) {
        return ANY_TYPE;
    }
    if (!slice_eq_nocase(range_main, type_main)) {
        return NO_MATCH;
    }
    if (any_subtype) {
        return ANY_SUBTYPE;
    }
    return slice_eq_nocase(range_subtype, type_subtype) ? EXACT : NO_MATCH;
}

static bool is_range(struct slice range)
{
    struct slice subtype = range;
    struct slice main = slice_next(&subtype, '/');
    return subtype.ptr && http_is_token(main) && http_is_token(subtype);
}

/* Digits with at most one point; `*zero` tells the weights that exclude. */
static bool parse_weight(struct slice text, bool *zero)
{
    unsigned digits = 0;
    unsigned points = 0;
    *zero = true;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '.') {
            points++;
        } else if (ascii_is_digit(text.ptr[i])) {
            digits++;
            *zero = *zero && text.ptr[i] == '0';
        } else {
            return false;
        }
    }
    return digits > 0 && points <= 1;
}

/* Splits `name *( ; parameter )`. Parameters other than q do not count. */
static bool split_element(struct slice element, struct slice *name, bool *zero)
{
    struct slice rest = element;
    *name = slice_trim(slice_next(&rest, ';'));
    *zero = false;
    while (rest.ptr) {
        struct slice value = slice_trim(slice_next(&rest, ';'));
        struct slice parameter = slice_next(&value, '=');
        if (slice_eq_nocase(parameter, SLICE("q")) && !(value.ptr && parse_weight(value, zero))) {
            return false;
        }
    }
    return true;
}

bool negotiate_accepts(const struct http_request *request, struct slice produces)
{
    const struct http_field_value *accept = &request->fields[HTTP_FIELD_ACCEPT];
    if (accept->count == 0 || slice_eq(accept->value, SLICE("*/*")) ||
        slice_eq(accept->value, produces)) {
        return true;
    }
    struct slice parameters = produces;
    struct slice type = slice_trim(slice_next(&parameters, ';'));
    struct slice rest = accept->value;
    int best = NO_MATCH;
    bool good = true; /* what the best match says; nothing well-formed: no restriction */
    while (rest.ptr) {
        struct slice range;
        bool zero = false;
        if (!split_element(slice_trim(slice_next(&rest, ',')), &range, &zero)) {
            continue;
        }
        range = slice_eq(range, SLICE("*")) ? SLICE("*/*") : range;
        if (!is_range(range)) {
            continue;
        }
        int match = match_range(range, type);
        if (match > best || (match == best && match != NO_MATCH && !zero)) {
            best = match;
            good = !zero;
        } else if (best == NO_MATCH) {
            good = false;
        }
    }
    return good;
}

void negotiate_refuse_accept(struct http_exchange *x, const char *produces)
{
    char detail[256];
    (void)snprintf(detail, sizeof detail,
                   "What is here is %s, and the Accept header field excludes that. Name the type, "
                   "or leave Accept out.",
                   produces);
    http_respond_problem(x, ERROR_NOT_ACCEPTABLE, detail, NULL);
}

bool negotiate_accepts_gzip(const struct http_request *request)
{
    const struct http_field_value *accept = &request->fields[HTTP_FIELD_ACCEPT_ENCODING];
    if (accept->count == 0) {
        return true;
    }
    struct slice rest = accept->value;
    bool any = false;
    while (rest.ptr) {
        struct slice coding;
        bool zero = false;
        if (!split_element(slice_trim(slice_next(&rest, ',')), &coding, &zero)) {
            continue;
        }
        if (slice_eq_nocase(coding, SLICE("gzip")) || slice_eq_nocase(coding, SLICE("x-gzip"))) {
            return !zero;
        }
        any = any || (!zero && slice_eq(coding, SLICE("*")));
    }
    return any;
}

static enum negotiate_body check_parameter(struct slice parameter)
{
    struct slice value = parameter;
    struct slice name = slice_trim(slice_next(&value, '='));
    if (parameter.len == 0) {
        return NEGOTIATE_GOOD;
    }
    if (!slice_eq_nocase(name, SLICE("charset")) || !value.ptr) {
        return NEGOTIATE_PARAMETER;
    }
    value = slice_trim(value);
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
        value = (struct slice){value.ptr + 1, value.len - 2};
    }
    return slice_eq_nocase(value, SLICE("utf-8")) || slice_eq_nocase(value, SLICE("utf8"))
               ? NEGOTIATE_GOOD
               : NEGOTIATE_CHARSET;
}

enum negotiate_body negotiate_consumes(const struct http_request *request, unsigned consumes)
{
    const struct http_field_value *encoding = &request->fields[HTTP_FIELD_CONTENT_ENCODING];
    const struct http_field_value *type = &request->fields[HTTP_FIELD_CONTENT_TYPE];
    if (encoding->count > 0 &&
        (encoding->count > 1 || !slice_eq_nocase(encoding->value, SLICE("identity")))) {
        return NEGOTIATE_CODING;
    }
    if (type->count != 1) {
        return type->count == 0 ? NEGOTIATE_GOOD : NEGOTIATE_REPEATED;
    }
    struct slice rest = type->value;
    struct slice media = slice_trim(slice_next(&rest, ';'));
    unsigned kind = HTTP_CONSUMES_NOTHING;
    if (slice_eq_nocase(media, SLICE("application/json"))) {
        kind = HTTP_CONSUMES_JSON;
    } else if (slice_eq_nocase(media, SLICE("application/merge-patch+json"))) {
        kind = HTTP_CONSUMES_MERGE_PATCH;
    }
    enum negotiate_body result = kind & consumes ? NEGOTIATE_GOOD : NEGOTIATE_TYPE;
    while (rest.ptr && result == NEGOTIATE_GOOD) {
        result = check_parameter(slice_trim(slice_next(&rest, ';')));
    }
    return result;
}
