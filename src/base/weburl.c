// SPDX-License-Identifier: MIT
#include "base/weburl.h"

#include <assert.h>

static bool is_lower(char c)
{
    return ascii_is_alnum(c) && ascii_lower(c) == c;
}

/* The length of `scheme://`; 0 when that is not how the text begins. */
static size_t scheme_length(struct slice text)
{
    size_t len = 0;
    while (len < text.len &&
           (is_lower(text.ptr[len]) || (len > 0 && ascii_is_in(text.ptr[len], "+-.")))) {
        len++;
    }
    const struct slice rest = slice_from(text, len);
    return len > 0 && !ascii_is_digit(text.ptr[0]) && slice_starts(rest, SLICE("://")) ? len + 3
                                                                                       : 0;
}

/* SCHEME://HOST[:PORT]. A host may be an IPv6 address in brackets. */
static bool is_server(struct slice text)
{
    const size_t scheme = scheme_length(text);
    const struct slice host = slice_from(text, scheme);
    const bool v6 = host.len > 0 && host.ptr[0] == '[';
    size_t len = 0;
    uint64_t port = 0;
    while (len < host.len &&
           (is_lower(host.ptr[len]) || ascii_is_in(host.ptr[len], v6 ? "[]:." : "-._"))) {
        len++;
        if (v6 && host.ptr[len - 1] == ']') {
            break;
        }
    }
    if (scheme == 0 || len == 0 || (v6 && (len < 4 || host.ptr[len - 1] != ']'))) {
        return false;
    }
    return len == host.len ||
           (host.ptr[len] == ':' && slice_to_u64(slice_from(host, len + 1), 65535, &port));
}

/* An origin with the port that its scheme has anyway is never sent, so nobody's page is meant. */
bool weburl_is_origin(struct slice text)
{
    assert(text.ptr);
    const bool usual = (slice_starts(text, SLICE("http://")) && slice_ends(text, SLICE(":80"))) ||
                       (slice_starts(text, SLICE("https://")) && slice_ends(text, SLICE(":443")));
    return is_server(text) && !usual;
}

/* The length of scheme and authority. */
static size_t origin_length(struct slice text)
{
    size_t len = scheme_length(text);
    while (len < text.len && text.ptr[len] != '/') {
        len++;
    }
    return len;
}

static bool is_path(struct slice path)
{
    struct slice rest = path;
    (void)slice_next(&rest, '/');
    while (rest.ptr) {
        const struct slice segment = slice_next(&rest, '/');
        if (segment.len == 0 || slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE(".."))) {
            return false;
        }
        for (size_t i = 0; i < segment.len; i++) {
            const char c = segment.ptr[i];
            if (!ascii_is_alnum(c) && !ascii_is_in(c, "-._~!$()*+,;=:@")) {
                return false;
            }
        }
    }
    return true;
}

static struct slice without_slash(struct slice text)
{
    text.len -= text.len > 0 && text.ptr[text.len - 1] == '/' ? 1 : 0;
    return text;
}

bool weburl_is_public(struct slice text)
{
    assert(text.ptr);
    const size_t origin = origin_length(text);
    return text.len <= WEBURL_MOST &&
           (slice_starts(text, SLICE("http://")) || slice_starts(text, SLICE("https://"))) &&
           is_server((struct slice){text.ptr, origin}) &&
           is_path(without_slash(slice_from(text, origin)));
}

struct slice weburl_base(const char *url)
{
    assert(!url || weburl_is_public(slice_of(url)));
    return without_slash(slice_of(url));
}

struct slice weburl_path(const char *url)
{
    assert(!url || weburl_is_public(slice_of(url)));
    const struct slice base = weburl_base(url);
    const size_t origin = base.len > 0 ? origin_length(base) : 0;
    return slice_from(base, origin);
}
