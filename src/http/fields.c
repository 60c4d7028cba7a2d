// SPDX-License-Identifier: MIT
#include "http/fields.h"

#include <assert.h>

#include "http/parser.h"

/* How closely a media range names a type. */
enum { NO_RANGE, NO_MATCH, ANY_TYPE, ANY_SUBTYPE, EXACT };

static int match_range(struct slice range, struct slice type)
{
    struct slice range_subtype = range;
    struct slice type_subtype = type;
    struct slice range_main = slice_next(&range_subtype, '/');
    struct slice type_main = slice_next(&type_subtype, '/');
    if (!range_subtype.ptr || !http_is_token(range_main) || !http_is_token(range_subtype)) {
        return NO_RANGE;
    }
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

bool http_accepts(const struct http_request *request, struct slice produces)
{
    assert(produces.len > 0);
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
        int match = match_range(range, type);
        if (match == NO_RANGE) {
            continue;
        }
        if (match > best || (match == best && match != NO_MATCH && !zero)) {
            best = match;
            good = !zero;
        } else if (best == NO_MATCH) {
            good = false;
        }
    }
    return good;
}

bool http_accepts_gzip(const struct http_request *request)
{
    assert(request);
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

static enum http_body_type check_parameter(struct slice parameter)
{
    struct slice value = parameter;
    struct slice name = slice_trim(slice_next(&value, '='));
    if (parameter.len == 0) {
        return HTTP_BODY_TYPE_GOOD;
    }
    if (!slice_eq_nocase(name, SLICE("charset")) || !value.ptr) {
        return HTTP_BODY_TYPE_PARAMETER;
    }
    value = slice_trim(value);
    if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"') {
        value = (struct slice){value.ptr + 1, value.len - 2};
    }
    return slice_eq_nocase(value, SLICE("utf-8")) || slice_eq_nocase(value, SLICE("utf8"))
               ? HTTP_BODY_TYPE_GOOD
               : HTTP_BODY_TYPE_CHARSET;
}

enum http_body_type http_body_type(const struct http_request *request, unsigned consumes)
{
    assert(consumes != HTTP_CONSUMES_NOTHING);
    const struct http_field_value *encoding = &request->fields[HTTP_FIELD_CONTENT_ENCODING];
    const struct http_field_value *type = &request->fields[HTTP_FIELD_CONTENT_TYPE];
    if (encoding->count > 0 &&
        (encoding->count > 1 || !slice_eq_nocase(encoding->value, SLICE("identity")))) {
        return HTTP_BODY_TYPE_CODING;
    }
    if (type->count != 1) {
        return type->count == 0 ? HTTP_BODY_TYPE_GOOD : HTTP_BODY_TYPE_REPEATED;
    }
    struct slice rest = type->value;
    struct slice media = slice_trim(slice_next(&rest, ';'));
    unsigned kind = HTTP_CONSUMES_NOTHING;
    if (slice_eq_nocase(media, SLICE("application/json"))) {
        kind = HTTP_CONSUMES_JSON;
    } else if (slice_eq_nocase(media, SLICE("application/merge-patch+json"))) {
        kind = HTTP_CONSUMES_MERGE_PATCH;
    }
    enum http_body_type result = kind & consumes ? HTTP_BODY_TYPE_GOOD : HTTP_BODY_TYPE_TYPE;
    while (rest.ptr && result == HTTP_BODY_TYPE_GOOD) {
        result = check_parameter(slice_trim(slice_next(&rest, ';')));
    }
    return result;
}

/* How many bytes a proxy that compressed the answer put at the end of `text`; 0: none. */
static size_t coding_suffix(struct slice text)
{
    static const struct slice codings[] = {
        {"gzip", 4}, {"br", 2}, {"zstd", 4}, {"deflate", 7}, {"x-gzip", 6}};
    static const struct slice separators[] = {{"--", 2}, {"-", 1}, {";", 1}};

    for (size_t i = 0; i < sizeof codings / sizeof codings[0]; i++) {
        if (!slice_ends(text, codings[i])) {
            continue;
        }
        const struct slice before = {text.ptr, text.len - codings[i].len};
        for (size_t k = 0; k < sizeof separators / sizeof separators[0]; k++) {
            if (slice_ends(before, separators[k])) {
                return codings[i].len + separators[k].len;
            }
        }
    }
    return 0;
}

/* Takes an entity tag (RFC 9110 section 8.8.3) off the front. */
static bool take_tag(struct slice *list, struct slice *opaque)
{
    size_t len = 0;

    if (slice_starts(*list, SLICE("W/"))) {
        *list = slice_from(*list, 2);
    }
    if (list->len == 0 || list->ptr[0] != '"') {
        return false;
    }
    *list = slice_from(*list, 1);
    while (len < list->len && (unsigned char)list->ptr[len] > ' ' && list->ptr[len] != '"' &&
           list->ptr[len] != 0x7f) {
        len++;
    }
    if (len == list->len || list->ptr[len] != '"') {
        return false;
    }
    *opaque = (struct slice){list->ptr, len};
    opaque->len -= coding_suffix(*opaque);
    *list = slice_from(*list, len + 1);

    /* What old proxies put after the quote. */
    for (len = 0; len < list->len && list->ptr[len] != ',' && list->ptr[len] != ' ' &&
                  list->ptr[len] != '\t';) {
        len++;
    }
    if (len > 0 && coding_suffix((struct slice){list->ptr, len}) == len) {
        *list = slice_from(*list, len);
    }
    return true;
}

enum step { STEP_TAG, STEP_END, STEP_BROKEN };

/* The next tag of a comma separated list. Empty elements are stepped over, as a recipient must (RFC
 * 9110 section 5.6.1.2). */
static enum step next_tag(struct slice *list, struct slice *opaque)
{
    while (list->len > 0 && (list->ptr[0] == ',' || list->ptr[0] == ' ' || list->ptr[0] == '\t')) {
        *list = slice_from(*list, 1);
    }
    if (list->len == 0) {
        return STEP_END;
    }
    if (!take_tag(list, opaque)) {
        return STEP_BROKEN;
    }
    *list = slice_trim(*list);
    return list->len == 0 || list->ptr[0] == ',' ? STEP_TAG : STEP_BROKEN;
}

bool http_condition_next(struct slice *list, struct slice *opaque)
{
    assert(list && opaque);
    return next_tag(list, opaque) == STEP_TAG;
}

/* Returns false when the field is there and cannot be read. */
static bool parse(const struct http_request *r, enum http_field field,
                  struct http_condition *condition)
{
    struct slice list = r->fields[field].value;
    struct slice opaque = {0};
    bool any_tag = false;
    enum step step = STEP_END;

    *condition = (struct http_condition){.present = list.ptr != NULL, .list = list};
    condition->any = condition->present && slice_eq(list, SLICE("*"));
    if (!condition->present || condition->any) {
        return true;
    }
    while ((step = next_tag(&list, &opaque)) == STEP_TAG) {
        any_tag = true;
    }
    return step == STEP_END && any_tag;
}

const char *http_conditions_parse(const struct http_request *r, struct http_conditions *conditions)
{
    assert(r && conditions);
    if (!parse(r, HTTP_FIELD_IF_MATCH, &conditions->match)) {
        return "If-Match";
    }
    return parse(r, HTTP_FIELD_IF_NONE_MATCH, &conditions->none_match) ? NULL : "If-None-Match";
}

bool http_condition_names(const struct http_condition *condition, struct slice tag)
{
    assert(tag.len >= 2 && tag.ptr[0] == '"' && tag.ptr[tag.len - 1] == '"');
    const struct slice wanted = {tag.ptr + 1, tag.len - 2};
    struct slice list = condition->list;
    struct slice opaque = {0};

    if (!condition->present || condition->any) {
        return condition->any;
    }
    while (http_condition_next(&list, &opaque)) {
        if (slice_eq(opaque, wanted)) {
            return true;
        }
    }
    return false;
}

enum http_conditions_verdict http_conditions_judge(const struct http_conditions *conditions,
                                                   struct slice tag)
{
    assert(conditions);
    if (conditions->match.present && !http_condition_names(&conditions->match, tag)) {
        return HTTP_CONDITIONS_FAILED;
    }
    return conditions->none_match.present && http_condition_names(&conditions->none_match, tag)
               ? HTTP_CONDITIONS_NOT_MODIFIED
               : HTTP_CONDITIONS_GO;
}

/* 2 digits, 32, 16, 2, with dashes between them. */
#define VERSION 0
#define TRACE   3
#define PARENT  36
#define FLAGS   53
#define LENGTH  55

static bool is_hex(struct slice text, size_t at, size_t len)
{
    for (size_t i = at; i < at + len; i++) {
        if (!ascii_is_in(text.ptr[i], ASCII_HEX)) {
            return false;
        }
    }
    return true;
}

static bool is_zero(struct slice text, size_t at, size_t len)
{
    size_t i = at;
    while (i < at + len && text.ptr[i] == '0') {
        i++;
    }
    return i == at + len;
}

struct slice http_trace_id(const struct http_request *request)
{
    assert(request);
    const struct http_field_value *field = &request->fields[HTTP_FIELD_TRACEPARENT];
    const struct slice text = field->value;
    if (field->count != 1 || text.len < LENGTH || !is_hex(text, VERSION, 2) ||
        memcmp(text.ptr, "ff", 2) == 0) {
        return (struct slice){0};
    }
    /* Version 00 ends after the flags; a later one may go on after a dash; ff is none. */
    const bool ends = text.len == LENGTH || (!is_zero(text, VERSION, 2) && text.ptr[LENGTH] == '-');
    const bool good = ends && text.ptr[TRACE - 1] == '-' && text.ptr[PARENT - 1] == '-' &&
                      text.ptr[FLAGS - 1] == '-' && is_hex(text, TRACE, HTTP_TRACE_ID_LEN) &&
                      !is_zero(text, TRACE, HTTP_TRACE_ID_LEN) && is_hex(text, PARENT, 16) &&
                      !is_zero(text, PARENT, 16) && is_hex(text, FLAGS, 2);
    return good ? (struct slice){text.ptr + TRACE, HTTP_TRACE_ID_LEN} : (struct slice){0};
}
