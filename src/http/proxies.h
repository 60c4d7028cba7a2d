// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_PROXIES_H
#define TASKHOLD_HTTP_PROXIES_H

#include <netinet/in.h>

#include "base/arena.h"
#include "base/slice.h"

/* How proxies write the addresses of clients into header fields. Pure; texts come from strangers.
 */

/* client_address_parse with what proxies add: `IP:port`, `[v6]`, `[v6]:port` (RFC 7239 section 6).
 */
bool forwarded_parse_node(struct slice text, struct in6_addr *address);

/* The text of an address, in one form, so that quotas cannot be dodged by spelling. */
struct slice forwarded_format_ip(const struct in6_addr *address,
                                 char text[static INET6_ADDRSTRLEN]);

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

/* Whose word about the address of a client is believed, and where it stands. */
struct proxies;

/* `networks`: addresses and CIDRs of IPv4 and IPv6, comma separated. `header`: `Forwarded` (RFC
 * 7239), or the name of a field that holds the client's address alone; NULL: X-Forwarded-For. It
 * must outlive the result. NULL with `*why` set when a network is malformed or memory is out. */
struct proxies *proxies_create(const char *networks, const char *header, const char **why);
void proxies_destroy(struct proxies **proxies);

/* `address`: IPv4 in its mapped form. NULL trusts nobody. */
bool proxies_trust(const struct proxies *proxies, const struct in6_addr *address);

/* The name of the field, unless it is X-Forwarded-For: then `ptr` is NULL. */
struct slice proxies_header(const struct proxies *proxies);

/* The client of a request that came from a trusted proxy at `peer`. `value`: the field, joined. Of
 * a list it is the rightmost hop that is no trusted proxy: what stands left of it was written by
 * strangers. Something that is no address ends the reading, and the log is told, once a minute: the
 * client is then the hop before it, and `peer` when there is none. The text lives in `arena`; `ptr`
 * is NULL when that has run out. Any thread. */
struct slice proxies_client(struct proxies *proxies, struct slice value, struct slice peer,
                            struct arena *arena);

#endif
