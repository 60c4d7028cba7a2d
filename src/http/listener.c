#include "http/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

bool listener_bind(const char *host, uint16_t *port, int *sockets, size_t count, const char **why)
{
    struct sockaddr_storage address;
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
