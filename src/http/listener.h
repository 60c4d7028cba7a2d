#ifndef TASKHOLD_HTTP_LISTENER_H
#define TASKHOLD_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sockets that listen. */

/* Binds `count` non-blocking sockets to one address and port, so that the kernel spreads the
 * connections over them (SO_REUSEPORT); none of them listens yet. `*port` 0 becomes the free port
 * that was found. A port that somebody else has is refused, though SO_REUSEPORT would share it with
 * a second server by mistake. False with `*why` set, nothing left open. */
bool listener_bind(const char *host, uint16_t *port, int *sockets, size_t count, const char **why);

/* Whether this process was started with sockets that listen: $LISTEN_PID and $LISTEN_FDS of
 * sd_listen_fds(3). */
bool listener_is_inherited(void);

/* The same for the one inherited socket: `count` descriptors of it, and its port. It has to be TCP.
 * False with `*why` set. */
bool listener_inherit(uint16_t *port, int *sockets, size_t count, const char **why);

#endif
