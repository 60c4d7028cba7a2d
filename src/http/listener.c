// SPDX-License-Identifier: MIT
#include "http/listener.h"

#include <assert.h>
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

#define FREE_PORT_TRIES 16

struct place {
    struct sockaddr_storage address;
    socklen_t len;
};

struct places {
    unsigned count;
    struct place list[LISTENER_MOST];
};

static void add_addresses(struct places *places, const char *host, uint16_t port)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    struct addrinfo *list = NULL;
    char service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &list) != 0) {
        return;
    }
    for (const struct addrinfo *at = list; at; at = at->ai_next) {
        unsigned known = 0;
        while (known < places->count &&
               (places->list[known].len != at->ai_addrlen ||
                memcmp(&places->list[known].address, at->ai_addr, at->ai_addrlen) != 0)) {
            known++;
        }
        if (known == places->count && known < LISTENER_MOST) {
            struct place *place = &places->list[places->count++];
            memcpy(&place->address, at->ai_addr, at->ai_addrlen);
            place->len = at->ai_addrlen;
        }
    }
    freeaddrinfo(list);
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

/* `alone`: IPv6 does not take IPv4 along, because that has a socket of its own. */
static int bind_one(const struct place *place, bool shared, bool alone)
{
    int on = 1;
    const int family = place->address.ss_family;
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    bool good = setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
                (!shared || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == 0) &&
                (!alone || family != AF_INET6 ||
                 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0) &&
                bind(fd, (const struct sockaddr *)&place->address, place->len) == 0;
    if (!good) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* In the order of the network. */
static in_port_t *port_of(struct sockaddr_storage *address)
{
    return address->ss_family == AF_INET6 ? &((struct sockaddr_in6 *)address)->sin6_port
                                          : &((struct sockaddr_in *)address)->sin_port;
}

void listener_close(struct listener *listener)
{
    assert(listener && listener->count <= LISTENER_MOST);
    while (listener->count > 0) {
        close(listener->fds[--listener->count]);
    }
}

static void close_all(struct listener *listeners, size_t count)
{
    const int error = errno;
    for (size_t i = 0; i < count; i++) {
        listener_close(&listeners[i]);
    }
    errno = error;
}

/* Whether the port of each place can be had; what this machine does not have is taken off. Finds a
 * port if none was given: that of the first place. errno is set when false. */
static bool probe(struct places *places, uint16_t *port)
{
    const bool alone = places->count > 1;
    unsigned kept = 0;
    int absent = EADDRNOTAVAIL;
    for (unsigned i = 0; i < places->count; i++) {
        struct place place = places->list[i];
        *port_of(&place.address) = htons(*port);
        const int fd = bind_one(&place, false, alone);
        if (fd < 0 && errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT) {
            return false;
        }
        if (fd < 0) {
            absent = errno;
            continue;
        }
        socklen_t room = sizeof place.address;
        if (*port == 0 && getsockname(fd, (struct sockaddr *)&place.address, &room) == 0) {
            *port = ntohs(*port_of(&place.address));
        }
        close(fd);
        places->list[kept++] = place;
    }
    places->count = kept;
    errno = absent;
    return kept > 0;
}

static bool bind_all(const struct places *places, bool alone, struct listener *listeners,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        listeners[i].count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        for (unsigned p = 0; p < places->count; p++) {
            const int fd = bind_one(&places->list[p], true, alone);
            if (fd < 0) {
                close_all(listeners, count);
                return false;
            }
            listeners[i].fds[listeners[i].count++] = fd;
        }
    }
    return true;
}

bool listener_bind(const char *host, uint16_t *port, struct listener *listeners, size_t count,
                   const char **why)
{
    struct places all = {0};
    assert(host && count > 0);
    if (slice_eq_nocase(slice_of(host), SLICE("localhost"))) {
        /* Both, whatever a file of hosts says (RFC 6761 section 6.3). */
        add_addresses(&all, "127.0.0.1", *port);
        add_addresses(&all, "::1", *port);
    } else {
        add_addresses(&all, host, *port);
    }
    if (all.count == 0) {
        *why = "HOST: this is no address of this machine; give one such as 127.0.0.1 or ::";
        return false;
    }
    /* A free port of one address may be taken on another, or a moment later: then another one. */
    for (unsigned tries = *port == 0 ? FREE_PORT_TRIES : 1; tries > 0; tries--) {
        struct places places = all;
        uint16_t found = *port;
        if (probe(&places, &found) && bind_all(&places, all.count > 1, listeners, count)) {
            *port = found;
            return true;
        }
        if (errno != EADDRINUSE) {
            break;
        }
    }
    *why = explain(errno);
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

bool listener_inherit(uint16_t *port, struct listener *listeners, size_t count, const char **why)
{
    struct sockaddr_storage address = {0};
    socklen_t room = sizeof address;
    int type = 0;
    int listens = 0;
    socklen_t len = sizeof type;
    uint64_t fds = 0;
    size_t made = 0;
    assert(listener_is_inherited() && count > 0);
    if (!number_of("LISTEN_FDS", INT32_MAX, &fds) || fds != 1) {
        *why = "LISTEN_FDS: one socket is served; give the socket unit one ListenStream";
        return false;
    }
    int flags = fcntl(INHERITED_FD, F_GETFL);
    if (getsockname(INHERITED_FD, (struct sockaddr *)&address, &room) != 0 ||
        getsockopt(INHERITED_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0 || type != SOCK_STREAM ||
        getsockopt(INHERITED_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) != 0 || !listens ||
        (address.ss_family != AF_INET && address.ss_family != AF_INET6) || flags < 0 ||
        fcntl(INHERITED_FD, F_SETFL, flags | O_NONBLOCK) != 0) {
        *why = "LISTEN_FDS: the inherited socket must be a TCP one that listens, Accept=no";
        return false;
    }
    *port = ntohs(*port_of(&address));
    while (made < count) {
        const int fd = fcntl(INHERITED_FD, F_DUPFD_CLOEXEC, INHERITED_FD);
        if (fd < 0) {
            break;
        }
        listeners[made++] = (struct listener){.count = 1, .fds = {fd}};
    }
    if (made == count) {
        close(INHERITED_FD);
        return true;
    }
    *why = explain(errno);
    close_all(listeners, made);
    return false;
}
