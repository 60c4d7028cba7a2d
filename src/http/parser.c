// SPDX-License-Identifier: MIT
#include "http/parser.h"

#include <assert.h>

/* Names of header fields as numbers: those of enum http_field, and those that only the parser
 * itself needs. */
enum {
    FIELD_NAME_CONTENT_LENGTH = HTTP_FIELD_COUNT,
    FIELD_NAME_TRANSFER_ENCODING,
    FIELD_NAME_CONNECTION,
    FIELD_NAME_EXPECT,
    FIELD_NAME_OTHER,
};

static const char *const field_names[FIELD_NAME_OTHER] = {
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
    [HTTP_FIELD_LAST_EVENT_ID] = "last-event-id",
    [FIELD_NAME_CONTENT_LENGTH] = "content-length",
    [FIELD_NAME_TRANSFER_ENCODING] = "transfer-encoding",
    [FIELD_NAME_CONNECTION] = "connection",
    [FIELD_NAME_EXPECT] = "expect",
};

struct slice http_field_name(enum http_field field)
{
    assert(field < HTTP_FIELD_COUNT);
    return slice_of(field_names[field]);
}

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
    case 13:
        switch (first) {
        case 'a': return HTTP_FIELD_AUTHORIZATION;
        case 'l': return HTTP_FIELD_LAST_EVENT_ID;
        default: return HTTP_FIELD_IF_NONE_MATCH;
        }
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

/* The number of `name`, which is a token of at least one character, in any case. */
static unsigned find_field(struct slice name)
{
    unsigned field = candidate(name.len, (char)(name.ptr[0] | 0x20));
    if (field == FIELD_NAME_OTHER) {
        return field;
    }
    for (size_t i = 0; i < name.len; i++) {
        /* The bit folds letters; of the other token characters none becomes a letter or `-`. */
        if ((name.ptr[i] | 0x20) != field_names[field][i]) {
            return FIELD_NAME_OTHER;
        }
    }
    return field;
}

enum part { PART_START, PART_REQUEST_LINE, PART_FIELDS };

/* Bits of framing_fields. */
enum { SEEN_CONTENT_LENGTH = 1, SEEN_TRANSFER_ENCODING = 2, SEEN_EXPECT = 4, SEEN_CLOSE = 8 };

static enum http_parse fail(struct http_head *head, enum error error)
{
    head->error = error;
    return HTTP_PARSE_FAILED;
}

/* What is no HTTP: one sentence says what, or what to send in its place. */
static enum error malformed(struct http_head *head, const char *why)
{
    head->why = why;
    return ERROR_MALFORMED_REQUEST;
}

/* Eight bytes at a time: a byte below 0x20 borrows into its top bit, DEL is zero after the XOR. The
 * lowest marked byte is always right; only bytes above it may be marked by a borrow. */
static uint64_t mark_controls(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101U;
    const uint64_t tops = 0x8080808080808080U;
    uint64_t del = bytes ^ (0x7fU * ones);
    return (((bytes - 0x20U * ones) & ~bytes) | ((del - ones) & ~del)) & tops;
}

/* Whether one of sixteen bytes is a control character. */
static bool any_control(const char *sixteen)
{
    typedef unsigned char bytes __attribute__((vector_size(16)));
    bytes all;
    uint64_t found[2];
    memcpy(&all, sixteen, sizeof all);
    const bytes controls = (bytes)((all < 0x20) | (all == 0x7f));
    memcpy(found, &controls, sizeof found);
    return (found[0] | found[1]) != 0;
}

size_t http_find_control(struct slice s, size_t at)
{
    while (at + 16 <= s.len && !any_control(s.ptr + at)) {
        at += 16;
    }
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    while (at + 8 <= s.len) {
        uint64_t bytes;
        memcpy(&bytes, s.ptr + at, sizeof bytes);
        uint64_t marks = mark_controls(bytes);
        if (marks == 0) {
            at += 8;
            continue;
        }
        at += (size_t)__builtin_ctzll(marks) / 8;
        if (s.ptr[at] != '\t') {
            return at;
        }
        at++;
    }
#endif
    while (at < s.len && ((unsigned char)s.ptr[at] >= 0x20 || s.ptr[at] == '\t') &&
           s.ptr[at] != 0x7f) {
        at++;
    }
    return at;
}

/* Which bytes may stand in a token (RFC 9110 section 5.6.2). */
static const bool token_bytes[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['!'] = true,  ['#'] = true,
    ['$'] = true,         ['%'] = true,         ['&'] = true,         ['\''] = true, ['*'] = true,
    ['+'] = true,         ['-'] = true,         ['.'] = true,         ['^'] = true,  ['_'] = true,
    ['`'] = true,         ['|'] = true,         ['~'] = true,
};

static size_t token_length(struct slice s)
{
    size_t len = 0;
    while (len < s.len && token_bytes[(unsigned char)s.ptr[len]]) {
        len++;
    }
    return len;
}

bool http_is_token(struct slice s)
{
    return s.len > 0 && token_length(s) == s.len;
}

struct slice http_method_name(enum http_method method)
{
    static const struct slice names[HTTP_METHOD_COUNT] = {
        [HTTP_GET] = {"GET", 3},         [HTTP_HEAD] = {"HEAD", 4},   [HTTP_POST] = {"POST", 4},
        [HTTP_PUT] = {"PUT", 3},         [HTTP_PATCH] = {"PATCH", 5}, [HTTP_DELETE] = {"DELETE", 6},
        [HTTP_OPTIONS] = {"OPTIONS", 7},
    };
    assert(method < HTTP_METHOD_COUNT);
    return names[method];
}

/* `HTTP/` DIGIT `.` DIGIT in exactly this case (RFC 9112 section 2.3). */
static enum error parse_version(struct http_head *head, struct slice version)
{
    static const char *const why =
        "After the path the request line must hold one space and HTTP/1.1 or HTTP/1.0, and nothing "
        "more. A space in the path or the query is written %20.";
    if (version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0 || version.ptr[6] != '.') {
        return malformed(head, why);
    }
    char major = version.ptr[5];
    char minor = version.ptr[7];
    if (major < '0' || major > '9' || minor < '0' || minor > '9') {
        return malformed(head, why);
    }
    if (major != '1' || minor > '1') {
        return ERROR_HTTP_VERSION_NOT_SUPPORTED;
    }
    head->http10 = minor == '0';
    return ERROR_NONE;
}

/* method SP request-target SP HTTP-version (RFC 9112 section 3), each blank exactly one. */
static enum error parse_request_line(struct http_head *head, struct slice line)
{
    size_t method_len = token_length(line);
    static const char *const why =
        "A request begins with the line `METHOD PATH HTTP/1.1`, with single spaces.";
    if (method_len == 0 || method_len == line.len || line.ptr[method_len] != ' ') {
        return malformed(head, why);
    }
    struct slice rest = slice_from(line, method_len + 1);
    const char *blank = memchr(rest.ptr, ' ', rest.len);
    if (!blank || blank == rest.ptr) {
        return malformed(head, why);
    }
    struct slice target = {rest.ptr, (size_t)(blank - rest.ptr)};
    struct slice version = {blank + 1, rest.len - target.len - 1};
    enum error error = parse_version(head, version);
    if (error) {
        return error;
    }
    const struct slice name = {line.ptr, method_len};
    enum http_method method = HTTP_GET;
    while (method < HTTP_METHOD_COUNT && !slice_eq(http_method_name(method), name)) {
        method++;
    }
    if (method == HTTP_METHOD_COUNT) {
        head->why = "This server does not know that method. It has GET, HEAD, POST, PUT, PATCH, "
                    "DELETE and OPTIONS, in capital letters.";
        return ERROR_NOT_IMPLEMENTED;
    }
    head->method = method;
    head->keep_alive = !head->http10;
    head->target = (struct http_span){
        .at = head->line + (uint32_t)method_len + 1,
        .len = (uint32_t)target.len,
    };
    return ERROR_NONE;
}

#define NO_CODING_IN_10 "HTTP/1.0 has no Transfer-Encoding: send Content-Length, or speak HTTP/1.1."

/* The last coding must be chunked, once: else nobody knows where the body ends (RFC 9112 sections
 * 6.1 and 6.3). Others in front of it are codings that this server does not have: 501. */
static enum error parse_transfer_encoding(struct http_head *head, struct slice value)
{
    if (head->framing_fields & SEEN_TRANSFER_ENCODING) {
        return malformed(head, "There is more than one Transfer-Encoding: send one.");
    }
    head->framing_fields |= SEEN_TRANSFER_ENCODING;
    if (slice_eq_nocase(value, SLICE("chunked"))) {
        return ERROR_NONE;
    }
    struct slice rest = value;
    while (rest.ptr) {
        struct slice coding = slice_trim(slice_next(&rest, ','));
        bool last = !rest.ptr;
        if (!http_is_token(coding) || slice_eq_nocase(coding, SLICE("chunked")) != last) {
            return malformed(head, "Transfer-Encoding must end with `chunked`, once: else nobody "
                                   "knows where the body ends.");
        }
    }
    if (head->http10) {
        return malformed(head, NO_CODING_IN_10);
    }
    head->why = "The only Transfer-Encoding that this server takes is `chunked`: send the body "
                "without another coding.";
    return ERROR_NOT_IMPLEMENTED;
}

/* 1*DIGIT, once (RFC 9112 section 6.3): a list of equal lengths is refused too. */
static enum error parse_content_length(struct http_head *head, struct slice value)
{
    if (head->framing_fields & SEEN_CONTENT_LENGTH) {
        return malformed(head, "There is more than one Content-Length: send one.");
    }
    head->framing_fields |= SEEN_CONTENT_LENGTH;
    bool good = slice_to_u64(value, INT64_MAX, &head->content_length);
    return good ? ERROR_NONE
                : malformed(head, "Content-Length must be the number of bytes of the body, in "
                                  "decimal digits.");
}

static enum error parse_connection(struct http_head *head, struct slice value)
{
    struct slice rest = value;
    while (rest.ptr) {
        struct slice option = slice_trim(slice_next(&rest, ','));
        if (slice_eq_nocase(option, SLICE("close"))) {
            head->framing_fields |= SEEN_CLOSE;
        } else if (slice_eq_nocase(option, SLICE("keep-alive"))) {
            head->keep_alive = true;
        } else if (option.len > 0 && !http_is_token(option)) {
            return malformed(head, "Connection must be a list of names such as `close` or "
                                   "`keep-alive`.");
        }
    }
    return ERROR_NONE;
}

/* RFC 9110 section 10.1.1. A client of HTTP/1.0 cannot expect anything. */
static enum error parse_expect(struct http_head *head, struct slice value)
{
    if (head->http10) {
        return ERROR_NONE;
    }
    bool again = head->framing_fields & SEEN_EXPECT;
    head->framing_fields |= SEEN_EXPECT;
    if (again || !slice_eq_nocase(value, SLICE("100-continue"))) {
        return ERROR_EXPECTATION_FAILED;
    }
    head->expect_continue = true;
    return ERROR_NONE;
}

/* field-name ":" OWS field-value OWS (RFC 9112 section 5). A line that starts with a blank (a
 * folded one) and a blank before the colon fail because a blank is no part of a token. */
static bool split_field(struct slice line, struct slice *name, struct slice *value)
{
    size_t len = token_length(line);
    if (len == 0 || len == line.len || line.ptr[len] != ':') {
        return false;
    }
    *name = (struct slice){line.ptr, len};
    *value = slice_trim(slice_from(line, len + 1));
    return true;
}

static enum error parse_field(struct http_head *head, struct slice line)
{
    struct slice name;
    struct slice value;
    if (!split_field(line, &name, &value)) {
        return malformed(head, "Each header field must be `Name: value` on one line, without a "
                               "space before the name or the colon.");
    }
    if (++head->field_lines > HTTP_FIELD_LINES_MOST) {
        return ERROR_HEADER_FIELDS_TOO_LARGE;
    }
    struct http_span span = {
        .at = head->line + (uint32_t)(value.ptr - line.ptr),
        .len = (uint32_t)value.len,
    };
    const unsigned field = find_field(name);
    switch (field) {
    case FIELD_NAME_CONTENT_LENGTH: return parse_content_length(head, value);
    case FIELD_NAME_TRANSFER_ENCODING: return parse_transfer_encoding(head, value);
    case FIELD_NAME_CONNECTION: return parse_connection(head, value);
    case FIELD_NAME_EXPECT: return parse_expect(head, value);
    case FIELD_NAME_OTHER: return ERROR_NONE;
    default: break;
    }
    if (head->counts[field] == 0) {
        head->fields[field] = span;
    }
    head->counts[field]++;
    return ERROR_NONE;
}

/* What only the whole head can tell. */
static enum error check_whole(struct http_head *head)
{
    bool sized = head->framing_fields & SEEN_CONTENT_LENGTH;
    bool coded = head->framing_fields & SEEN_TRANSFER_ENCODING;
    unsigned hosts = head->counts[HTTP_FIELD_HOST];
    if (hosts > 1) {
        return malformed(head, "There is more than one Host: send one.");
    }
    if (hosts == 0 && !head->http10) {
        return malformed(head, "Host is missing: HTTP/1.1 needs it, with the name of the server.");
    }
    if (coded && sized) {
        return malformed(head, "Content-Length and Transfer-Encoding exclude each other: send one "
                               "of them.");
    }
    if (coded && head->http10) {
        return malformed(head, NO_CODING_IN_10);
    }
    if (coded) {
        head->framing = HTTP_BODY_CHUNKED;
    } else if (head->content_length > 0) {
        head->framing = HTTP_BODY_LENGTH;
    }
    if (head->framing_fields & SEEN_CLOSE) {
        head->keep_alive = false;
    }
    return ERROR_NONE;
}

/* Of a control character that does not end a line. */
static enum error refuse_control(struct http_head *head, char c)
{
    if (c == '\r' || c == '\n') {
        return malformed(head, "The lines of a request's head end with CR LF, both of them, and "
                               "neither stands anywhere else in it.");
    }
    return malformed(head, "A control character stands in the head of the request, which is plain "
                           "text: was TLS meant? This port does not speak it.");
}

enum http_parse http_head_parse(struct http_head *head, struct slice input)
{
    bool done = false;
    assert(head->error == ERROR_NONE && head->length == 0); /* it goes on */
    assert(head->line <= head->scanned && head->scanned <= input.len);
    while (!done) {
        size_t end = http_find_control(input, head->scanned);
        if (head->part == PART_FIELDS && end - head->fields_at > HTTP_FIELD_BYTES_MOST) {
            return fail(head, ERROR_HEADER_FIELDS_TOO_LARGE);
        }
        if (head->part != PART_FIELDS && end - head->line > HTTP_REQUEST_LINE_MOST) {
            return fail(head, ERROR_URI_TOO_LONG);
        }
        head->scanned = (uint32_t)end;
        if (end < input.len && input.ptr[end] != '\r') {
            return fail(head, refuse_control(head, input.ptr[end]));
        }
        if (end + 1 >= input.len) {
            return HTTP_PARSE_MORE;
        }
        if (input.ptr[end + 1] != '\n') {
            return fail(head, refuse_control(head, '\r'));
        }
        struct slice line = {input.ptr + head->line, end - head->line};
        enum error error = ERROR_NONE;
        if (head->part == PART_START && line.len == 0) {
            head->part = PART_REQUEST_LINE;
        } else if (head->part != PART_FIELDS) {
            head->part = PART_FIELDS;
            head->fields_at = head->line + (uint32_t)line.len + 2;
            error = parse_request_line(head, line);
        } else if (line.len > 0) {
            error = parse_field(head, line);
        } else {
            head->length = head->line + 2;
            error = check_whole(head);
            done = true;
        }
        if (error) {
            return fail(head, error);
        }
        head->line = head->scanned = (uint32_t)end + 2;
    }
    return HTTP_PARSE_DONE;
}

bool http_head_next(const struct http_head *head, struct slice input, struct slice name,
                    uint32_t *at, struct slice *value)
{
    assert(head->length > 0 && input.len >= head->length); /* it was parsed, and is all there */
    *at = *at < head->fields_at ? head->fields_at : *at;
    while (*at + 2 < head->length) {
        struct slice found;
        const size_t end = http_find_control(input, *at);
        const struct slice line = {input.ptr + *at, end - *at};
        *at = (uint32_t)end + 2;
        if (split_field(line, &found, value) && slice_eq_nocase(found, name)) {
            return true;
        }
    }
    return false;
}
