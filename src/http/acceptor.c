// SPDX-License-Identifier: MIT
#include "http/acceptor.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/client_key.h"
#include "base/log.h"
#include "base/uuid.h"
#include "http/connection.h"
#include "http/http_metrics.h"
#include "http/unix_socket.h"

#define BACKLOG    4096
#define BATCH_MOST 64
#define PAUSE_MS   100
/* Above the bound of connections, for probes; of the descriptors that the server keeps for a loop.
 */
#define GUESTS_MOST 8

/* ---- How many connections each client has ---- */

struct entry {
    uint8_t key[CLIENT_KEY_LEN];
    size_t count; /* 0: free */
};

/* Open addressing with linear probing, at most half full. */
struct addresses {
    pthread_mutex_t lock;
    size_t most;
    size_t mask;
    struct entry *entries;
};

struct addresses *addresses_create(size_t most, size_t connections)
{
    struct addresses *addresses = calloc(1, sizeof *addresses);
    size_t size = 64;
    while (size < connections * 2) {
        size *= 2;
    }
    if (addresses) {
        addresses->entries = calloc(size, sizeof *addresses->entries);
    }
    if (!addresses || !addresses->entries || pthread_mutex_init(&addresses->lock, NULL) != 0) {
        if (addresses) {
            free(addresses->entries);
        }
        free(addresses);
        return NULL;
    }
    addresses->most = most;
    addresses->mask = size - 1;
    return addresses;
}

void addresses_destroy(struct addresses **addresses)
{
    if (!*addresses) {
        return;
    }
    pthread_mutex_destroy(&(*addresses)->lock);
    free((*addresses)->entries);
    free(*addresses);
    *addresses = NULL;
}

static size_t home_of(const struct addresses *addresses, const uint8_t *key)
{
    uint64_t halves[2];
    memcpy(halves, key, sizeof halves);
    uint64_t mixed = (halves[0] ^ (halves[1] * 0x9e3779b97f4a7c15U)) * 0xbf58476d1ce4e5b9U;
    return (size_t)(mixed >> 32) & addresses->mask;
}

/* The entry of `key`, or the free one where it belongs; NULL when the table is full. */
static struct entry *find(struct addresses *addresses, const uint8_t *key)
{
    size_t at = home_of(addresses, key);
    for (size_t i = 0; i <= addresses->mask; i++) {
        struct entry *entry = &addresses->entries[(at + i) & addresses->mask];
        if (entry->count == 0 || memcmp(entry->key, key, sizeof entry->key) == 0) {
            return entry;
        }
    }
    return NULL;
}

/* Frees a slot and moves back what was pushed after it, so that no search stops too early. */
static void vacate(struct addresses *addresses, size_t hole)
{
    size_t at = hole;
    for (;;) {
        at = (at + 1) & addresses->mask;
        struct entry *entry = &addresses->entries[at];
        if (entry->count == 0) {
            break;
        }
        size_t distance = (at - home_of(addresses, entry->key)) & addresses->mask;
        if (distance >= ((at - hole) & addresses->mask)) {
            addresses->entries[hole] = *entry;
            hole = at;
        }
    }
    addresses->entries[hole].count = 0;
}

bool addresses_enter(struct addresses *addresses, const struct in6_addr *address)
{
    uint8_t key[CLIENT_KEY_LEN];
    client_key(address, key);
    pthread_mutex_lock(&addresses->lock);
    struct entry *entry = find(addresses, key);
    bool room = entry && entry->count < addresses->most;
    if (room) {
        memcpy(entry->key, key, sizeof key);
        entry->count++;
    }
    pthread_mutex_unlock(&addresses->lock);
    return room;
}

void addresses_leave(struct addresses *addresses, const struct in6_addr *address)
{
    uint8_t key[CLIENT_KEY_LEN];
    client_key(address, key);
    pthread_mutex_lock(&addresses->lock);
    struct entry *entry = find(addresses, key);
    assert(entry && entry->count > 0);
    if (entry->count == 1) {
        vacate(addresses, (size_t)(entry - addresses->entries));
    } else {
        entry->count--;
    }
    pthread_mutex_unlock(&addresses->lock);
}

/* ---- The listener ---- */

static const char full_head[] = "HTTP/1.1 503 Service Unavailable\r\n"
                                "Content-Type: application/problem+json\r\n"
                                "Cache-Control: no-store\r\n"
                                "X-Content-Type-Options: nosniff\r\n"
                                "Retry-After: 2\r\n"
                                "Connection: close\r\n";
#define FULL_BODY                                                                                  \
    "{\"type\":\"%.*s/problems/overloaded\",\"title\":\"Overloaded\",\"status\":503,"              \
    "\"detail\":\"The server has too many connections. Try again shortly.\","                      \
    "\"instance\":\"%.*s/\",\"code\":\"overloaded\",\"request_id\":\"%.*s\"}"

static bool watch(struct http_loop *loop)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = &loop->listener};
    if (loop->server->shared) {
        event.events |= EPOLLEXCLUSIVE; /* a connection wakes one loop, not all */
    }
    for (unsigned i = 0; i < loop->listener.count; i++) {
        /* One that is watched already comes from a try that failed half way. */
        if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, loop->listener.fds[i], &event) != 0 &&
            errno != EEXIST) {
            return false;
        }
    }
    return true;
}

bool acceptor_start(struct http_loop *loop)
{
    loop->listening = true;
    for (unsigned i = 0; i < loop->listener.count; i++) {
        loop->listening = loop->listening && listen(loop->listener.fds[i], BACKLOG) == 0;
    }
    loop->listening = loop->listening && watch(loop);
    return loop->listening;
}

static void pause_listener(struct http_loop *loop)
{
    for (unsigned i = 0; i < loop->listener.count; i++) {
        epoll_ctl(loop->epoll, EPOLL_CTL_DEL, loop->listener.fds[i], NULL);
    }
    loop->resume_ms = loop->now_ms + PAUSE_MS;
}

void acceptor_resume(struct http_loop *loop)
{
    assert(loop->resume_ms != 0 && loop->now_ms >= loop->resume_ms);
    if (loop->spare_fd < 0) {
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    loop->resume_ms = 0;
    if (loop->listening && !watch(loop)) {
        loop->resume_ms = loop->now_ms + PAUSE_MS;
    }
}

/* Without a parser, an exchange or memory of its own; but it can be found in the log. */
static void turn_away(struct http_loop *loop, int fd, const char *reason)
{
    char id[UUID_TEXT_LEN];
    char body[2048]; /* with two prefixes of a few hundred bytes */
    char text[2560];
    const struct slice prefix = loop->server->options.path_prefix;

    uuid_format(uuid_make_v7_unordered(), id);
    const int body_len = snprintf(body, sizeof body, FULL_BODY, (int)prefix.len, prefix.ptr,
                                  (int)prefix.len, prefix.ptr, UUID_TEXT_LEN, id);
    const int len =
        snprintf(text, sizeof text, "%sX-Request-Id: %.*s\r\nContent-Length: %d\r\n\r\n%s",
                 full_head, UUID_TEXT_LEN, id, body_len, body);
    (void)send(fd, text, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT);
    (void)shutdown(fd, SHUT_WR);
    close(fd);
    http_metrics_turned_away(loop, reason);
    log_write(LOG_INFO, "turned_away",
              LOG_FIELDS(LOG_T("reason", slice_of(reason)),
                         LOG_T("request_id", ((struct slice){id, UUID_TEXT_LEN}))));
}

/* A client that waits in the backlog while no descriptor is left would make the listener readable
 * for ever: the spare one is given up to take it and let it go. */
static void make_descriptor(struct http_loop *loop, int listener)
{
    if (loop->spare_fd >= 0) {
        close(loop->spare_fd);
        loop->spare_fd = -1;
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            turn_away(loop, fd, "descriptors");
        }
        loop->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    pause_listener(loop);
}

static struct in6_addr address_of(const struct sockaddr_storage *peer)
{
    struct in6_addr address = {0};
    if (peer->ss_family == AF_INET6) {
        return ((const struct sockaddr_in6 *)peer)->sin6_addr;
    }
    const struct in_addr loopback = {htonl(INADDR_LOOPBACK)};
    const bool local = peer->ss_family == AF_UNIX;
    address.s6_addr[10] = address.s6_addr[11] = 0xff;
    memcpy(&address.s6_addr[12], local ? &loopback : &((const struct sockaddr_in *)peer)->sin_addr,
           4);
    return address;
}

/* A client that has its share already gives up the connection that was idle for longest. Guests
 * have places of their own. */
static void admit(struct http_loop *loop, int fd, const struct sockaddr_storage *peer)
{
    struct addresses *addresses = loop->server->addresses;
    struct in6_addr address = address_of(peer);
    if (peer->ss_family == AF_UNIX && !unix_socket_peer_allowed(fd)) {
        close(fd);
        return;
    }
    const bool trusted = proxies_trust(loop->policy->proxies, &address);
    const bool counted =
        !trusted && (addresses_enter(addresses, &address) ||
                     (http_loop_make_way(loop, &address) && addresses_enter(addresses, &address)));
    const char *above = NULL;
    if (!trusted && !counted) {
        above = "address";
    } else if (loop->connection_count - loop->guests >= loop->server->connections_most &&
               !http_loop_make_way(loop, NULL)) {
        above = "full";
    }
    struct http_connection *c = NULL;
    if (above && loop->guests >= GUESTS_MOST) {
        turn_away(loop, fd, above);
    } else {
        http_metrics_count(loop, METRIC_HTTP_ACCEPTED);
        c = http_connection_open(loop, fd, &address);
    }
    if (!c) {
        if (counted) {
            addresses_leave(addresses, &address);
        }
        return;
    }
    http_loop_spend(loop, c->account);
    c->counted = counted;
    c->guest = above != NULL;
    loop->guests += c->guest ? 1 : 0;
}

/* Of a few listeners each is asked: which one was readable is not worth keeping. */
static void accept_all(struct http_loop *loop, unsigned most)
{
    bool full = false; /* nothing more can be taken now, from no listener */
    for (unsigned i = 0; i < loop->listener.count && !full; i++) {
        const int listener = loop->listener.fds[i];
        bool empty = false;
        for (unsigned taken = 0; taken < most && !empty && !full; taken++) {
            struct sockaddr_storage peer = {0};
            socklen_t len = sizeof peer;
            int fd =
                accept4(listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd >= 0) {
                admit(loop, fd, &peer);
            } else if (errno == EMFILE || errno == ENFILE) {
                make_descriptor(loop, listener);
                full = true;
            } else if (errno == ENOMEM || errno == ENOBUFS) {
                pause_listener(loop);
                full = true;
            } else {
                empty = errno != EINTR && errno != ECONNABORTED;
            }
        }
    }
}

void acceptor_accept(struct http_loop *loop)
{
    assert(loop->listening);
    accept_all(loop, BATCH_MOST);
}

void acceptor_left(struct http_loop *loop, const struct http_connection *c)
{
    loop->guests -= c->guest ? 1 : 0;
    if (c->counted) {
        addresses_leave(loop->server->addresses, &c->address);
    }
}

void acceptor_stop(struct http_loop *loop)
{
    if (!loop->listening) {
        return;
    }
    accept_all(loop, 2 * BACKLOG); /* who is closed in the backlog reads a reset */
    loop->listening = false;
    listener_close(&loop->listener);
}
