// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_CLIENT_KEY_H
#define TASKHOLD_BASE_CLIENT_KEY_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/slice.h"

/* What counts as one client, wherever clients are counted or remembered: an IPv4 address; of IPv6
 * the /64, because one client owns all of it (RFC 6177) and could take another address for each
 * request. */

#define CLIENT_KEY_LEN 16

/* The key of an address, with IPv4 in its mapped form. */
void client_key(const struct in6_addr *address, uint8_t key[static CLIENT_KEY_LEN]);

/* Parses an address of either family, alone; IPv4 becomes ::ffff:a.b.c.d. `*width`: its own bits,
 * 32 or 128. */
bool client_address_parse(struct slice text, struct in6_addr *address, unsigned *width);

/* The same of a network, `10.0.0.0/8`, or of one address. `*bits`: of the 128, how many count. */
bool client_network_parse(struct slice text, struct in6_addr *network, unsigned *bits);

#define CLIENT_KEY_TEXT_MOST 64

/* The same as text, for what is stored: `192.0.2.1`, `2001:db8:1:2::/64`. `address` is one as text;
 * anything else is its own key (cut at CLIENT_KEY_TEXT_MOST bytes). The answer is part of `text`.
 */
struct slice client_key_text(struct slice address, char text[static CLIENT_KEY_TEXT_MOST]);

#endif
