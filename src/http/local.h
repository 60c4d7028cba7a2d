// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_LOCAL_H
#define TASKHOLD_HTTP_LOCAL_H

#include <stdbool.h>
#include <sys/types.h>

/* Sockets that are files of this machine (unix(7)): only their owner and root may use them. A path
 * may be longer than the 107 bytes that an address holds. */

/* Binds a non-blocking socket of mode 0600 to `path`, in place of one that an earlier process left
 * there; so the caller makes sure that no other uses it. -1 with `*why` set. */
int local_bind(const char *path, const char **why);

/* Removes the file of a socket that was bound. */
void local_unbind(const char *path);

/* Does who connected run as the user of this process, or as root? */
bool local_peer_allowed(int fd);

enum local_connected {
    LOCAL_CONNECTED,
    LOCAL_NOBODY, /* nobody listens there now */
    LOCAL_REFUSED,
};

/* Connects when the socket at `path` belongs to `owner` or root, nobody else may use it, and a
 * process of that user listens. Else `*why` is a line about it. */
enum local_connected local_connect(const char *path, uid_t owner, int *fd, const char **why);

#endif
