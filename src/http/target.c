// SPDX-License-Identifier: MIT
#include "http/target.h"

#include <arpa/inet.h>

#include "base/utf8.h"

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* pchar of RFC 3986 without the percent sign. */
static const bool path_bytes[256] = {
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
    ['_'] = true,         ['~'] = true,         ['!'] = true,         ['$'] = true, ['&'] = true,
    ['\''] = true,        ['('] = true,         [')'] = true,         ['*'] = true, ['+'] = true,
    [','] = true,         [';'] = true,         ['='] = true,         [':'] = true, ['@'] = true,
};

static bool is_path_character(char c)
{
    return path_bytes[(unsigned char)c];
}

static enum error malformed(struct http_target *target, const char *why)
{
    target->why = why;
    return ERROR_MALFORMED_REQUEST;
}

static bool is_clean_utf8(struct slice s)
{
    while (s.len > 0) {
        size_t len = utf8_step(s);
        unsigned char first = (unsigned char)s.ptr[0];
        if (len == 0 || first < 0x20 || first == 0x7f) {
            return false;
        }
        if (len == 2 && first == 0xc2 && (unsigned char)s.ptr[1] < 0xa0) {
            return false; /* C1 */
        }
        s = slice_from(s, len);
    }
    return true;
}

/* Decodes `raw` into `out`, which has room for as many bytes. Returns the length, or 0. */
static size_t decode(struct slice raw, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (c == '%') {
            int high = i + 2 < raw.len ? ascii_hex(raw.ptr[i + 1]) : -1;
            int low = i + 2 < raw.len ? ascii_hex(raw.ptr[i + 2]) : -1;
            c = (char)(high * 16 + low);
            if (high < 0 || low < 0 || is_one_of(c, "/\\") || c == '\0') {
                return 0;
            }
            i += 2;
        }
        out[len++] = c;
    }
    return len;
}

/* No empty segment but the last, and no `.` and `..`. */
static bool segments_are_plain(struct slice path)
{
    struct slice rest = slice_from(path, 1);
    while (rest.ptr) {
        struct slice segment = slice_next(&rest, '/');
        if (segment.len == 0 && rest.ptr) {
            return false;
        }
        if (slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."))) {
            return false;
        }
    }
    return true;
}

static enum error parse_path(struct slice raw, struct arena *arena, struct http_target *target)
{
    struct slice *path = &target->path;
    bool encoded = false;
    bool plain = true; /* neither `//` nor a dot after a slash */
    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.ptr[i];
        if (is_path_character(c)) {
            continue;
        }
        if (c == '/') {
            char next = i + 1 < raw.len ? raw.ptr[i + 1] : 'a';
            plain = plain && next != '/' && next != '.';
        } else if (c == '%') {
            encoded = true;
        } else {
            return malformed(target, "A character stands in the path that no URL has there: write "
                                     "it percent-encoded, a space as %20 say.");
        }
    }
    *path = raw;
    if (encoded) {
        char *out = arena_alloc(arena, raw.len);
        if (!out) {
            return ERROR_UNAVAILABLE;
        }
        *path = (struct slice){out, decode(raw, out)};
        if (path->len == 0 || !is_clean_utf8(*path)) {
            return malformed(target,
                             "The path is not well encoded: each % needs two hexadecimal digits, "
                             "and what they stand for must be UTF-8 without slashes, backslashes "
                             "and control characters. A percent sign itself is %25.");
        }
    }
    target->nowhere = (!plain || encoded) && !segments_are_plain(*path);
    return ERROR_NONE;
}

/* Browsers leave more in a query than RFC 3986 names, so it may have all visible characters but
 * the one that starts a fragment. */
static bool query_is_visible(struct slice query)
{
    for (size_t i = 0; i < query.len; i++) {
        if (query.ptr[i] <= ' ' || query.ptr[i] > '~' || query.ptr[i] == '#') {
            return false;
        }
    }
    return true;
}

static enum error parse_origin(struct slice text, struct arena *arena, struct http_target *target)
{
    const char *mark = memchr(text.ptr, '?', text.len);
    struct slice path = {text.ptr, mark ? (size_t)(mark - text.ptr) : text.len};
    target->target = text;
    target->query = (struct slice){NULL, 0};
    if (mark) {
        target->query = (struct slice){mark + 1, text.len - path.len - 1};
        if (!query_is_visible(target->query)) {
            return malformed(target, "A character stands in the query that no URL has there: write "
                                     "it percent-encoded, # as %23 say.");
        }
    }
    return parse_path(path, arena, target);
}

/* Cuts `scheme://authority` off the front; the path may be empty and is then `/`. */
static enum error parse_absolute(struct slice text, struct arena *arena, struct http_target *target)
{
    size_t scheme = 0;
    if (text.len >= 7 && slice_eq_nocase((struct slice){text.ptr, 7}, SLICE("http://"))) {
        scheme = 7;
    } else if (text.len >= 8 && slice_eq_nocase((struct slice){text.ptr, 8}, SLICE("https://"))) {
        scheme = 8;
    } else {
        return malformed(target,
                         "What is asked for must begin with a slash, or be a URL of http or "
                         "https.");
    }
    size_t end = scheme;
    while (end < text.len && !is_one_of(text.ptr[end], "/?#")) {
        end++;
    }
    target->host = (struct slice){text.ptr + scheme, end - scheme};
    if (!http_host_valid(target->host)) {
        return malformed(target, HTTP_HOST_FORM);
    }
    struct slice rest = slice_from(text, end);
    if (rest.len > 0 && rest.ptr[0] == '/') {
        return parse_origin(rest, arena, target);
    }
    char *copy = arena_alloc(arena, rest.len + 1);
    if (!copy) {
        return ERROR_UNAVAILABLE;
    }
    copy[0] = '/';
    memcpy(copy + 1, rest.ptr, rest.len);
    return parse_origin((struct slice){copy, rest.len + 1}, arena, target);
}

enum error http_target_parse(struct slice text, enum http_method method, struct arena *arena,
                             struct http_target *target)
{
    *target = (struct http_target){.target = text};
    if (text.len > 0 && text.ptr[0] == '/') {
        return parse_origin(text, arena, target);
    }
    if (slice_eq(text, SLICE("*"))) {
        target->path = (struct slice){text.ptr, 0};
        return method == HTTP_OPTIONS ? ERROR_NONE
                                      : malformed(target, "`*` can be asked with OPTIONS only.");
    }
    return parse_absolute(text, arena, target);
}

static bool is_port(struct slice text)
{
    uint64_t port = 0;
    return text.len == 0 || (text.len <= 5 && slice_to_u64(text, 65535, &port));
}

/* IPvFuture of RFC 3986: `v`, hexadecimal digits, a point, and the address in a form to come. */
static bool is_future_address(struct slice text)
{
    size_t at = 1;
    while (at < text.len && ascii_hex(text.ptr[at]) >= 0) {
        at++;
    }
    if ((text.ptr[0] | 0x20) != 'v' || at == 1 || at + 1 >= text.len || text.ptr[at] != '.') {
        return false;
    }
    for (at++; at < text.len; at++) {
        if (!is_path_character(text.ptr[at]) || text.ptr[at] == '@') {
            return false;
        }
    }
    return true;
}

/* What stands between brackets. */
static bool is_ip_literal(struct slice text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.len == 0) {
        return false;
    }
    if (text.len < sizeof copy) {
        memcpy(copy, text.ptr, text.len);
        copy[text.len] = '\0';
        if (inet_pton(AF_INET6, copy, &address) == 1) {
            return true;
        }
    }
    return is_future_address(text);
}

/* The length of a reg-name, up to the colon of the port or the end; 0 when it is none. */
static size_t name_length(struct slice host)
{
    size_t len = 0;
    while (len < host.len && host.ptr[len] != ':') {
        char c = host.ptr[len];
        if (c == '%') {
            if (len + 2 >= host.len || ascii_hex(host.ptr[len + 1]) < 0 ||
                ascii_hex(host.ptr[len + 2]) < 0) {
                return 0;
            }
            len += 3;
        } else if (is_path_character(c) && c != '@') {
            len++;
        } else {
            return 0;
        }
    }
    return len;
}

bool http_host_valid(struct slice host)
{
    size_t len = 0;
    if (host.len > 0 && host.ptr[0] == '[') {
        const char *end = memchr(host.ptr, ']', host.len);
        if (!end || !is_ip_literal((struct slice){host.ptr + 1, (size_t)(end - host.ptr) - 1})) {
            return false;
        }
        len = (size_t)(end - host.ptr) + 1;
    } else {
        len = name_length(host);
    }
    if (len == 0 || len == host.len) {
        return len > 0;
    }
    return host.ptr[len] == ':' && is_port(slice_from(host, len + 1));
}
