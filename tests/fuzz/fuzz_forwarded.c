// SPDX-License-Identifier: MIT
/* The addresses that proxies write: X-Forwarded-For, Forwarded, and a field with one alone. */
#include <arpa/inet.h>
#include <stdlib.h>

#include "http/proxies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* What was read can be written, and is read again as the same. */
static void check_address(const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr again;

    must(inet_ntop(AF_INET6, address, text, sizeof text) != NULL);
    must(forwarded_parse_node(slice_of(text), &again));
    must(memcmp(&again, address, sizeof again) == 0);
}

/* Every step takes something off, and ends with nothing left. */
static void walk(enum forwarded_step (*last)(struct slice *, struct in6_addr *), struct slice text)
{
    struct slice rest = text;
    struct in6_addr address;
    enum forwarded_step step = FORWARDED_HOP;

    while (step != FORWARDED_END) {
        const size_t before = rest.len;
        step = last(&rest, &address);
        must(rest.ptr == text.ptr && (step == FORWARDED_END ? rest.len == 0 : rest.len < before));
        if (step == FORWARDED_HOP) {
            check_address(&address);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Copied to its exact size, so that ASan sees every byte read after the end. */
    char *copy = malloc(size > 0 ? size : 1);
    struct in6_addr address;

    if (copy && size <= 16384) {
        if (size > 0) {
            memcpy(copy, data, size);
        }
        const struct slice text = {copy, size};
        walk(forwarded_last_hop, text);
        walk(forwarded_last_element, text);
        if (forwarded_parse_node(text, &address)) {
            check_address(&address);
        }
    }
    free(copy);
    return 0;
}
