#include "http/proxies.h"

#include <arpa/inet.h>
#include <stdlib.h>

struct network {
    struct in6_addr address;
    unsigned bits;
};

struct proxies {
    size_t count;
    struct network networks[];
};

/* An address of either family; IPv4 becomes ::ffff:a.b.c.d. `*width`: its own bits, 32 or 128. */
static bool parse_address(struct slice text, struct in6_addr *address, unsigned *width)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;
    if (text.len == 0 || text.len >= sizeof copy) {
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

static bool parse_network(struct slice text, struct network *network)
{
    struct slice rest = text;
    struct slice address = slice_next(&rest, '/');
    unsigned width = 0;
    if (!parse_address(address, &network->address, &width)) {
        return false;
    }
    uint64_t bits = width;
    if (rest.ptr && !slice_to_u64(rest, width, &bits)) {
        return false;
    }
    network->bits = 128 - width + (unsigned)bits;
    return true;
}

struct proxies *proxies_create(const char *networks, const char **why)
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

/* Cuts the last hop off. */
static struct slice last_hop(struct slice *rest)
{
    size_t at = rest->len;
    while (at > 0 && rest->ptr[at - 1] != ',') {
        at--;
    }
    struct slice hop = slice_trim((struct slice){rest->ptr + at, rest->len - at});
    rest->len = at > 0 ? at - 1 : 0;
    return hop;
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

struct slice proxies_client(const struct proxies *proxies, struct slice forwarded,
                            struct slice peer, struct arena *arena)
{
    struct in6_addr client;
    bool found = false;
    struct slice rest = forwarded;
    while (rest.len > 0) {
        struct in6_addr address;
        unsigned width = 0;
        if (!parse_address(last_hop(&rest), &address, &width)) {
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
