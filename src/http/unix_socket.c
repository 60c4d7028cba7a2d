// SPDX-License-Identifier: MIT
#include "http/unix_socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Fills in the address of `path`. One that is too long is reached through a descriptor of its
 * folder, `*folder`, which the caller closes if it is not -1. */
static bool resolve(const char *path, struct sockaddr_un *address, int *folder)
{
    const char *slash = strrchr(path, '/');
    char parent[4096];
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    *folder = -1;
    size_t len = strlen(path);
    if (len < sizeof address->sun_path) {
        memcpy(address->sun_path, path, len);
        return true;
    }
    if (!slash || (size_t)(slash - path) >= sizeof parent) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    *folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0) {
        return false;
    }
    int written = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s",
                           *folder, slash + 1);
    if (written < (int)sizeof address->sun_path) {
        return true;
    }
    close(*folder);
    *folder = -1;
    errno = ENAMETOOLONG;
    return false;
}

/* A socket that connect or bind has given `path`, or -1 with errno set. */
static int open_at(const char *path, int flags,
                   int (*give)(int fd, const struct sockaddr *address, socklen_t len))
{
    struct sockaddr_un address;
    int folder = -1;
    int fd = -1;
    if (!resolve(path, &address, &folder)) {
        return -1;
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    if (fd >= 0 && give(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        int error = errno;
        close(fd);
        fd = -1;
        errno = error;
    }
    if (folder >= 0) {
        int error = errno;
        close(folder);
        errno = error;
    }
    return fd;
}

static const char *explain(int error)
{
    switch (error) {
    case ENAMETOOLONG: return "the path of the socket is too long";
    case EACCES:
    case EPERM: return "this user may not use the socket; run it as the server's user or as root";
    case EROFS: return "the folder cannot be written";
    case EOPNOTSUPP: return "this file system holds no sockets";
    default: return "the socket cannot be used";
    }
}

int unix_socket_bind(const char *path, const char **why)
{
    struct stat status;
    assert(path && *path && why);
    if (lstat(path, &status) == 0) {
        if (!S_ISSOCK(status.st_mode)) {
            *why = "something that is no socket stands in its place; remove it";
            return -1;
        }
        (void)unlink(path);
    }
    int fd = open_at(path, SOCK_NONBLOCK, bind);
    /* Nobody can connect before it listens, so the mode comes early enough. */
    if (fd >= 0 && chmod(path, 0600) == 0) {
        return fd;
    }
    *why = explain(errno);
    if (fd >= 0) {
        close(fd);
        (void)unlink(path);
    }
    return -1;
}

/* Who is at the other end. */
static bool peer_of(int fd, uid_t *uid)
{
    struct ucred peer = {0};
    socklen_t len = sizeof peer;
    bool known = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && len == sizeof peer;
    *uid = peer.uid;
    return known;
}

bool unix_socket_peer_allowed(int fd)
{
    uid_t uid = 0;
    return peer_of(fd, &uid) && (uid == 0 || uid == geteuid());
}

enum unix_socket_connected unix_socket_connect(const char *path, uid_t owner, int *fd,
                                               const char **why)
{
    struct stat status = {0};
    uid_t peer = 0;
    assert(path && *path && fd && why);
    if (lstat(path, &status) != 0) {
        *why = explain(errno);
        return errno == ENOENT ? UNIX_SOCKET_NOBODY : UNIX_SOCKET_REFUSED;
    }
    if (!S_ISSOCK(status.st_mode)) {
        *why = "something that is no socket stands in its place";
        return UNIX_SOCKET_REFUSED;
    }
    if (status.st_uid != owner && status.st_uid != 0) {
        *why = "the socket belongs to a stranger";
        return UNIX_SOCKET_REFUSED;
    }
    if ((status.st_mode & 077) != 0) {
        *why = "others may use the socket, which no server of ours allows";
        return UNIX_SOCKET_REFUSED;
    }
    *fd = open_at(path, 0, connect);
    if (*fd < 0) {
        *why = explain(errno);
        return errno == ENOENT || errno == ECONNREFUSED ? UNIX_SOCKET_NOBODY : UNIX_SOCKET_REFUSED;
    }
    if (peer_of(*fd, &peer) && peer == status.st_uid) {
        return UNIX_SOCKET_CONNECTED;
    }
    *why = "a stranger listens on the socket";
    close(*fd);
    *fd = -1;
    return UNIX_SOCKET_REFUSED;
}
