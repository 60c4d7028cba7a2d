// SPDX-License-Identifier: MIT
/* Bytes of one connection: any number of requests after each other. Whatever they are, the answers
 * are the same wherever the bytes were cut, and however slowly they are read.
 *
 * The first byte of the input chooses where to cut, the second how the client behaves; the rest are
 * the bytes. A loop of the server runs on this thread, a turn at a time, with one end of a pair of
 * sockets as its connection: once it gets all bytes at once, and once in pieces. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/loop.h"
#include "http_stream.h"

#define BODY_MOST    2048
#define BIG          20000 /* more than is copied into the connection's own output */
#define DRIPS        3     /* pieces of a stream, with a wait after each */
#define TURNS_MOST   200000
#define ANSWERS_MOST ((size_t)8 << 20)
#define FOREVER_MS   1000000000
#define CONTINUE     "HTTP/1.1 100 Continue\r\n\r\n"
#define CLOSE        "Connection: close\r\n"

/* How a client behaves. */
#define CLIENT_CUTS_FINE 1 /* a byte or two at a time */
#define CLIENT_SLOW      2 /* reads little, through a small socket */
#define CLIENT_HALF      4 /* ends its own direction after the last byte */
#define CLIENT_LATER     8 /* what waits for a worker waits until nothing else happens */

struct client {
    struct slice bytes;
    size_t sent;
    unsigned how;
    uint32_t seed; /* 0: all bytes at once */
    int fd;
    bool over;
    struct buffer answers;
    size_t told;    /* bytes that the server says it answered with */
    bool cut_short; /* an answer ended the connection with the rest of a request unread */
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct http_loop *loop;
static struct client *client;
static struct http_exchange *parked; /* waits for a worker, or for its caller to be known */
static struct http_exchange *dripping;
static unsigned drips; /* given of it */
static char big[BIG];

static void must(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* ---- The routes ---- */

static void add_part(struct buffer *out, const char *name, struct slice value)
{
    buffer_add_format(out, "%s %zu ", name, value.len);
    if (value.ptr) {
        buffer_add(out, value);
    }
    buffer_add_char(out, '\n');
}

/* All that a handler can see of its request. */
static void handle_echo(struct http_exchange *x)
{
    struct buffer *out = x->response.body;
    const struct http_request *r = &x->request;
    add_part(out, "method", http_method_name(r->method));
    add_part(out, "target", r->target);
    add_part(out, "path", r->path);
    add_part(out, "query", r->query);
    for (unsigned i = 0; i < HTTP_PATH_PARAMETERS; i++) {
        add_part(out, "parameter", r->parameters[i]);
    }
    for (enum http_field field = 0; field < HTTP_FIELD_COUNT; field++) {
        if (r->fields[field].count > 0) {
            add_part(out, http_field_name(field).ptr, r->fields[field].value);
        }
    }
    add_part(out, r->http10 ? "body10" : "body", r->body);
    must(r->body.len <= BODY_MOST && r->client.len > 0 && r->id.len > 0);
    http_respond_body(x, 200, "text/plain");
}

static void handle_big(struct http_exchange *x)
{
    x->response.fixed = (struct slice){big, sizeof big};
    http_respond_body(x, 200, "text/plain");
}

static void handle_nothing(struct http_exchange *x)
{
    http_respond_status(x, 204);
}

static enum http_stream_step give_drip(void *source, struct buffer *out)
{
    (void)source;
    if (drips % 2 == 1) {
        drips++;
        return HTTP_STREAM_WAIT;
    }
    if (drips >= 2 * DRIPS) {
        return HTTP_STREAM_END;
    }
    buffer_add(out, (struct slice){big, 10 + drips * 3000});
    drips++;
    return HTTP_STREAM_MORE;
}

static void stop_dripping(void *source)
{
    (void)source;
    dripping = NULL;
}

static void handle_drips(struct http_exchange *x)
{
    must(!dripping);
    dripping = x;
    drips = 0;
    x->response.stream_close = stop_dripping;
    x->response.stream = give_drip;
    http_respond_body(x, 200, "text/plain");
}

static void park(struct http_exchange *x)
{
    must(!parked);
    parked = x;
}

static enum http_verdict authorize(struct http_exchange *x)
{
    const struct slice given = x->request.fields[HTTP_FIELD_AUTHORIZATION].value;
    if (slice_eq(given, SLICE("Bearer no"))) {
        http_respond_status(x, 401);
        return HTTP_ANSWERED;
    }
    if (slice_eq(given, SLICE("Bearer yes"))) {
        return HTTP_GO;
    }
    park(x);
    return HTTP_LATER;
}

/* The worker is done. */
static void release(void)
{
    struct http_exchange *x = parked;
    parked = NULL;
    if (x->route->access == HTTP_ACCESS_TOKEN && !x->caller) {
        x->caller = x;
        http_continue(x);
    } else {
        handle_echo(x);
    }
}

/* clang-format off */
static const struct http_route routes[] = {
    {.method = HTTP_GET, .path = "/echo", .handler = handle_echo, .produces = "text/plain",
     .access = HTTP_ACCESS_PUBLIC, .query = true},
    {.method = HTTP_POST, .path = "/echo", .handler = handle_echo, .access = HTTP_ACCESS_PUBLIC,
     .consumes = HTTP_CONSUMES_JSON, .query_ignored = true},
    {.method = HTTP_PATCH, .path = "/echo/{id}", .handler = handle_echo, .body_most = 100,
     .access = HTTP_ACCESS_PUBLIC, .consumes = HTTP_CONSUMES_JSON | HTTP_CONSUMES_MERGE_PATCH},
    {.method = HTTP_DELETE, .path = "/echo/{name}", .handler = handle_nothing, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/big", .handler = handle_big, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_GET, .path = "/drips", .handler = handle_drips, .access = HTTP_ACCESS_PUBLIC},
    {.method = HTTP_POST, .path = "/later", .handler = park, .access = HTTP_ACCESS_PUBLIC,
     .consumes = HTTP_CONSUMES_JSON},
    {.method = HTTP_GET, .path = "/token", .handler = handle_echo, .produces = "text/plain"},
    {.method = HTTP_PUT, .path = "/token", .handler = handle_echo, .consumes = HTTP_CONSUMES_JSON},
    {.method = HTTP_GET, .path = "/health", .handler = handle_nothing, .always = true,
     .access = HTTP_ACCESS_PUBLIC, .query_ignored = true},
};
/* clang-format on */

static void note_answer(struct http_exchange *x, size_t bytes)
{
    const struct request_state *state = REQUEST_STATE_OF(x);
    client->told += bytes;
    client->cut_short =
        client->cut_short || (state->reading_body && !state->whole && !state->keep_alive);
    parked = parked == x ? NULL : parked;
}

/* ---- The loop ---- */

static void end_turn(void *context)
{
    (void)context;
    loop->ended = true;
}

static void *start_loop(void *owner, struct http_loop *started)
{
    (void)started;
    return owner;
}

/* One turn, if there is anything to be done in it. */
static bool turn(void)
{
    struct pollfd ready = {.fd = loop->epoll, .events = POLLIN};
    if (ready_count(loop) == 0 && poll(&ready, 1, 0) != 1) {
        return false;
    }
    loop->ended = false;
    loop->overload = (struct overload){0}; /* how busy this machine is must not matter */
    http_loop_run(loop);
    return true;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static int owner;
    const char *why = "";
    struct listener none = {.count = 0};
    const struct http_server_options options = {
        .host = "127.0.0.1",
        .threads = 1,
        .body_most = BODY_MOST,
        .routes = routes,
        .route_count = sizeof routes / sizeof routes[0],
        .hooks = {.owner = &owner,
                  .loop_start = start_loop,
                  .turn_end = end_turn,
                  .authorize = authorize,
                  .answered = note_answer},
        .header_ms = FOREVER_MS,
        .request_ms = FOREVER_MS,
        .idle_ms = FOREVER_MS,
        .write_ms = FOREVER_MS,
    };
    struct http_server *server = http_server_create(&options, &why);
    must(server != NULL);
    loop = http_loop_create(server, 0, &none);
    must(loop != NULL);
    memset(big, 'b', sizeof big);
    (void)http_loop_stamp(loop);
    loop->stamp_until_ms = INT64_MAX; /* one Date for all answers */
    return 0;
}

/* ---- A client ---- */

static size_t next_piece(struct client *c)
{
    const size_t left = c->bytes.len - c->sent;
    if (c->seed == 0) {
        return left;
    }
    c->seed = c->seed * 1664525 + 1013904223;
    const size_t most = c->how & CLIENT_CUTS_FINE ? 2 : (c->seed >> 28) % 4 == 0 ? 1200 : 40;
    const size_t piece = 1 + (c->seed >> 12) % most;
    return piece < left ? piece : left;
}

/* Sends the next piece, then ends its direction if it is one that does. */
static bool send_piece(struct client *c)
{
    if (c->sent == c->bytes.len || c->over) {
        return false;
    }
    const ssize_t sent =
        send(c->fd, c->bytes.ptr + c->sent, next_piece(c), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
        c->over = c->over || errno == EPIPE;
        return false;
    }
    c->sent += (size_t)sent;
    if (c->sent == c->bytes.len && (c->how & CLIENT_HALF)) {
        (void)shutdown(c->fd, SHUT_WR);
    }
    return true;
}

static bool take_answers(struct client *c)
{
    char text[16384];
    const size_t most = (c->how & CLIENT_SLOW) && c->seed != 0 ? 700 : sizeof text;
    const ssize_t got = c->over ? -1 : recv(c->fd, text, most, MSG_DONTWAIT);
    if (got > 0) {
        buffer_add(&c->answers, (struct slice){text, (size_t)got});
        must(!c->answers.failed);
        return true;
    }
    if (got == 0) {
        c->over = true; /* the server has said its last word */
        return true;
    }
    return false;
}

/* What happens when nobody has anything else to do. */
static bool go_on_later(void)
{
    if (parked) {
        release();
        return true;
    }
    if (dripping && REQUEST_STATE_OF(dripping)->stream_waits) {
        http_stream_ready(dripping);
        return true;
    }
    return false;
}

static void talk(struct client *c)
{
    unsigned turns = 0;
    bool busy = true;
    while (busy) {
        must(turns++ < TURNS_MOST);
        busy = turn();
        busy = take_answers(c) || busy;
        if (!(c->how & CLIENT_LATER)) {
            busy = go_on_later() || busy;
        }
        /* A piece goes out when the one before was read. */
        busy = busy || send_piece(c) || go_on_later();
    }
}

static void run_client(struct client *c, struct slice bytes, unsigned how, uint32_t seed)
{
    static const struct in6_addr address = {{{[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}}};
    int ends[2];
    const int small = 4096;
    *c = (struct client){.bytes = bytes, .how = how, .seed = seed};
    client = c;
    buffer_init(&c->answers, ANSWERS_MOST);
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    c->fd = ends[1];
    if (how & CLIENT_SLOW) {
        (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    }
    loop->listening = true;
    must(http_connection_open(loop, ends[0], &address) != NULL);
    talk(c);
    close(c->fd);
    while (turn() || go_on_later()) {
    }
    must(loop->connection_count == 0 && loop->in_flight == 0 && loop->streams == 0);
    must(!parked && !dripping && loop->lingering == 0 && loop->ledger.held == 0);
}

/* ---- The judgement ---- */

/* What the server says it sent is what came, besides the interim answers. */
static void check_sum(const struct client *c)
{
    const size_t interim = sizeof CONTINUE - 1;
    must(c->answers.len >= c->told && (c->answers.len - c->told) % interim == 0);
    must(c->answers.len - c->told <= c->bytes.len * interim);
}

/* Takes out what may differ: interim answers, how a connection goes on, and ids that were made. */
static void normalise(struct client *c)
{
    static const struct slice gone[] = {{CONTINUE, sizeof CONTINUE - 1}, {CLOSE, sizeof CLOSE - 1}};
    struct buffer *answers = &c->answers;
    for (unsigned i = 0; i < 2; i++) {
        size_t from = 0;
        char *found;
        while (from < answers->len && (found = memmem(answers->data + from, answers->len - from,
                                                      gone[i].ptr, gone[i].len))) {
            const size_t at = (size_t)(found - answers->data);
            const size_t end = at + gone[i].len;
            memmove(found, answers->data + end, answers->len - end);
            answers->len -= gone[i].len;
            from = at;
        }
    }
    http_stream_mask_ids(answers, c->bytes);
}

/* One run may have ended sooner than the other only where it left a body unread. */
static void compare(const struct client *whole, const struct client *cut)
{
    const size_t least =
        whole->answers.len < cut->answers.len ? whole->answers.len : cut->answers.len;
    const struct client *shorter = whole->answers.len == least ? whole : cut;
    const bool same = least == 0 || memcmp(whole->answers.data, cut->answers.data, least) == 0;
    if (!same || (whole->answers.len != cut->answers.len && !shorter->cut_short)) {
        fprintf(stderr, "---- at once:\n%.*s\n---- in pieces:\n%.*s\n", (int)whole->answers.len,
                whole->answers.data, (int)cut->answers.len, cut->answers.data);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client whole;
    struct client cut;
    if (size < 3) {
        return 0;
    }
    const struct slice bytes = {(const char *)data + 2, size - 2};
    run_client(&whole, bytes, data[1], 0);
    check_sum(&whole);
    normalise(&whole);
    run_client(&cut, bytes, data[1], data[0] + 1U);
    check_sum(&cut);
    normalise(&cut);
    compare(&whole, &cut);
    buffer_finish(&whole.answers);
    buffer_finish(&cut.answers);
    return 0;
}
