// SPDX-License-Identifier: MIT
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"

#define LIMIT_SECONDS 3

/* Longest URL. */
#define URL_MOST 1024

/* `HTTP/1.1 200 ` */
#define STATUS_LEN 13

/* Texts ended by NUL. */
struct target {
    char host[256];
    uint16_t port;
    char path[URL_MOST];
};

/* One limit for names, connecting and reading alike: the first may block where no flag reaches. */
static void on_health_alarm(int number)
{
    static const char line[] = "taskhold: no answer within 3 seconds\n";
    const ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);

    (void)number;
    (void)written;
    _exit(CLI_FAILED);
}

static bool copy_text(char *out, size_t size, struct slice text)
{
    if (text.len >= size) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* Parses http://HOST[:PORT][/PATH] (without a path that of `target` stays), HOST a name, an IPv4
 * address or an IPv6 address in brackets. */
static bool parse_url(struct slice url, struct target *target)
{
    struct slice host = {0};
    struct slice path = {0};
    uint64_t number = 0;

    if (!slice_starts(url, SLICE("http://"))) {
        return false;
    }
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] <= ' ' || url.ptr[i] > '~') {
            return false; /* it could end the request line or a field */
        }
    }
    url = slice_from(url, 7);
    for (size_t i = 0; i < url.len; i++) {
        if (url.ptr[i] == '/') {
            path = slice_from(url, i);
            url.len = i;
        }
    }
    if (slice_starts(url, SLICE("["))) {
        url = slice_from(url, 1);
        host = slice_next(&url, ']');
        if (url.len > 0 && url.ptr[0] != ':') {
            return false;
        }
        url = url.len > 0 ? slice_from(url, 1) : (struct slice){0};
    } else {
        host = slice_next(&url, ':');
    }
    if (!slice_to_u64(url.ptr ? url : SLICE("80"), UINT16_MAX, &number)) {
        return false;
    }
    target->port = (uint16_t)number;
    return host.len > 0 && copy_text(target->host, sizeof target->host, host) &&
           (path.len == 0 || copy_text(target->path, sizeof target->path, path));
}

/* A socket connected to the first address that takes it, or -1. */
static int connect_to(const struct target *target)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char port[8];
    int fd = -1;

    (void)snprintf(port, sizeof port, "%u", (unsigned)target->port);
    if (getaddrinfo(target->host, port, &hints, &addresses) != 0) {
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

/* The status of the answer, or 0. What comes after its first line is not waited for. */
static unsigned ask_health(int fd, const struct target *target)
{
    char line[STATUS_LEN];
    char authority[sizeof target->host + 16];
    size_t len = 0;

    cli_write_authority(target->host, target->port, authority, sizeof authority);
    if (!client_send(fd, authority, target->path, (struct slice){0})) {
        return 0;
    }
    while (len < sizeof line) {
        const ssize_t n = recv(fd, line + len, sizeof line - len, 0);
        if (n <= 0) {
            return 0;
        }
        len += (size_t)n;
    }
    return client_status((struct slice){line, len});
}

static int check_health(const struct target *target, bool json)
{
    unsigned status = 0;

    signal(SIGALRM, on_health_alarm);
    alarm(LIMIT_SECONDS);
    const int fd = connect_to(target);
    if (fd >= 0) {
        status = ask_health(fd, target);
        close(fd);
    }
    if (json) {
        char text[8];
        (void)snprintf(text, sizeof text, "%u", status);
        printf("{\"ready\":%s,\"status\":%s}\n", status == 200 ? "true" : "false",
               status != 0 ? text : "null");
    } else if (status == 200) {
        printf("ready\n");
    } else if (status != 0) {
        (void)complain(CLI_FAILED, "not ready: the answer was %u", status);
    } else {
        (void)complain(CLI_FAILED, "no answer from %s port %u", target->host,
                       (unsigned)target->port);
    }
    return status == 200 ? CLI_OK : CLI_FAILED;
}

int cli_healthcheck(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    struct settings settings = {0};
    struct target target = {.path = "/readyz"};
    char **rest = NULL;
    int rest_count = 0;
    int status = CLI_OK;

    /* With a URL, the settings of this shell are not asked: they may be another server's. */
    if (argc != 1 || argv[0][0] == '-') {
        status = settings_load(&settings, argc, argv, &rest, &rest_count);
        if (status == CLI_OK && rest_count == 0) {
            /* Where the server of these settings listens, as seen from this machine. */
            const struct slice host = slice_of(cli_local_host(settings.host));
            target.port = (uint16_t)settings.port;
            if (settings.port == 0) {
                status = complain(CLI_CONFIGURATION, "PORT is 0, any free port; give the URL");
            } else if (!copy_text(target.host, sizeof target.host, host)) {
                status = complain(CLI_CONFIGURATION, "HOST is too long; give the URL");
            }
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
        return complain(CLI_USAGE, "give one URL such as http://127.0.0.1:8080/readyz");
    }
    return check_health(&target, json);
}
