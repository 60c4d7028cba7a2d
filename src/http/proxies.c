// SPDX-License-Identifier: MIT
#include "http/proxies.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/client_key.h"
#include "base/clock.h"
#include "base/log.h"

#define FOR_MOST 64 /* bytes of a quoted `for` that are worth reading */

struct slice forwarded_format_ip(const struct in6_addr *address, char text[static INET6_ADDRSTRLEN])
{
    const bool mapped = IN6_IS_ADDR_V4MAPPED(address);
    return slice_of(mapped ? inet_ntop(AF_INET, &address->s6_addr[12], text, INET6_ADDRSTRLEN)
                           : inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN));
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
        return client_address_parse(host, address, &width) && width == 128 &&
               (!port.ptr || is_port(port));
    }
    port = text;
    host = slice_next(&port, ':');
    if (!port.ptr || memchr(port.ptr, ':', port.len)) {
        /* No colon, or more than one: IPv6 without brackets, which has no port. */
        return client_address_parse(text, address, &width);
    }
    return client_address_parse(host, address, &width) && width == 32 && is_port(port);
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

/* The `for` of one element; it must be there, once. */
static enum forwarded_step parse_element(struct slice element, struct in6_addr *address)
{
    char text[FOR_MOST];
    size_t len = 0;
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
    /* A token is taken as it is, a quoted-string without quotes and backslashes. */
    if (value.len > 0 && value.ptr[0] == '"') {
        if (value.len < 2 || !is_quote(value, value.len - 1)) {
            return FORWARDED_UNREADABLE;
        }
        for (size_t i = 1; i + 1 < value.len; i++) {
            if (value.ptr[i] == '"' || len == sizeof text) {
                return FORWARDED_UNREADABLE;
            }
            i += value.ptr[i] == '\\' ? 1 : 0;
            text[len++] = value.ptr[i];
        }
        value = (struct slice){text, len};
    }
    return value.ptr && forwarded_parse_node(value, address) ? FORWARDED_HOP : FORWARDED_UNREADABLE;
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

#define FORWARDED_FOR "X-Forwarded-For"
#define TOLD_EVERY_MS 60000
#define TOLD_MOST     128 /* bytes of a field that are repeated in the log */

struct network {
    struct in6_addr address;
    unsigned bits;
};

struct proxies {
    struct slice header; /* ptr NULL: X-Forwarded-For */
    enum {
        FORM_HOPS,     /* X-Forwarded-For */
        FORM_ELEMENTS, /* Forwarded */
        FORM_ALONE,    /* one address */
    } form;
    _Atomic int64_t told_ms; /* when the log was last told of a field that cannot be read */
    size_t count;
    struct network networks[];
};

struct proxies *proxies_create(const char *networks, const char *header, const char **why)
{
    size_t count = 1;
    for (const char *c = networks; *c; c++) {
        count += *c == ',';
    }
    struct proxies *proxies = calloc(1, sizeof *proxies + count * sizeof proxies->networks[0]);
    if (!proxies) {
        *why = "out of memory";
        return NULL;
    }
    const struct slice name = slice_of(header);
    const bool hops = name.len == 0 || slice_eq_nocase(name, SLICE(FORWARDED_FOR));
    const bool elements = slice_eq_nocase(name, SLICE("Forwarded"));
    proxies->header = hops ? (struct slice){NULL, 0} : name;
    proxies->form = hops ? FORM_HOPS : elements ? FORM_ELEMENTS : FORM_ALONE;
    atomic_init(&proxies->told_ms, INT64_MIN);
    struct slice rest = slice_of(networks);
    while (rest.ptr) {
        struct slice text = slice_trim(slice_next(&rest, ','));
        struct network *network = &proxies->networks[proxies->count++];
        if (!client_network_parse(text, &network->address, &network->bits)) {
            *why = "TRUSTED_PROXIES: give addresses or CIDRs such as 10.0.0.0/8, comma separated";
            free(proxies);
            return NULL;
        }
    }
    return proxies;
}

void proxies_destroy(struct proxies **proxies)
{
    free(*proxies);
    *proxies = NULL;
}

static bool contains(const struct network *network, const struct in6_addr *address)
{
    unsigned whole = network->bits / 8;
    unsigned rest = network->bits % 8;
    if (memcmp(&network->address, address, whole) != 0) {
        return false;
    }
    if (rest == 0) {
        return true;
    }
    unsigned mask = 0xffU << (8 - rest) & 0xffU;
    return (network->address.s6_addr[whole] & mask) == (address->s6_addr[whole] & mask);
}

bool proxies_trust(const struct proxies *proxies, const struct in6_addr *address)
{
    for (size_t i = 0; proxies && i < proxies->count; i++) {
        if (contains(&proxies->networks[i], address)) {
            return true;
        }
    }
    return false;
}

struct slice proxies_header(const struct proxies *proxies)
{
    return proxies->header;
}

/* Without a word, all clients would count as one: the proxy. */
static void tell_unreadable(struct proxies *proxies, struct slice value, struct slice peer)
{
    const int64_t now = clock_mono_ms();
    int64_t told = atomic_load_explicit(&proxies->told_ms, memory_order_relaxed);
    const struct slice field = proxies->header.ptr ? proxies->header : SLICE(FORWARDED_FOR);
    if ((told != INT64_MIN && now - told < TOLD_EVERY_MS) ||
        !atomic_compare_exchange_strong(&proxies->told_ms, &told, now)) {
        return;
    }
    log_write(
        LOG_WARN, "client_address_unreadable",
        LOG_FIELDS(LOG_T("message", SLICE("a trusted proxy names a client in a way that cannot be "
                                          "read, so the request is taken for the proxy's own; see "
                                          "TRUSTED_PROXIES and CLIENT_ADDRESS_HEADER")),
                   LOG_T("field", field), LOG_T("value", utf8_cut(value, TOLD_MOST)),
                   LOG_T("proxy", peer)));
}

struct slice proxies_client(struct proxies *proxies, struct slice value, struct slice peer,
                            struct arena *arena)
{
    struct in6_addr client;
    char text[INET6_ADDRSTRLEN];
    bool found = false;
    assert(proxies && value.ptr && peer.len > 0);
    struct slice rest = value;
    for (;;) {
        struct in6_addr address;
        enum forwarded_step step = FORWARDED_END;
        if (proxies->form == FORM_HOPS) {
            step = forwarded_last_hop(&rest, &address);
        } else if (proxies->form == FORM_ELEMENTS) {
            step = forwarded_last_element(&rest, &address);
        } else if (rest.len > 0) {
            step = forwarded_parse_node(rest, &address) ? FORWARDED_HOP : FORWARDED_UNREADABLE;
            rest.len = 0;
        }
        if (step == FORWARDED_UNREADABLE) {
            tell_unreadable(proxies, value, peer);
        }
        if (step != FORWARDED_HOP) {
            break;
        }
        client = address;
        found = true;
        if (!proxies_trust(proxies, &address)) {
            break;
        }
    }
    return found ? arena_copy(arena, forwarded_format_ip(&client, text)) : peer;
}
