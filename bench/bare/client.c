// SPDX-License-Identifier: MIT
/*
 * A bare client: sends one request again and again on one connection, each after the answer to the
 * one before, and does nothing else.
 *
 * Use: client PORT SECONDS FILE
 *
 * FILE is the request as it is sent. Every answer must come in one piece and begin with a status of
 * 2xx.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common.h"

enum { REQUEST_MOST = 16384, ANSWER_MOST = 65536, STATUS_AT = 9, STATUS_END = 12 };

static int open_connection(uint16_t port)
{
    const int on = 1;
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0)
        die("connect");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

static size_t read_request(const char *path, char *request)
{
    FILE *file = fopen(path, "re");
    if (!file)
        die(path);
    const size_t len = fread(request, 1, REQUEST_MOST, file);
    fclose(file);
    return len;
}

static void ask(int fd, const char *request, size_t len)
{
    char answer[ANSWER_MOST];
    if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
        die("send");
    const ssize_t got = recv(fd, answer, sizeof answer, 0);
    if (got < STATUS_END || answer[STATUS_AT] != '2') {
        fprintf(stderr, "client: answered with %.*s\n", got > 0 ? (int)got : 0, answer);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    char request[REQUEST_MOST];
    if (argc != 4) {
        fprintf(stderr, "use: client PORT SECONDS FILE\n");
        return 2;
    }
    const int fd = open_connection((uint16_t)strtol(argv[1], NULL, 10));
    const size_t len = read_request(argv[3], request);
    const int64_t from = now_us();
    const int64_t until = from + strtol(argv[2], NULL, 10) * 1000000;
    int64_t count = 0;
    for (; now_us() < until; count++)
        ask(fd, request, len);
    printf("RESULT requests=%lld duration=%lld\n", (long long)count, (long long)(now_us() - from));
    return 0;
}
