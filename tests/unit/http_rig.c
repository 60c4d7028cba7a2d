// SPDX-License-Identifier: MIT
#include "http_rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/thread.h"

#ifdef FAILING
#include "failing.h"
#endif

#define PATIENCE_SECONDS 20

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct http_exchange *parked;
static struct http_exchange *dripping;
static const char *drop; /* the next piece of /drip */
static bool drop_ends;
static bool running;
static unsigned answered;
static unsigned closed;
static atomic_size_t streamed;
static char big[RIG_BIG];

/* ---- The routes ---- */

static void handle_plain(struct http_exchange *x)
{
    buffer_add(x->response.body, SLICE("hello"));
    http_respond_body(x, 200, "text/plain");
}

static void handle_echo(struct http_exchange *x)
{
    buffer_add(x->response.body, x->request.body);
    http_respond_body(x, 200, "application/json");
}

static void handle_big(struct http_exchange *x)
{
    buffer_add(x->response.body, (struct slice){big, sizeof big});
    http_respond_body(x, 200, "application/octet-stream");
}

static void handle_fixed(struct http_exchange *x)
{
    x->response.fixed = (struct slice){big, sizeof big};
    http_respond_body(x, 200, "application/octet-stream");
}

static void note(unsigned *counter)
{
    pthread_mutex_lock(&lock);
    (*counter)++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void count_close(void *source)
{
    free(source);
    note(&closed);
}

void rig_note_closed(void)
{
    note(&closed);
}

static enum http_stream_step give_big(void *source, struct buffer *out)
{
    size_t *at = source;
    size_t piece = 10000;
    if (piece > RIG_BIG - *at) {
        piece = RIG_BIG - *at;
    }
    buffer_add(out, (struct slice){big + *at, piece});
    *at += piece;
    atomic_store(&streamed, *at);
    return *at == RIG_BIG ? HTTP_STREAM_END : HTTP_STREAM_MORE;
}

static void handle_stream(struct http_exchange *x)
{
    x->response.stream_source = calloc(1, sizeof(size_t));
    x->response.stream_close = count_close;
    x->response.stream = give_big;
    http_respond_body(x, 200, "application/octet-stream");
}

static enum http_stream_step give_drop(void *source, struct buffer *out)
{
    (void)source;
    enum http_stream_step step = HTTP_STREAM_WAIT;
    pthread_mutex_lock(&lock);
    if (drop) {
        buffer_add_text(out, drop);
        drop = NULL;
        step = HTTP_STREAM_MORE;
    } else if (drop_ends) {
        step = HTTP_STREAM_END;
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return step;
}

static void stop_dripping(void *source)
{
    pthread_mutex_lock(&lock);
    dripping = NULL;
    pthread_mutex_unlock(&lock);
    count_close(source);
}

static void handle_drip(struct http_exchange *x)
{
    pthread_mutex_lock(&lock);
    dripping = x;
    drop = NULL;
    drop_ends = false;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    x->response.stream_close = stop_dripping;
    x->response.stream = give_drop;
    http_respond_body(x, 200, "text/plain");
}

static void handle_broken(struct http_exchange *x)
{
    http_respond_field(x, "X-Split", SLICE("a\r\nSet-Cookie: b"));
    buffer_add(x->response.body, SLICE("secret"));
    http_respond_body(x, 200, "text/plain");
}

static void handle_client(struct http_exchange *x)
{
    buffer_add(x->response.body, x->request.client);
    http_respond_body(x, 200, "text/plain");
}

static void park(struct http_exchange *x)
{
    pthread_mutex_lock(&lock);
    parked = x;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static enum http_verdict authorize(struct http_exchange *x)
{
    park(x);
    return HTTP_LATER;
}

static enum http_verdict quota(struct http_exchange *x)
{
    http_respond_field(x, "X-Quota", SLICE("taken"));
    return HTTP_GO;
}

static void count_answer(struct http_exchange *x, size_t bytes)
{
    (void)x;
    (void)bytes;
    note(&answered);
}

static const struct http_route routes[] = {
    {.method = HTTP_GET,
     .path = "/plain",
     .handler = handle_plain,
     .produces = "text/plain",
     .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_POST,
     .path = "/echo",
     .handler = handle_echo,
     .access = HTTP_ACCESS_PUBLIC,
     .produces = "application/json",
     .consumes = HTTP_CONSUMES_JSON},
    {.method = HTTP_PATCH,
     .path = "/echo",
     .handler = handle_echo,
     .access = HTTP_ACCESS_PUBLIC,
     .consumes = HTTP_CONSUMES_JSON | HTTP_CONSUMES_MERGE_PATCH,
     .body_most = 100},
    {.method = HTTP_GET, .path = "/big", .handler = handle_big, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/fixed", .handler = handle_fixed, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/stream", .handler = handle_stream, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/drip", .handler = handle_drip, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET,
     .path = "/events",
     .handler = rig_flow_begin,
     .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/broken", .handler = handle_broken, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/client", .handler = handle_client, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/later", .handler = park, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/token", .handler = handle_plain, .quota = 1},
    {.method = HTTP_POST,
     .path = "/token",
     .handler = handle_echo,
     .produces = "application/json",
     .consumes = HTTP_CONSUMES_JSON},
    {.method = HTTP_GET,
     .path = "/health",
     .handler = handle_plain,
     .always = true,
     .access = HTTP_ACCESS_PUBLIC},
};

/* ---- The server ---- */

static void note_ready(void *owner)
{
    (void)owner;
    pthread_mutex_lock(&lock);
    running = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void *run(void *argument)
{
    struct rig *rig = argument;
    rig->result = http_server_run(rig->server, note_ready, NULL);
    return NULL;
}

/* Waits on `changed` with the lock held. */
static void wait_change(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_SECONDS;
    assert_int_equal(pthread_cond_timedwait(&changed, &lock, &until), 0);
}

void rig_start(struct rig *rig, const struct http_server_options *given)
{
    const char *why = "";
    struct http_server_options options = given ? *given : (struct http_server_options){0};
    options.host = "127.0.0.1";
    options.threads = options.threads ? options.threads : 1;
    options.body_most = options.body_most ? options.body_most : 8192;
    options.routes = routes;
    options.route_count = sizeof routes / sizeof routes[0];
    options.hooks = (struct http_hooks){
        .authorize = authorize,
        .quota = quota,
        .answered = count_answer,
    };
    for (size_t i = 0; i < sizeof big; i++) {
        big[i] = (char)('a' + i % 23);
    }
    answered = closed = 0;
    parked = NULL;
    running = false;
    rig_flow_reset();
    rig->server = http_server_create(&options, &why);
#ifdef FAILING
    if (!rig->server && *why == '\0')
        failing_wrong("a start that failed does not say why");
#endif
    assert_string_equal(rig->server ? "" : why, "");
    rig->port = http_server_port(rig->server);
    assert_int_equal(pthread_create(&rig->thread, NULL, run, rig), 0);
    pthread_mutex_lock(&lock);
    while (!running) {
        wait_change();
    }
    pthread_mutex_unlock(&lock);
}

void rig_stop(struct rig *rig)
{
    http_server_stop(rig->server);
    assert_true(http_server_draining(rig->server));
    assert_int_equal(pthread_join(rig->thread, NULL), 0);
    assert_int_equal(rig->result, 0);
    http_server_destroy(&rig->server);
}

void rig_wait_parked(void)
{
    pthread_mutex_lock(&lock);
    while (!parked) {
        wait_change();
    }
    pthread_mutex_unlock(&lock);
}

static void let_go(struct inbox_message *message)
{
    free(message);
    pthread_mutex_lock(&lock);
    struct http_exchange *x = parked;
    parked = NULL;
    pthread_mutex_unlock(&lock);
    if (x->route->access == HTTP_ACCESS_TOKEN) {
        http_continue(x);
    } else {
        buffer_add(x->response.body, SLICE("late"));
        http_respond_body(x, 200, "text/plain");
    }
}

static void post(struct http_exchange *x, void (*run_message)(struct inbox_message *))
{
    struct inbox_message *message = calloc(1, sizeof *message);
    assert_non_null(message);
    message->run = run_message;
    inbox_post(http_loop_inbox(x->loop), message);
}

void rig_release(void)
{
    rig_wait_parked();
    post(parked, let_go);
}

static void wake_drip(struct inbox_message *message)
{
    free(message);
    if (dripping) {
        http_stream_ready(dripping);
    }
}

void rig_drip(const char *piece)
{
    pthread_mutex_lock(&lock);
    while (!dripping) {
        wait_change();
    }
    drop = piece;
    drop_ends = piece == NULL;
    struct http_exchange *x = dripping;
    pthread_mutex_unlock(&lock);
    post(x, wake_drip);
}

static unsigned read_counter(const unsigned *counter)
{
    pthread_mutex_lock(&lock);
    unsigned value = *counter;
    pthread_mutex_unlock(&lock);
    return value;
}

unsigned rig_answered(void)
{
    return read_counter(&answered);
}

unsigned rig_closed(void)
{
    return read_counter(&closed);
}

static void wait_counter(const unsigned *counter, unsigned count)
{
    pthread_mutex_lock(&lock);
    while (*counter < count) {
        wait_change();
    }
    pthread_mutex_unlock(&lock);
}

void rig_wait_answered(unsigned count)
{
    wait_counter(&answered, count);
}

void rig_wait_closed(unsigned count)
{
    wait_counter(&closed, count);
}

size_t rig_streamed(void)
{
    return atomic_load(&streamed);
}

/* ---- The client ---- */

int rig_socket(void)
{
    const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    return fd;
}

void rig_connect_socket(const struct rig *rig, int fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(rig->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
}

int rig_connect(const struct rig *rig)
{
    int fd = rig_socket();
    rig_connect_socket(rig, fd);
    return fd;
}

void rig_send(int fd, const char *text)
{
    struct slice rest = slice_of(text);
    while (rest.len > 0) {
        ssize_t sent = send(fd, rest.ptr, rest.len, MSG_NOSIGNAL);
        if (sent < 0) {
            assert_true(errno == EPIPE || errno == ECONNRESET);
            return;
        }
        rest.ptr += sent;
        rest.len -= (size_t)sent;
    }
}

static char read_byte(int fd)
{
    char byte = 0;
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    return byte;
}

/* Reads exactly `len` bytes of a body. */
static void read_body(int fd, struct rig_answer *answer, size_t len)
{
    char piece[16384];
    while (len > 0) {
        ssize_t got = recv(fd, piece, len < sizeof piece ? len : sizeof piece, 0);
        assert_true(got > 0);
        for (size_t i = 0; i < (size_t)got; i++) {
            size_t at = answer->body_len + i;
            if (at < sizeof answer->body - 1) {
                answer->body[at] = piece[i];
            }
            if (answer->matches == at && at < RIG_BIG && piece[i] == big[at]) {
                answer->matches++;
            }
        }
        answer->body_len += (size_t)got;
        len -= (size_t)got;
    }
}

static void read_line(int fd, char *line, size_t most)
{
    size_t len = 0;
    while (len < 2 || line[len - 1] != '\n') {
        assert_true(len < most - 1);
        line[len++] = read_byte(fd);
    }
    line[len] = '\0';
}

static void read_chunks(int fd, struct rig_answer *answer)
{
    for (;;) {
        char line[32];
        read_line(fd, line, sizeof line);
        size_t len = strtoul(line, NULL, 16);
        if (len > 0) {
            read_body(fd, answer, len);
        }
        assert_int_equal(read_byte(fd), '\r');
        assert_int_equal(read_byte(fd), '\n');
        if (len == 0) {
            return;
        }
    }
}

void rig_read(int fd, struct rig_answer *answer, bool head_only)
{
    size_t len = 0;
    memset(answer, 0, sizeof *answer);
    while (len < 4 || memcmp(answer->head + len - 4, "\r\n\r\n", 4) != 0) {
        assert_true(len < sizeof answer->head - 1);
        answer->head[len++] = read_byte(fd);
    }
    assert_memory_equal(answer->head, "HTTP/1.1 ", 9);
    answer->status = (int)strtol(answer->head + 9, NULL, 10);
    answer->closes = strstr(answer->head, "\r\nConnection: close\r\n") != NULL;
    answer->chunked = strstr(answer->head, "\r\nTransfer-Encoding: chunked\r\n") != NULL;
    const char *length = strstr(answer->head, "\r\nContent-Length: ");
    if (head_only) {
        return;
    }
    if (answer->chunked) {
        read_chunks(fd, answer);
    } else if (length) {
        read_body(fd, answer, strtoul(length + strlen("\r\nContent-Length: "), NULL, 10));
    }
}

bool rig_is_closed(int fd)
{
    char byte = 0;
    return recv(fd, &byte, 1, 0) == 0;
}

int rig_ask(const struct rig *rig, const char *text, struct rig_answer *answer)
{
    int fd = rig_connect(rig);
    rig_send(fd, text);
    rig_read(fd, answer, strncmp(text, "HEAD ", 5) == 0);
    close(fd);
    return answer->status;
}
