// SPDX-License-Identifier: MIT
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/settings.h"
#include "cli/cli.h"

#define LIMIT_SECONDS 3

/* Longest URL. */
#define URL_MOST 1024

/* `HTTP/1.1 200 ` */
#define STATUS_LEN 13

/* Texts ended by NUL. */
struct target {
    char host[256];
    char port[6];
    char path[URL_MOST];
};

/* One limit for names, connecting and reading alike: the first may block where no flag reaches. */
static void on_alarm(int number)
{
    static const char line[] = "taskhold: no answer within 3 seconds\n";
    const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);

    (void)number;
    (void)written;
    _exit(CLI_FAILED);
}

static bool copy(char *out, size_t size, struct slice text)
{
    if (text.len >= size) {
        return false;
    }
    if (text.len > 0) {
        memcpy(out, text.ptr, text.len);
    }
    out[text.len] = '\0';
    return true;
}

/* Nothing that could end the request line or a field. */
static bool is_visible(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

/* Parses http://HOST[:PORT][/PATH], HOST a name, an IPv4 address or an IPv6 address in brackets. */
static bool parse_url(struct slice url, struct target *target)
{
    struct slice host = {0};
    struct slice port = SLICE("80");
    struct slice path = SLICE("/readyz");
    uint64_t number = 0;

    if (!slice_starts(url, SLICE("http://")) || !is_visible(url)) {
        return false;
    }
    url = (struct slice){url.ptr + 7, url.len - 7};
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] == '/') {
            path = (struct slice){url.ptr + i, url.len - i};
            url.len = i;
        }
    }
    if (slice_starts(url, SLICE("["))) {
        url = (struct slice){url.ptr + 1, url.len - 1};
        host = slice_next(&url, ']');
        if (url.len > 0 && url.ptr[0] != ':') {
            return false;
        }
        url = url.len > 0 ? (struct slice){url.ptr + 1, url.len - 1} : (struct slice){0};
    } else {
        host = slice_next(&url, ':');
    }
    port = url.ptr ? url : port;
    return host.len > 0 && slice_to_u64(port, 65535, &number) &&
           copy(target->host, sizeof target->host, host) &&
           copy(target->port, sizeof target->port, port) &&
           copy(target->path, sizeof target->path, path);
}

/* A socket connected to the first address that takes it, or -1. */
static int connect_to(const struct target *target)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int fd = -1;

    if (getaddrinfo(target->host, target->port, &hints, &addresses) != 0) {
        return -1;
    }
    for (struct addrinfo *at = addresses; at && fd < 0; at = at->ai_next) {
        fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(addresses);
    return fd;
}

static bool send_request(int fd, const struct target *target)
{
    const bool v6 = strchr(target->host, ':') != NULL;
    struct buffer out;
    struct slice left = {0};
    bool good = false;

    buffer_init(&out, 2 * URL_MOST);
    buffer_add_format(&out, "GET %s HTTP/1.1\r\nHost: %s%s%s:%s\r\nConnection: close\r\n\r\n",
                      target->path, v6 ? "[" : "", target->host, v6 ? "]" : "", target->port);
    good = !out.failed;
    left = buffer_slice(&out);
    while (good && left.len > 0) {
        const ssize_t n = send(fd, left.ptr, left.len, MSG_NOSIGNAL);
        good = n > 0;
        left.ptr += good ? n : 0;
        left.len -= good ? (size_t)n : 0;
    }
    buffer_finish(&out);
    return good;
}

/* The status of the answer, or 0. */
static unsigned read_status(int fd)
{
    char line[STATUS_LEN];
    size_t len = 0;
    uint64_t status = 0;

    while (len < sizeof line) {
        const ssize_t n = recv(fd, line + len, sizeof line - len, 0);
        if (n <= 0) {
            return 0;
        }
        len += (size_t)n;
    }
    if (!slice_starts((struct slice){line, len}, SLICE("HTTP/1.")) || line[8] != ' ' ||
        line[12] != ' ' || !slice_to_u64((struct slice){line + 9, 3}, 999, &status)) {
        return 0;
    }
    return (unsigned)status;
}

static int report(const struct target *target, unsigned status, bool json)
{
    if (json) {
        printf("{\"ready\":%s,\"status\":", status == 200 ? "true" : "false");
        if (status != 0) {
            printf("%u}\n", status);
        } else {
            puts("null}");
        }
    } else if (status == 200) {
        printf("ready\n");
    } else if (status != 0) {
        fprintf(stderr, "taskhold: not ready: the answer was %u\n", status);
    } else {
        fprintf(stderr, "taskhold: no answer from %s port %s\n", target->host, target->port);
    }
    return status == 200 ? CLI_OK : CLI_FAILED;
}

static int check(const struct target *target, bool json)
{
    unsigned status = 0;
    int fd = -1;

    signal(SIGALRM, on_alarm);
    alarm(LIMIT_SECONDS);
    fd = connect_to(target);
    if (fd >= 0 && send_request(fd, target)) {
        status = read_status(fd);
    }
    if (fd >= 0) {
        close(fd);
    }
    return report(target, status, json);
}

/* Where the server of these settings listens, as seen from this machine. */
static int target_from_settings(const struct settings *settings, struct target *target)
{
    const char *host = settings->host;

    if (settings->port == 0) {
        fprintf(stderr, "taskhold: PORT is 0, any free port; give the URL\n");
        return CLI_CONFIGURATION;
    }
    if (strcmp(host, "0.0.0.0") == 0) {
        host = "127.0.0.1";
    } else if (strcmp(host, "::") == 0) {
        host = "::1";
    }
    if (!copy(target->host, sizeof target->host, slice_of(host))) {
        return CLI_CONFIGURATION;
    }
    (void)snprintf(target->port, sizeof target->port, "%u", (unsigned)(uint16_t)settings->port);
    (void)copy(target->path, sizeof target->path, SLICE("/readyz"));
    return CLI_OK;
}

int cli_healthcheck(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    struct settings settings = {0};
    struct target target = {0};
    char **rest = NULL;
    int rest_count = 0;
    int status = CLI_OK;

    /* With a URL, the settings of this shell are not asked: they may be another server's. */
    if (argc != 1 || argv[0][0] == '-') {
        status = settings_load(&settings, argc, argv, &rest, &rest_count);
        if (status == CLI_OK && rest_count == 0) {
            status = target_from_settings(&settings, &target);
        }
        settings_finish(&settings);
    } else {
        rest = argv;
        rest_count = 1;
    }
    if (status != CLI_OK) {
        return status;
    }
    if (rest_count > 1 || (rest_count == 1 && !parse_url(slice_of(rest[0]), &target))) {
        fprintf(stderr, "taskhold: give one URL such as http://127.0.0.1:8080/readyz\n");
        return CLI_USAGE;
    }
    return check(&target, json);
}
