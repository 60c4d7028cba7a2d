// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_PROXIES_H
#define TASKHOLD_HTTP_PROXIES_H

#include <netinet/in.h>

#include "base/arena.h"

/* Whose word about the address of a client is believed, and where it stands. */
struct proxies;

/* `networks`: addresses and CIDRs of IPv4 and IPv6, comma separated. `header`: `Forwarded` (RFC
 * 7239), or the name of a field that holds the client's address alone; NULL: X-Forwarded-For. It
 * must outlive the result. NULL with `*why` set when a network is malformed or memory is out. */
struct proxies *proxies_create(const char *networks, const char *header, const char **why);
void proxies_destroy(struct proxies **proxies);

/* `address`: IPv4 in its mapped form. */
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
