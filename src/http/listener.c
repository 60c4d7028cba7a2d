#include "http/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/slice.h"

/* Where inherited descriptors begin (sd_listen_fds(3)). */
#define INHERITED_FD 3

static bool resolve(const char *host, uint16_t port, struct sockaddr_storage *address,
                    socklen_t *len, const char **why)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    struct addrinfo *list = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &list) != 0 || !list) {
        *why = "HOST: this is no address of this machine; give one such as 127.0.0.1 or ::";
        return false;
    }
    memcpy(address, list->ai_addr, list->ai_addrlen);
    *len = list->ai_addrlen;
    freeaddrinfo(list);
    return true;
}

static const char *explain(int error)
{
    switch (error) {
    case EADDRINUSE: return "PORT: another program listens there; stop it or choose another port";
    case EACCES: return "PORT: this user may not listen there; choose a port from 1024 on";
    case EADDRNOTAVAIL: return "HOST: this is no address of this machine";
    case EMFILE:
    case ENFILE: return "no file descriptor is left; raise the limit (ulimit -n)";
    default: return "cannot open a listening socket";
    }
}

static int bind_one(const struct sockaddr_storage *address, socklen_t len, bool shared)
{
    int on = 1;
    int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
                bind(fd, (const struct sockaddr *)address, len) == 0;
    if (!good) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)address)->sin_port = htons(port);
    }
}

static uint16_t get_port(const struct sockaddr_storage *address)
{
    struct sockaddr_in6 v6 = {0};
    struct sockaddr_in v4 = {0};
    if (address->ss_family == AF_INET6) {
        memcpy(&v6, address, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    memcpy(&v4, address, sizeof v4);
    return ntohs(v4.sin_port);
}

bool listener_bind(const char *host, uint16_t *port, int *sockets, size_t count, const char **why)
{
    struct sockaddr_storage address = {0};
    socklen_t len = 0;
    size_t bound = 0;
    if (!resolve(host, *port, &address, &len, why)) {
        return false;
    }
    if (*port != 0) {
        int probe = bind_one(&address, len, false);
        if (probe < 0) {
            *why = explain(errno);
            return false;
        }
        close(probe);
    }
    while (bound < count) {
        sockets[bound] = bind_one(&address, len, true);
        if (sockets[bound] < 0) {
            break;
        }
        bound++;
        socklen_t room = sizeof address;
        if (*port == 0 && getsockname(sockets[0], (struct sockaddr *)&address, &room) == 0) {
            *port = get_port(&address);
            set_port(&address, *port);
        }
    }
    if (bound == count) {
        return true;
    }
    *why = explain(errno);
    while (bound > 0) {
        close(sockets[--bound]);
    }
    return false;
}

/* ---- Inherited ---- */

static bool number_of(const char *name, uint64_t most, uint64_t *number)
{
    const char *text = getenv(name);
    return text && slice_to_u64(slice_of(text), most, number);
}

bool listener_is_inherited(void)
{
    uint64_t pid = 0;
    uint64_t fds = 0;
    return number_of("LISTEN_PID", INT32_MAX, &pid) && pid == (uint64_t)getpid() &&
           number_of("LISTEN_FDS", INT32_MAX, &fds) && fds > 0;
}

/* Whether it is TCP and listens; finds its port. */
static bool examine(int fd, uint16_t *port)
{
    struct sockaddr_storage address = {0};
    socklen_t room = sizeof address;
    int type = 0;
    int listens = 0;
    socklen_t len = sizeof type;
    if (getsockname(fd, (struct sockaddr *)&address, &room) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) != 0 ||
        getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0) {
        return false;
    }
    *port = get_port(&address);
    return type == SOCK_STREAM && listens &&
           (address.ss_family == AF_INET || address.ss_family == AF_INET6);
}

bool listener_inherit(uint16_t *port, int *sockets, size_t count, const char **why)
{
    uint64_t fds = 0;
    size_t made = 0;
    if (!number_of("LISTEN_FDS", INT32_MAX, &fds) || fds != 1) {
        *why = "LISTEN_FDS: one socket is served; give the socket unit one ListenStream";
        return false;
    }
    int flags = fcntl(INHERITED_FD, F_GETFL);
    if (!examine(INHERITED_FD, port) || flags < 0 ||
        fcntl(INHERITED_FD, F_SETFL, flags | O_NONBLOCK) != 0) {
        *why = "LISTEN_FDS: the inherited socket must be a TCP one that listens, Accept=no";
        return false;
    }
    while (made < count) {
        sockets[made] = fcntl(INHERITED_FD, F_DUPFD_CLOEXEC, INHERITED_FD);
        if (sockets[made] < 0) {
            break;
        }
        made++;
    }
    if (made == count) {
        close(INHERITED_FD);
        return true;
    }
    *why = explain(errno);
    while (made > 0) {
        close(sockets[--made]);
    }
    return false;
}
