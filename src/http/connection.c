#include "http/connection.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "http/dispatch.h"
#include "http/loop.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/traffic.h"
#include "http/wire.h"

#define OUT_MOST       ((size_t)64 * 1024) /* pipelined responses that pile up before a write */
#define ROUNDS_MOST    4                   /* reads in one run; then the others have their turn */
#define REQUESTS_MOST  32                  /* of one connection in one turn of its loop */
#define LINGER_MS      2000                /* without a byte */
#define LINGER_ALL_MS  15000
#define LINGERING_MOST 1024 /* connections of a loop; more end at once */
/* A body that comes at least this fast may take longer than the limit for a request. */
#define BODY_BYTES_PER_MS 32

static void move(struct http_connection *c, enum connection_state state)
{
#define TO(name) (1U << CONNECTION_##name)
    static const uint8_t allowed[CONNECTION_STATE_COUNT] = {
        [CONNECTION_READING] = TO(HANDLING) | TO(CLOSING),
        [CONNECTION_HANDLING] = TO(READING) | TO(SENDING) | TO(CLOSING) | TO(DEAD),
        [CONNECTION_SENDING] = TO(READING) | TO(CLOSING),
        [CONNECTION_CLOSING] = TO(LINGERING),
    };
#undef TO
    assert(allowed[c->state] & 1U << state);
    c->state = (uint8_t)state;
}

struct slice http_connection_client(const struct http_connection *c)
{
    return (struct slice){c->client, c->client_len};
}

/* ---- The exchange ---- */

/* Ends the exchange that was dispatched, however it went. */
static void finish_exchange(struct http_connection *c)
{
    struct exchange *exchange = c->exchange;
    struct http_exchange *x = &exchange->x;
    struct http_loop *loop = c->loop;
    const struct http_hooks *hooks = &loop->server->options.hooks;
    if (x->response.stream_close) {
        x->response.stream_close(x->response.stream_source);
    }
    x->took_us = clock_mono_us() - x->started_us;
    traffic_answered(x);
    if (hooks->answered) {
        hooks->answered(x, exchange->sent);
    }
    c->in_at += exchange->wire_len;
    c->exchange = NULL;
    c->tail = (struct slice){NULL, 0};
    loop->in_flight -= exchange->streams ? 0 : 1;
    loop->streams -= exchange->streams ? 1 : 0;
    http_loop_give_exchange(loop, exchange);
}

static void hand_over(struct http_connection *c)
{
    c->asked = true;
    move(c, CONNECTION_HANDLING);
    c->loop->in_flight++;
}

/* Answers what is no proper request, and ends the connection behind it. */
static void refuse(struct http_connection *c, enum error error)
{
    hand_over(c);
    enum error moved = exchange_follow(c->exchange, c->in.data + c->in_at);
    exchange_identify(c->exchange);
    exchange_glean_origin(c->exchange, (struct slice){c->in.data + c->in_at, c->in.len - c->in_at});
    c->exchange->x.response.close = true;
    error = moved ? moved : error;
    if (error == ERROR_OVERLOADED) {
        dispatch_refuse_overload(&c->exchange->x);
        return;
    }
    char detail[128];
    bool told = error == ERROR_CONTENT_TOO_LARGE;
    if (told) {
        (void)snprintf(detail, sizeof detail,
                       "The body is larger than the %llu bytes that are "
                       "taken here.",
                       (unsigned long long)c->exchange->body_most);
    }
    http_respond_problem(&c->exchange->x, error, told ? detail : NULL, NULL);
}

static bool begin_exchange(struct http_connection *c)
{
    c->exchange = http_loop_take_exchange(c->loop);
    if (!c->exchange) {
        c->gone = true;
        return false;
    }
    exchange_begin(c->exchange, c, c->loop, c->loop->now_us);
    return true;
}

/* RFC 9110 section 10.1.1: not when the body is on its way already. */
static void invite_body(struct http_connection *c)
{
    struct exchange *exchange = c->exchange;
    if (!exchange->reading_body || !exchange->head.expect_continue) {
        return;
    }
    exchange->head.expect_continue = false;
    if (c->in.len - c->in_at > exchange->head.length || !http_loop_take_buffer(c->loop, &c->out)) {
        return;
    }
    buffer_add(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

/* Parses what is there. True when a request was handed over. */
static bool take_request(struct http_connection *c)
{
    if (!c->exchange && !begin_exchange(c)) {
        return false;
    }
    enum error error = ERROR_NONE;
    switch (request_feed(c->exchange, &c->in, c->in_at, &error)) {
    case HTTP_PARSE_MORE: invite_body(c); return false;
    case HTTP_PARSE_DONE:
        c->taken++;
        hand_over(c);
        http_dispatch(&c->exchange->x);
        return true;
    default: refuse(c, error); return true;
    }
}

void http_connection_respond(struct exchange *exchange)
{
    struct http_connection *c = exchange->connection;
    const struct http_response *response = &exchange->x.response;
    if (c->state == CONNECTION_DEAD) {
        exchange->x.abandoned = true;
        finish_exchange(c);
        c->gone = true;
    } else {
        bool ends = response->stream && exchange->x.request.http10;
        exchange->keep_alive = exchange->head.keep_alive && !response->close && !ends &&
                               !http_server_draining(c->loop->server) && !c->guest;
        if (!http_loop_take_buffer(c->loop, &c->out) ||
            !response_write(exchange, &c->out, &c->tail)) {
            c->gone = true;
        }
        if (c->tail.len > 0 || (response->stream && response_has_body(exchange))) {
            move(c, CONNECTION_SENDING);
            if (response->stream) {
                exchange->streams = true;
                c->loop->streams++;
                c->loop->in_flight--;
            }
        } else {
            move(c, exchange->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
            finish_exchange(c);
        }
    }
    if (!c->running) {
        http_loop_queue(c->loop, c);
    }
}

/* ---- The steps: each returns true when the next step can be taken at once ---- */

/* Whether the connection has had its share of this turn. */
static bool has_had_turn(struct http_connection *c)
{
    if (c->turn != c->loop->turn) {
        c->turn = c->loop->turn;
        c->taken = 0;
    }
    return c->taken >= REQUESTS_MOST;
}

static bool step_reading(struct http_connection *c, unsigned *rounds)
{
    if (c->out.len - c->out_at > OUT_MOST && !wire_flush(c)) {
        return false;
    }
    if (wire_has_input(c) && has_had_turn(c)) {
        if (wire_flush(c)) {
            http_loop_queue(c->loop, c);
        }
        return false;
    }
    if (wire_has_input(c) && take_request(c)) {
        return true;
    }
    if (c->gone || !wire_flush(c)) {
        return false;
    }
    if (!c->readable && c->guest && c->exchange) {
        refuse(c, ERROR_OVERLOADED); /* there is no room to wait for the rest */
        return true;
    }
    if (!c->readable) {
        /* An idle connection has nothing to be told, and nothing of its client's is unread. */
        c->gone = c->loop->draining && !c->exchange;
        return false;
    }
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    return wire_fill(c);
}

static bool pull(struct http_connection *c)
{
    struct exchange *exchange = c->exchange;
    if (!http_loop_take_buffer(c->loop, &c->out)) {
        c->gone = true;
        return false;
    }
    exchange->stream_woken = false;
    switch (response_pull(exchange, &c->out)) {
    case HTTP_STREAM_MORE: return true;
    case HTTP_STREAM_WAIT: exchange->stream_waits = !exchange->stream_woken; return true;
    case HTTP_STREAM_END: exchange->x.response.stream = NULL; return true;
    default: c->gone = true; return false;
    }
}

static bool step_sending(struct http_connection *c, unsigned *rounds)
{
    struct exchange *exchange = c->exchange;
    if (!wire_flush(c)) {
        return false;
    }
    if (exchange->stream_waits && c->loop->draining && exchange->x.response.endless) {
        exchange->stream_waits = false;
        exchange->x.response.stream = NULL;
        exchange->keep_alive = false;
        c->gone =
            !http_loop_take_buffer(c->loop, &c->out) || !response_end_stream(exchange, &c->out);
        return !c->gone;
    }
    if (exchange->stream_waits) {
        return false;
    }
    if (!exchange->x.response.stream) {
        move(c, exchange->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
        finish_exchange(c);
        return true;
    }
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    return pull(c);
}

static bool step_closing(struct http_connection *c)
{
    if (!wire_flush(c)) {
        return false;
    }
    if (shutdown(c->fd, SHUT_WR) != 0 || c->loop->lingering >= LINGERING_MOST) {
        c->gone = true;
        return false;
    }
    move(c, CONNECTION_LINGERING);
    c->loop->lingering++;
    c->touched_ms = http_loop_now_ms(c->loop);
    c->linger_until_ms = c->touched_ms + LINGER_ALL_MS;
    c->in_at = c->in.len;
    return true;
}

static bool step_lingering(struct http_connection *c, unsigned *rounds)
{
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    return wire_drop(c);
}

static bool step(struct http_connection *c, unsigned *rounds)
{
    switch (c->state) {
    case CONNECTION_READING: return step_reading(c, rounds);
    case CONNECTION_HANDLING:
        (void)wire_flush(c); /* what was answered before must not wait for this one */
        return false;
    case CONNECTION_SENDING: return step_sending(c, rounds);
    case CONNECTION_CLOSING: return step_closing(c);
    case CONNECTION_LINGERING: return step_lingering(c, rounds);
    default: return false;
    }
}

/* ---- Between the runs ---- */

static int64_t reading_deadline(const struct http_connection *c)
{
    const struct http_server_options *options = &c->loop->server->options;
    const struct exchange *exchange = c->exchange;
    if (!exchange) {
        /* A proxy may connect ahead of its time; anybody else has something to ask. */
        const bool owes = !c->asked && !c->trusted && options->header_ms < options->idle_ms;
        return c->touched_ms + (owes ? options->header_ms : options->idle_ms);
    }
    int64_t started_ms = exchange->x.started_us / 1000;
    if (!exchange->reading_body) {
        return started_ms + options->header_ms;
    }
    return started_ms + options->request_ms + (int64_t)(exchange->body_len / BODY_BYTES_PER_MS);
}

static int64_t lingering_deadline(const struct http_connection *c)
{
    const int64_t quiet_ms = c->touched_ms + LINGER_MS;
    return quiet_ms < c->linger_until_ms ? quiet_ms : c->linger_until_ms;
}

static int64_t deadline(const struct http_connection *c)
{
    if (wire_has_output(c)) {
        return c->touched_ms + c->loop->server->options.write_ms;
    }
    switch (c->state) {
    case CONNECTION_READING: return reading_deadline(c);
    case CONNECTION_LINGERING: return lingering_deadline(c);
    default: return TIMERS_NEVER;
    }
}

/* Gives back what an idle connection does not need, and sets its deadline. */
static void settle(struct http_connection *c)
{
    wire_pack(c);
    const bool idle = c->state == CONNECTION_READING && !c->exchange && !wire_has_output(c);
    if (idle || c->state == CONNECTION_LINGERING) {
        http_loop_idle(c->loop, c);
    }
    timers_set(&c->loop->timers, &c->timer, deadline(c));
}

/* For who debugs. */
static void log_peer(const struct http_connection *c, const char *event)
{
    if (log_on(LOG_DEBUG)) {
        log_write(LOG_DEBUG, event,
                  LOG_FIELDS(LOG_T("peer", http_connection_client(c)),
                             LOG_N("loop", c->loop->number), LOG_N("fd", c->fd)));
    }
}

static void close_socket(struct http_connection *c)
{
    if (c->fd >= 0) {
        log_peer(c, "connection_closed");
        close(c->fd);
        c->fd = -1;
    }
    timers_set(&c->loop->timers, &c->timer, TIMERS_NEVER);
    http_loop_give_buffer(c->loop, &c->out);
    c->out_at = 0;
    c->tail = (struct slice){NULL, 0};
}

/* The connection is over. A handler that still works for it keeps it until it answers. */
static void release(struct http_connection *c)
{
    close_socket(c);
    c->gone = false;
    if (c->state == CONNECTION_HANDLING) {
        move(c, CONNECTION_DEAD);
    }
    if (c->state == CONNECTION_DEAD && c->exchange) {
        return;
    }
    if (c->state == CONNECTION_LINGERING) {
        c->loop->lingering--;
    }
    if (c->state == CONNECTION_SENDING) {
        c->exchange->x.abandoned = true;
        finish_exchange(c);
    } else if (c->exchange) {
        http_loop_give_exchange(c->loop, c->exchange);
        c->exchange = NULL;
    }
    http_loop_give_buffer(c->loop, &c->in);
    http_loop_forget(c->loop, c);
}

void http_connection_run(struct http_connection *c)
{
    unsigned rounds = 0;
    http_loop_busy(c->loop, c);
    c->running = true;
    while (!c->gone && step(c, &rounds)) {
    }
    c->running = false;
    if (c->gone) {
        release(c);
    } else if (c->state != CONNECTION_DEAD) {
        settle(c);
    }
}

void http_connection_event(struct http_connection *c, uint32_t events)
{
    c->readable = c->readable || (events & (EPOLLIN | EPOLLRDHUP)) != 0;
    c->hangup = c->hangup || (events & EPOLLRDHUP) != 0;
    bool endless = c->state == CONNECTION_SENDING && c->exchange->x.response.stream &&
                   c->exchange->x.response.endless;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 || (endless && c->hangup)) {
        /* Nobody takes an answer any more. Who ends only their own direction still gets what has an
         * end; a client of what has none has left. */
        c->gone = true;
    }
    if (c->state == CONNECTION_READING && !c->exchange && !wire_has_output(c)) {
        c->touched_ms = http_loop_now_ms(c->loop);
    }
    http_connection_run(c);
}

void http_connection_expire(struct http_connection *c)
{
    bool late = c->state == CONNECTION_READING && c->exchange && !wire_has_output(c);
    if (late) {
        refuse(c, ERROR_REQUEST_TIMEOUT);
    } else {
        c->gone = true;
    }
    http_connection_run(c);
}

void http_connection_yield(struct http_connection *c)
{
    assert(c->previous_idle);
    release(c);
}

void http_connection_abandon(struct http_connection *c)
{
    close_socket(c);
    if (c->state == CONNECTION_HANDLING || c->state == CONNECTION_DEAD) {
        c->exchange->x.response.stream_close = NULL;
        c->loop->in_flight--;
        exchange_destroy(&c->exchange);
        c->state = CONNECTION_CLOSING;
    }
    release(c);
}

/* ---- The beginning ---- */

static void name_client(struct http_connection *c)
{
    const char *text =
        IN6_IS_ADDR_V4MAPPED(&c->address)
            ? inet_ntop(AF_INET, &c->address.s6_addr[12], c->client, sizeof c->client)
            : inet_ntop(AF_INET6, &c->address, c->client, sizeof c->client);
    c->client_len = text ? (uint8_t)strlen(text) : 0;
}

void http_connection_judge(struct http_connection *c)
{
    c->trusted = http_loop_trusts(c->loop, &c->address);
}

struct http_connection *http_connection_open(struct http_loop *loop, int fd,
                                             const struct in6_addr *address)
{
    struct http_connection *c = http_loop_take_connection(loop);
    if (!c) {
        close(fd);
        return NULL;
    }
    int on = 1;
    c->loop = loop;
    c->fd = fd;
    c->touched_ms = http_loop_now_ms(loop);
    c->address = *address;
    name_client(c);
    http_connection_judge(c);
    log_peer(c, "connection_opened");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    /* All edges at once and for good: no call to change the interest is ever needed. */
    struct epoll_event event = {
        .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
        .data.ptr = c,
    };
    if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        release(c);
        return NULL;
    }
    settle(c);
    return c;
}
