// SPDX-License-Identifier: MIT
#include "cli/client.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#define HEAD_MOST     4096
#define ANSWER_MOST   (4 * 1024 * 1024)
#define PIECE         16384
#define LIMIT_SECONDS 60

static bool client_send_all(int fd, struct slice left)
{
    while (left.len > 0) {
        const ssize_t n = send(fd, left.ptr, left.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        left.ptr += n;
        left.len -= (size_t)n;
    }
    return true;
}

bool client_send(int fd, const char *host, const char *path, struct slice body)
{
    struct buffer head;
    bool good = false;

    assert(fd >= 0 && path[0] == '/');
    buffer_init(&head, HEAD_MOST);
    buffer_add_format(&head, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n",
                      body.ptr ? "POST" : "GET", path, host);
    if (body.ptr) {
        buffer_add_format(&head, "Content-Type: application/json\r\nContent-Length: %zu\r\n",
                          body.len);
    }
    buffer_add_text(&head, "\r\n");
    good = !head.failed && client_send_all(fd, buffer_slice(&head)) && client_send_all(fd, body);
    buffer_finish(&head);
    return good;
}

unsigned client_status(struct slice line)
{
    uint64_t status = 0;

    if (line.len < 13 || !slice_starts(line, SLICE("HTTP/1.")) || line.ptr[8] != ' ' ||
        line.ptr[12] != ' ' || !slice_to_u64((struct slice){line.ptr + 9, 3}, 999, &status)) {
        return 0;
    }
    return (unsigned)status;
}

/* Steps over the head; the rest is the body, which has to be as long as the head says. */
bool client_receive(int fd, struct client_answer *answer)
{
    assert(fd >= 0);
    *answer = (struct client_answer){0};
    uint64_t length = UINT64_MAX;
    const struct timeval limit = {.tv_sec = LIMIT_SECONDS};
    struct buffer *bytes = &answer->bytes;
    ssize_t n = 1;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    buffer_init(bytes, ANSWER_MOST);
    while (n != 0) {
        char *room = buffer_reserve(bytes, PIECE);
        n = room ? recv(fd, room, PIECE, 0) : -1;
        /* Stopped and continued: with a time limit the kernel does not go on itself. */
        if (n < 0 && (!room || errno != EINTR)) {
            return false;
        }
        bytes->len += n > 0 ? (size_t)n : 0;
    }
    struct slice rest = buffer_slice(bytes);
    struct slice line = slice_next(&rest, '\n');

    answer->status = client_status(line);
    bool good = answer->status != 0;
    while (good && rest.ptr) {
        line = slice_next(&rest, '\n');
        struct slice name = slice_next(&line, ':');
        if (slice_eq(name, SLICE("\r"))) {
            answer->body = rest.ptr ? rest : (struct slice){0};
            return answer->body.len == length;
        }
        if (slice_eq_nocase(name, SLICE("Content-Length")) && line.len > 0) {
            line.len--; /* the CR */
            good = slice_to_u64(slice_trim(line), ANSWER_MOST, &length);
        }
    }
    return false;
}

void client_answer_finish(struct client_answer *answer)
{
    buffer_finish(&answer->bytes);
    *answer = (struct client_answer){0};
}
