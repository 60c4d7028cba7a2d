#ifndef TASKHOLD_HTTP_PROXIES_H
#define TASKHOLD_HTTP_PROXIES_H

#include <netinet/in.h>

#include "base/arena.h"

/* Whose X-Forwarded-For is believed. */
struct proxies;

/* `networks`: addresses and CIDRs of IPv4 and IPv6, comma separated. NULL with `*why` set when one
 * is malformed or memory is out. */
struct proxies *proxies_create(const char *networks, const char **why);
void proxies_destroy(struct proxies **proxies);

/* `address`: IPv4 in its mapped form. */
bool proxies_trust(const struct proxies *proxies, const struct in6_addr *address);

/* The client of a request that came from a trusted proxy: the rightmost hop of `forwarded` (a
 * joined X-Forwarded-For) that is no trusted proxy. What stands left of it, or of something that is
 * no address, was written by strangers. `peer`: the answer when the field tells nothing. The text
 * lives in `arena`; `ptr` is NULL when that has run out. */
struct slice proxies_client(const struct proxies *proxies, struct slice forwarded,
                            struct slice peer, struct arena *arena);

#endif
