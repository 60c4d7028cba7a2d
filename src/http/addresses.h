// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_ADDRESSES_H
#define TASKHOLD_HTTP_ADDRESSES_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

/* Counts the open connections of each client (see base/client_key.h), over all loops. */
struct addresses;

/* At most `most` for each address; room for `connections` at once. NULL without memory. */
struct addresses *addresses_create(size_t most, size_t connections);
void addresses_destroy(struct addresses **addresses);

/* Counts one more, or returns false when the address has its share. Any thread. */
bool addresses_enter(struct addresses *addresses, const struct in6_addr *address);
void addresses_leave(struct addresses *addresses, const struct in6_addr *address);

#endif
