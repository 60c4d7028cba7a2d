// SPDX-License-Identifier: MIT
#include "http/forwarded.h"

#include <arpa/inet.h>

#define FOR_MOST 64 /* bytes of a quoted `for` that are worth reading */

bool forwarded_parse_ip(struct slice text, struct in6_addr *address, unsigned *width)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.ptr, '\0', text.len)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        *address = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(&address->s6_addr[12], &v4, sizeof v4);
        *width = 32;
        return true;
    }
    *width = 128;
    return inet_pton(AF_INET6, copy, address) == 1;
}

/* A number, or a word of the proxy's that hides it. */
static bool is_port(struct slice text)
{
    uint64_t port = 0;
    return slice_to_u64(text, 65535, &port) || (text.len > 1 && text.ptr[0] == '_');
}

bool forwarded_parse_node(struct slice text, struct in6_addr *address)
{
    unsigned width = 0;
    struct slice host;
    struct slice port = {NULL, 0};
    if (text.len > 0 && text.ptr[0] == '[') {
        const char *end = memchr(text.ptr, ']', text.len);
        if (!end) {
            return false;
        }
        host = (struct slice){text.ptr + 1, (size_t)(end - text.ptr) - 1};
        port = (struct slice){end + 1, text.len - host.len - 2};
        if (port.len > 0 && port.ptr[0] != ':') {
            return false;
        }
        port = port.len > 0 ? slice_from(port, 1) : (struct slice){NULL, 0};
        return forwarded_parse_ip(host, address, &width) && width == 128 &&
               (!port.ptr || is_port(port));
    }
    port = text;
    host = slice_next(&port, ':');
    if (!port.ptr || memchr(port.ptr, ':', port.len)) {
        /* No colon, or more than one: IPv6 without brackets, which has no port. */
        return forwarded_parse_ip(text, address, &width);
    }
    return forwarded_parse_ip(host, address, &width) && width == 32 && is_port(port);
}

enum forwarded_step forwarded_last_hop(struct slice *rest, struct in6_addr *address)
{
    while (rest->len > 0) {
        size_t at = rest->len;
        while (at > 0 && rest->ptr[at - 1] != ',') {
            at--;
        }
        struct slice hop = slice_trim(slice_from(*rest, at));
        rest->len = at > 0 ? at - 1 : 0;
        if (hop.len > 0) {
            return forwarded_parse_node(hop, address) ? FORWARDED_HOP : FORWARDED_UNREADABLE;
        }
    }
    return FORWARDED_END;
}

/* Whether the quote at `at` is one that backslashes in front of it do not take away. */
static bool is_quote(struct slice text, size_t at)
{
    size_t slashes = 0;
    if (text.ptr[at] != '"') {
        return false;
    }
    while (slashes < at && text.ptr[at - 1 - slashes] == '\\') {
        slashes++;
    }
    return slashes % 2 == 0;
}

/* Cuts off what stands after the last `separator` outside of quotes. */
static struct slice cut_last(struct slice *rest, char separator)
{
    bool quoted = false;
    size_t at = rest->len;
    while (at > 0 && (quoted || rest->ptr[at - 1] != separator)) {
        at--;
        quoted ^= is_quote(*rest, at);
    }
    struct slice part = slice_trim(slice_from(*rest, at));
    rest->len = at > 0 ? at - 1 : 0;
    return part;
}

/* The value of a parameter: a token as it is, a quoted-string without quotes and backslashes. */
static bool parse_value(struct slice value, struct in6_addr *address)
{
    char text[FOR_MOST];
    size_t len = 0;
    if (value.len == 0 || value.ptr[0] != '"') {
        return forwarded_parse_node(value, address);
    }
    if (value.len < 2 || !is_quote(value, value.len - 1)) {
        return false;
    }
    for (size_t i = 1; i + 1 < value.len; i++) {
        if (value.ptr[i] == '"' || len == sizeof text) {
            return false;
        }
        i += value.ptr[i] == '\\' ? 1 : 0;
        text[len++] = value.ptr[i];
    }
    return forwarded_parse_node((struct slice){text, len}, address);
}

/* The `for` of one element; it must be there, once. */
static enum forwarded_step parse_element(struct slice element, struct in6_addr *address)
{
    struct slice value = {NULL, 0};
    while (element.len > 0) {
        struct slice pair = cut_last(&element, ';');
        struct slice name = slice_next(&pair, '=');
        if (slice_eq_nocase(name, SLICE("for"))) {
            if (value.ptr || !pair.ptr) {
                return FORWARDED_UNREADABLE;
            }
            value = pair;
        }
    }
    return value.ptr && parse_value(value, address) ? FORWARDED_HOP : FORWARDED_UNREADABLE;
}

enum forwarded_step forwarded_last_element(struct slice *rest, struct in6_addr *address)
{
    while (rest->len > 0) {
        struct slice element = cut_last(rest, ',');
        if (element.len > 0) {
            return parse_element(element, address);
        }
    }
    return FORWARDED_END;
}
