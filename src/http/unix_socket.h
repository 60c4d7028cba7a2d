// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_UNIX_SOCKET_H
#define TASKHOLD_HTTP_UNIX_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>

/* Sockets that are files of this machine (unix(7)): only their owner and root may use them. A path
 * may be longer than the 107 bytes that an address holds. */

/* Binds a non-blocking socket of mode 0600 to `path`, in place of one that an earlier process left
 * there; so the caller makes sure that no other uses it, and removes the file at the end. -1 with
 * `*why` set. */
int unix_socket_bind(const char *path, const char **why);

/* Does who connected run as the user of this process, or as root? */
bool unix_socket_peer_allowed(int fd);

enum unix_socket_connected {
    UNIX_SOCKET_CONNECTED,
    UNIX_SOCKET_NOBODY, /* nobody listens there now */
    UNIX_SOCKET_REFUSED,
};

/* Connects when the socket at `path` belongs to `owner` or root, nobody else may use it, and a
 * process of that user listens. Else `*why` is a line about it. */
enum unix_socket_connected unix_socket_connect(const char *path, uid_t owner, int *fd,
                                               const char **why);

#endif
