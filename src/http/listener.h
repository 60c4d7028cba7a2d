// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_LISTENER_H
#define TASKHOLD_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sockets that listen. */

#define LISTENER_MOST 4 /* addresses of one name */

/* What one loop listens on: a socket for each address. */
struct listener {
    unsigned count;
    int fds[LISTENER_MOST];
};

/* Binds non-blocking sockets to one port of every address that `host` has (`localhost` has one of
 * each family), for each of `count` loops, so that the kernel spreads the connections over them
 * (SO_REUSEPORT); none of them listens yet. An address that this machine does not have is left out,
 * as long as there is another. `*port` 0 becomes a port that is free on all of them. A port that
 * somebody else has is refused, though SO_REUSEPORT would share it with a second server by mistake.
 * False with `*why` set, nothing left open. */
bool listener_bind(const char *host, uint16_t *port, struct listener *listeners, size_t count,
                   const char **why);

void listener_close(struct listener *listener);

/* Whether this process was started with sockets that listen: $LISTEN_PID and $LISTEN_FDS of
 * sd_listen_fds(3). */
bool listener_is_inherited(void);

/* The same for the one inherited socket: a descriptor of it for each loop, and its port. It has to
 * be TCP. False with `*why` set. */
bool listener_inherit(uint16_t *port, struct listener *listeners, size_t count, const char **why);

#endif
