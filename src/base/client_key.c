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

struct slice client_key_text(struct slice address, char text[static CLIENT_KEY_TEXT_MOST])
{
    assert(address.ptr || address.len == 0);
    struct in6_addr parsed;
    struct in6_addr key;
    const size_t len =
        address.len < CLIENT_KEY_TEXT_MOST ? address.len : (size_t)CLIENT_KEY_TEXT_MOST - 1;

    if (len > 0) {
        memcpy(text, address.ptr, len);
    }
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, &parsed) != 1 || IN6_IS_ADDR_V4MAPPED(&parsed)) {
        return (struct slice){text, len};
    }
    char prefix[INET6_ADDRSTRLEN] = "";

    client_key(&parsed, key.s6_addr);
    (void)inet_ntop(AF_INET6, &key, prefix, sizeof prefix); /* never fails with this much room */
    return (struct slice){text, (size_t)snprintf(text, CLIENT_KEY_TEXT_MOST, "%s/64", prefix)};
}
