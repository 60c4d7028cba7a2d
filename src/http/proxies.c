// SPDX-License-Identifier: MIT
#include "http/proxies.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "http/forwarded.h"

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

static bool parse_network(struct slice text, struct network *network)
{
    struct slice rest = text;
    struct slice address = slice_next(&rest, '/');
    unsigned width = 0;
    if (!forwarded_parse_ip(address, &network->address, &width)) {
        return false;
    }
    uint64_t bits = width;
    if (rest.ptr && !slice_to_u64(rest, width, &bits)) {
        return false;
    }
    network->bits = 128 - width + (unsigned)bits;
    return true;
}

static void choose_form(struct proxies *proxies, struct slice header)
{
    const bool hops = header.len == 0 || slice_eq_nocase(header, SLICE(FORWARDED_FOR));
    const bool elements = slice_eq_nocase(header, SLICE("Forwarded"));
    proxies->header = hops ? (struct slice){NULL, 0} : header;
    proxies->form = hops ? FORM_HOPS : elements ? FORM_ELEMENTS : FORM_ALONE;
    atomic_init(&proxies->told_ms, INT64_MIN);
}

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
    choose_form(proxies, slice_of(header));
    struct slice rest = slice_of(networks);
    while (rest.ptr) {
        struct slice text = slice_trim(slice_next(&rest, ','));
        if (!parse_network(text, &proxies->networks[proxies->count++])) {
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
    for (size_t i = 0; i < proxies->count; i++) {
        if (contains(&proxies->networks[i], address)) {
            return true;
        }
    }
    return false;
}

/* One form for one address, so that quotas cannot be dodged by spelling. */
static struct slice format(const struct in6_addr *address, struct arena *arena)
{
    char text[INET6_ADDRSTRLEN];
    const char *done = IN6_IS_ADDR_V4MAPPED(address)
                           ? inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof text)
                           : inet_ntop(AF_INET6, address, text, sizeof text);
    return done ? arena_copy(arena, slice_of(text)) : (struct slice){NULL, 0};
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

static enum forwarded_step next_hop(const struct proxies *proxies, struct slice *rest,
                                    struct in6_addr *address)
{
    const struct slice all = *rest;
    switch (proxies->form) {
    case FORM_HOPS: return forwarded_last_hop(rest, address);
    case FORM_ELEMENTS: return forwarded_last_element(rest, address);
    default:
        rest->len = 0;
        if (all.len == 0) {
            return FORWARDED_END;
        }
        return forwarded_parse_node(all, address) ? FORWARDED_HOP : FORWARDED_UNREADABLE;
    }
}

struct slice proxies_client(struct proxies *proxies, struct slice value, struct slice peer,
                            struct arena *arena)
{
    struct in6_addr client;
    bool found = false;
    struct slice rest = value;
    for (;;) {
        struct in6_addr address;
        const enum forwarded_step step = next_hop(proxies, &rest, &address);
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
    return found ? format(&client, arena) : peer;
}
