// SPDX-License-Identifier: MIT
#include "base/client_key.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <string.h>

#define PREFIX_BYTES 8 /* of the /64 */

void client_key(const struct in6_addr *address, uint8_t key[static CLIENT_KEY_LEN])
{
    assert(address);
    memcpy(key, address, CLIENT_KEY_LEN);
    if (!IN6_IS_ADDR_V4MAPPED(address)) {
        memset(key + PREFIX_BYTES, 0, CLIENT_KEY_LEN - PREFIX_BYTES);
    }
}

bool client_address_parse(struct slice text, struct in6_addr *address, unsigned *width)
{
    assert((text.ptr || text.len == 0) && address && width);
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

bool client_network_parse(struct slice text, struct in6_addr *network, unsigned *bits)
{
    assert(bits);
    const struct slice address = slice_next(&text, '/');
    unsigned width = 0;
    uint64_t given = 0;

    if (!client_address_parse(address, network, &width) ||
        (text.ptr && !slice_to_u64(text, width, &given))) {
        return false;
    }
    *bits = text.ptr ? 128 - width + (unsigned)given : 128;
    return true;
}

struct slice client_key_text(struct slice address, char text[static CLIENT_KEY_TEXT_MOST])
{
    assert(address.ptr || address.len == 0);
    struct in6_addr parsed;
    struct in6_addr key;
    unsigned width = 0;
    const size_t len =
        address.len < CLIENT_KEY_TEXT_MOST ? address.len : (size_t)CLIENT_KEY_TEXT_MOST - 1;

    if (len > 0) {
        memcpy(text, address.ptr, len);
    }
    text[len] = '\0';
    if (!client_address_parse(address, &parsed, &width) || IN6_IS_ADDR_V4MAPPED(&parsed)) {
        return (struct slice){text, len};
    }
    char prefix[INET6_ADDRSTRLEN] = "";

    client_key(&parsed, key.s6_addr);
    (void)inet_ntop(AF_INET6, &key, prefix, sizeof prefix); /* never fails with this much room */
    return (struct slice){text, (size_t)snprintf(text, CLIENT_KEY_TEXT_MOST, "%s/64", prefix)};
}
