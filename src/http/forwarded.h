// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_FORWARDED_H
#define TASKHOLD_HTTP_FORWARDED_H

#include <netinet/in.h>

#include "base/slice.h"

/* How proxies write the addresses of clients into header fields. Pure; texts come from strangers.
 */

/* An address of either family, alone; IPv4 becomes ::ffff:a.b.c.d. `*width`: its own bits, 32 or
 * 128. */
bool forwarded_parse_ip(struct slice text, struct in6_addr *address, unsigned *width);

/* The same with what proxies add: `IP:port`, `[v6]`, `[v6]:port` (RFC 7239 section 6). */
bool forwarded_parse_node(struct slice text, struct in6_addr *address);

enum forwarded_step {
    FORWARDED_HOP,        /* `address` is set */
    FORWARDED_UNREADABLE, /* something else stands there: `unknown`, a name, nonsense */
    FORWARDED_END,
};

/* Takes the last hop off a joined X-Forwarded-For. Empty elements are stepped over. */
enum forwarded_step forwarded_last_hop(struct slice *rest, struct in6_addr *address);

/* The same of a joined Forwarded (RFC 7239): the `for` of its last element, which may be quoted.
 * Read from the end, so that a quote that a stranger left open swallows nothing that a proxy wrote
 * after it. */
enum forwarded_step forwarded_last_element(struct slice *rest, struct in6_addr *address);

#endif
