// SPDX-License-Identifier: MIT
/*
 * Asks at a rate that does not follow the answers: when a request is due it is sent, however many
 * are not answered yet. Each is timed from the moment it was due.
 *
 * Use: openloop PORT RATE SECONDS CONNECTIONS SEED FILE
 *
 * FILE: requests, each after a line with its length in bytes; one is drawn at random each time. A
 * RATE of 0 sends on each connection as soon as it has its answer (a closed loop). A request that
 * is due while all connections wait for answers is not sent, and counted. `good` are answers of 2xx
 * within GOOD_US.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

enum {
    CONNECTIONS_MOST = 20000,
    REQUESTS_MOST = 65536,
    EVENTS = 256,
    SCRAP = 1 << 18,
    BUCKETS = 100000, /* of a histogram: 10 µs each, the last one takes the rest */
    BUCKET_US = 10,
    GOOD_US = 1000000,
    WARM_US = 500000,   /* before anything is counted */
    AFTER_US = 2000000, /* how long answers are awaited when all is sent */
};

struct text {
    const char *bytes;
    size_t len;
};

struct connection {
    int fd;
    bool waits;
    bool in_body;
    int status;
    size_t left; /* of the body */
    int64_t due_us;
};

struct counts {
    int64_t due, unsent, good, late, aside, refused, wrong, broken;
    int64_t histogram[BUCKETS], refusals[BUCKETS];
    int64_t late_most; /* how late this program was with a send */
};

static struct connection connections[CONNECTIONS_MOST];
static struct connection *idle[CONNECTIONS_MOST];
static struct text requests[REQUESTS_MOST];
static struct counts counts;
static size_t connection_count, idle_count, request_count;
static struct sockaddr_in server;
static int64_t begin_us, end_us; /* what is due before, or answered after, is not counted */
static int poller;
static uint64_t seed;

/* xorshift64*; the numbers of a seed are the same everywhere. */
static uint64_t draw(void)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return seed * 0x2545f4914f6cdd1dU;
}

static void read_requests(const char *path)
{
    static char all[64 << 20];
    FILE *file = fopen(path, "re");
    const size_t size = file ? fread(all, 1, sizeof all, file) : 0;
    size_t at = 0;
    while (at < size && request_count < REQUESTS_MOST) {
        char *rest = NULL;
        const size_t len = strtoul(all + at, &rest, 10);
        const size_t begin = (size_t)(rest - all) + 1;
        if (len == 0 || begin + len > size)
            break;
        requests[request_count++] = (struct text){all + begin, len};
        at = begin + len;
    }
    if (request_count == 0)
        die(path);
    fclose(file);
}

static void open_one(struct connection *c)
{
    const int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    c->waits = c->in_body = false;
    c->left = 0;
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&server, sizeof server) != 0)
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) != 0)
        die("epoll_ctl");
    idle[idle_count++] = c;
}

static void ask(int64_t due_us)
{
    const bool counted = due_us >= begin_us;
    counts.due += counted;
    if (idle_count == 0) {
        counts.unsent += counted;
        return;
    }
    /* Any of them: those that always came last would be closed as idle. */
    const size_t chosen = draw() % idle_count;
    struct connection *c = idle[chosen];
    idle[chosen] = idle[--idle_count];
    const struct text *request = &requests[(draw() >> 33) % request_count];
    c->due_us = due_us;
    c->waits = true;
    if (send(c->fd, request->bytes, request->len, MSG_NOSIGNAL) != (ssize_t)request->len &&
        errno != EPIPE && errno != ECONNRESET)
        die("send");
}

static void note(struct connection *c)
{
    const int64_t took_us = now_us() - c->due_us;
    const int64_t bucket = took_us / BUCKET_US < BUCKETS ? took_us / BUCKET_US : BUCKETS - 1;
    if (now_us() >= end_us || c->due_us < begin_us) {
        counts.aside++;
    } else if (c->status / 100 == 2) {
        counts.histogram[bucket]++;
        if (took_us <= GOOD_US)
            counts.good++;
        else
            counts.late++;
    } else if (c->status == 503) {
        counts.refused++;
        counts.refusals[bucket]++;
    } else {
        counts.wrong++;
    }
    c->waits = c->in_body = false;
    idle[idle_count++] = c;
}

/* A connection that ended with a request on it was broken; else it was merely idle for too long. */
static void reopen(struct connection *c)
{
    counts.broken += c->waits;
    for (size_t i = 0; !c->waits && i < idle_count; i++) {
        if (idle[i] == c) {
            idle[i] = idle[--idle_count];
            break;
        }
    }
    close(c->fd);
    open_one(c);
}

/* The head of an answer comes in one piece. */
static void receive(struct connection *c)
{
    static char scrap[SCRAP];
    const ssize_t got = recv(c->fd, scrap, sizeof scrap - 1, MSG_DONTWAIT);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            reopen(c);
        return;
    }
    size_t there = (size_t)got;
    scrap[there] = '\0';
    if (!c->in_body) {
        const char *end = strstr(scrap, "\r\n\r\n");
        const char *length = strstr(scrap, "Content-Length: ");
        if (!end || !c->waits) {
            reopen(c);
            return;
        }
        c->status = atoi(scrap + 9);
        c->left = length && length < end ? strtoul(length + 16, NULL, 10) : 0;
        c->in_body = true;
        there -= (size_t)(end + 4 - scrap);
    }
    c->left -= there < c->left ? there : c->left;
    if (c->left == 0)
        note(c);
}

static void wait_for_answers(int64_t until_us)
{
    struct epoll_event events[EVENTS];
    const int64_t left_us = until_us > now_us() ? until_us - now_us() : 0;
    const struct timespec left = {left_us / 1000000, left_us % 1000000 * 1000};
    const int count = epoll_pwait2(poller, events, EVENTS, &left, NULL);
    for (int i = 0; i < count; i++)
        receive(events[i].data.ptr);
}

/* Poisson: the gaps of many clients that know nothing of each other. */
static double gap_us(double rate)
{
    return -log(((double)(draw() >> 11) + 1) * 0x1p-53) * 1e6 / rate;
}

static void run(double rate, int64_t from_us, int64_t until_us)
{
    double due_us = (double)from_us;
    while (now_us() < until_us) {
        int64_t next_us = until_us;
        if (rate > 0) {
            const int64_t now = now_us();
            for (; due_us <= (double)now; due_us += gap_us(rate)) {
                if (now - (int64_t)due_us > counts.late_most)
                    counts.late_most = now - (int64_t)due_us;
                ask((int64_t)due_us);
            }
            next_us = (int64_t)due_us;
        } else {
            while (idle_count > 0)
                ask(now_us());
        }
        wait_for_answers(next_us < until_us ? next_us : until_us);
    }
}

static int64_t quantile(const int64_t *histogram, double share)
{
    int64_t all = 0, sum = 0;
    for (int i = 0; i < BUCKETS; i++)
        all += histogram[i];
    for (int i = 0; i < BUCKETS; i++) {
        sum += histogram[i];
        if (all > 0 && (double)sum >= share * (double)all)
            return (int64_t)(i + 1) * BUCKET_US;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 7) {
        fprintf(stderr, "use: openloop PORT RATE SECONDS CONNECTIONS SEED FILE\n");
        return 2;
    }
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[1])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    seed = strtoull(argv[5], NULL, 10) * 2 + 1;
    read_requests(argv[6]);
    poller = epoll_create1(EPOLL_CLOEXEC);
    connection_count = strtoul(argv[4], NULL, 10);
    for (size_t i = 0; i < connection_count && i < CONNECTIONS_MOST; i++)
        open_one(&connections[i]);
    const int64_t from_us = now_us();
    const int64_t until_us = from_us + WARM_US + (int64_t)(atof(argv[3]) * 1e6);
    begin_us = from_us + WARM_US;
    end_us = until_us;
    run(atof(argv[2]), from_us, until_us);
    const int64_t took_us = now_us() - begin_us;
    while (idle_count < connection_count && now_us() < until_us + AFTER_US)
        wait_for_answers(until_us + AFTER_US);
    printf("RESULT due=%lld unsent=%lld good=%lld late=%lld aside=%lld refused=%lld wrong=%lld "
           "broken=%lld "
           "unanswered=%lld duration=%lld p50=%lld p99=%lld refused_p99=%lld late_us=%lld\n",
           (long long)counts.due, (long long)counts.unsent, (long long)counts.good,
           (long long)counts.late, (long long)counts.aside, (long long)counts.refused,
           (long long)counts.wrong, (long long)counts.broken,
           (long long)(connection_count - idle_count), (long long)took_us,
           (long long)quantile(counts.histogram, 0.5), (long long)quantile(counts.histogram, 0.99),
           (long long)quantile(counts.refusals, 0.99), (long long)counts.late_most);
    return 0;
}
