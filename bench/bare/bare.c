// SPDX-License-Identifier: MIT
/*
 * A bare epoll server: the limit that any HTTP server on this machine has.
 *
 * Use: bare PORT START FILE [START FILE ...]
 *
 * It answers each request with the bytes of the FILE whose START the request begins with (such as
 * "GET /v1/tasks?"). It finds where a request ends and looks at nothing else: no parsing, no check,
 * no limit, no timer. One thread, one read and one write a turn, keep-alive, pipelining. It is a
 * measure, not a server: never put it on a network.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common.h"

enum { ANSWERS_MAX = 16, EVENTS_MAX = 256, PIPELINE_MAX = 64, REQUEST_BYTES_MAX = 16384 };

struct answer {
    const char *start; /* what its requests begin with */
    size_t start_len;
    char *bytes;
    size_t len;
};

struct conn {
    int fd;
    bool waits_to_write;
    unsigned int queued; /* answers in queue */
    size_t sent;         /* bytes of queue[0] that are out */
    size_t len;          /* bytes in request */
    const struct answer *queue[PIPELINE_MAX];
    char request[REQUEST_BYTES_MAX];
};

static struct answer answers[ANSWERS_MAX];
static size_t answer_count;
static int epoll_fd;

static void answer_load(struct answer *answer, const char *start, const char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &info) != 0) {
        die(path);
    }
    answer->start = start;
    answer->start_len = strlen(start);
    answer->len = (size_t)info.st_size;
    answer->bytes = malloc(answer->len);
    if (answer->bytes == NULL || read(fd, answer->bytes, answer->len) != (ssize_t)info.st_size) {
        die(path);
    }
    close(fd);
}

static const struct answer *answer_for(const char *request, size_t len)
{
    for (size_t i = 0; i < answer_count; i++) {
        if (len >= answers[i].start_len &&
            memcmp(request, answers[i].start, answers[i].start_len) == 0) {
            return &answers[i];
        }
    }
    return &answers[0];
}

/* The length of the body that the header announces; only POST, PUT and PATCH have one here. */
static size_t body_length(const char *header, size_t len)
{
    static const char NAME[] = "Content-Length: ";
    const char *at = header[0] == 'P' ? memmem(header, len, NAME, sizeof(NAME) - 1) : NULL;
    size_t value = 0;

    if (at == NULL) {
        return 0;
    }
    for (at += sizeof(NAME) - 1; *at >= '0' && *at <= '9' && value < REQUEST_BYTES_MAX; at++) {
        value = value * 10 + (size_t)(*at - '0');
    }
    return value;
}

/* The length of the first whole request, 0 if there is none yet. */
static size_t request_length(const char *bytes, size_t len)
{
    const char *end = memmem(bytes, len, "\r\n\r\n", 4);
    size_t total;

    if (end == NULL) {
        return 0;
    }
    total = (size_t)(end - bytes) + 4;
    total += body_length(bytes, total);
    return total <= len ? total : 0;
}

static void conn_watch(struct conn *conn, int operation, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = conn};

    if (epoll_ctl(epoll_fd, operation, conn->fd, &event) != 0) {
        die("epoll_ctl");
    }
}

static void conn_close(struct conn *conn)
{
    close(conn->fd);
    free(conn);
}

/* Queues an answer for each whole request, as many as fit. */
static void conn_take_requests(struct conn *conn)
{
    size_t at = 0;
    size_t len = 0;

    while (conn->queued < PIPELINE_MAX &&
           (len = request_length(conn->request + at, conn->len - at)) > 0) {
        conn->queue[conn->queued++] = answer_for(conn->request + at, len);
        at += len;
    }
    if (at > 0) {
        conn->len -= at;
        memmove(conn->request, conn->request + at, conn->len);
    }
}

/* Takes what was sent off the queue. */
static void conn_note_sent(struct conn *conn, size_t sent)
{
    unsigned int done = 0;

    sent += conn->sent;
    while (done < conn->queued && sent >= conn->queue[done]->len) {
        sent -= conn->queue[done++]->len;
    }
    conn->sent = sent;
    conn->queued -= done;
    memmove(conn->queue, conn->queue + done, conn->queued * sizeof(conn->queue[0]));
}

/* One write of all that is queued. False: the connection is gone. */
static bool conn_write(struct conn *conn)
{
    struct iovec parts[PIPELINE_MAX];
    ssize_t sent;

    for (unsigned int i = 0; i < conn->queued; i++) {
        size_t skip = i == 0 ? conn->sent : 0;

        parts[i].iov_base = conn->queue[i]->bytes + skip;
        parts[i].iov_len = conn->queue[i]->len - skip;
    }
    sent = conn->queued == 1 ? write(conn->fd, parts[0].iov_base, parts[0].iov_len)
                             : writev(conn->fd, parts, (int)conn->queued);
    if (sent < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    conn_note_sent(conn, (size_t)sent);
    return true;
}

/* Answers what has arrived until nothing whole is left or the peer does not take more. */
static void conn_answer(struct conn *conn)
{
    bool wait;

    for (conn_take_requests(conn); conn->queued > 0; conn_take_requests(conn)) {
        unsigned int before = conn->queued;

        if (!conn_write(conn)) {
            conn_close(conn);
            return;
        }
        if (conn->queued == before) {
            break;
        }
    }
    wait = conn->queued > 0;
    if (wait != conn->waits_to_write) {
        conn->waits_to_write = wait;
        conn_watch(conn, EPOLL_CTL_MOD, wait ? EPOLLOUT : EPOLLIN);
    }
}

static void conn_ready(struct conn *conn)
{
    if (!conn->waits_to_write) {
        ssize_t got = read(conn->fd, conn->request + conn->len, sizeof(conn->request) - conn->len);

        if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (got <= 0) {
            conn_close(conn);
            return;
        }
        conn->len += (size_t)got;
    }
    conn_answer(conn);
}

static void accept_all(int listener)
{
    static const int ON = 1;
    int fd;

    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct conn *conn = malloc(sizeof(*conn));

        if (conn == NULL) {
            die("malloc");
        }
        conn->fd = fd;
        conn->waits_to_write = false;
        conn->queued = 0;
        conn->sent = 0;
        conn->len = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &ON, sizeof(ON));
        conn_watch(conn, EPOLL_CTL_ADD, EPOLLIN);
    }
}

static int listen_on(uint16_t port)
{
    static const int ON = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &ON, sizeof(ON)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 4096) != 0) {
        die("listen");
    }
    return fd;
}

static void serve(int listener)
{
    struct epoll_event events[EVENTS_MAX];
    struct epoll_event accepting = {.events = EPOLLIN, .data.ptr = NULL};

    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &accepting) != 0) {
        die("epoll");
    }
    for (;;) {
        int count = epoll_wait(epoll_fd, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                accept_all(listener);
            } else {
                conn_ready(events[i].data.ptr);
            }
        }
    }
}

int main(int argc, char **argv)
{
    unsigned long port = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;

    if (argc < 4 || argc % 2 != 0 || argc / 2 - 1 > ANSWERS_MAX || port == 0 || port > UINT16_MAX) {
        fprintf(stderr, "use: bare PORT START FILE [START FILE ...]\n");
        return 2;
    }
    for (int i = 2; i < argc; i += 2) {
        answer_load(&answers[answer_count++], argv[i], argv[i + 1]);
    }
    serve(listen_on((uint16_t)port));
}
