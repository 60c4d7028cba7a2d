// SPDX-License-Identifier: MIT
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
#include "http/charges.h"
#include "http/deadline.h"
#include "http/dispatch.h"
#include "http/loop.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/traffic.h"
#include "http/wire.h"

#define OUT_MOST      ((size_t)64 * 1024) /* pipelined responses that pile up before a write */
#define ROUNDS_MOST   4                   /* reads in one run; then the others have their turn */
#define REQUESTS_MOST 32                  /* of one connection in one turn of its loop */
#define SKIP_MOST     LOOP_BUFFER_LEN     /* of an unread body, read on rather than closed upon */
#define LINGER_ALL_MS 15000
/* What the kernel takes of an answer before it is on its way: its memory is in no ledger of ours,
 * but a container pays for it, and by default a socket may have megabytes. */
#define UNSENT_MOST    (128 * 1024)
#define LINGERING_MOST 1024 /* connections of a loop; more end at once */

static void move(struct http_connection *c, enum connection_state state)
{
#define TO(name) (1U << CONNECTION_##name)
    static const uint8_t allowed[CONNECTION_STATE_COUNT] = {
        [CONNECTION_READING] = TO(HANDLING) | TO(CLOSING),
        [CONNECTION_HANDLING] = TO(READING) | TO(RECEIVING) | TO(SENDING) | TO(CLOSING) | TO(DEAD),
        [CONNECTION_RECEIVING] = TO(HANDLING),
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

/* Ends the exchange that was answered, however it went. */
static void finish_exchange(struct http_connection *c)
{
    struct exchange *exchange = c->exchange;
    struct http_exchange *x = &exchange->x;
    struct http_loop *loop = c->loop;
    const struct http_hooks *hooks = &loop->server->options.hooks;
    if (x->response.stream_close) {
        x->response.stream_close(x->response.stream_source);
    }
    loop->streams -= exchange->streams ? 1 : 0;
    charges_spend(c);
    x->took_us = loop->charged_us - x->started_us;
    traffic_answered(x);
    if (hooks->answered) {
        hooks->answered(x, exchange->sent);
    }
    c->in_at += exchange->wire_len;
    c->exchange = NULL;
    c->tail = (struct slice){NULL, 0};
    http_loop_give_exchange(loop, exchange);
}

static void hand_over(struct http_connection *c)
{
    c->asked = true;
    move(c, CONNECTION_HANDLING);
    c->loop->in_flight++;
}

/* Answers what is no proper request, and ends the connection after it. */
static void refuse(struct http_connection *c, enum error error)
{
    hand_over(c);
    enum error moved = exchange_follow(c->exchange, c->in.data + c->in_at);
    exchange_identify(c->exchange);
    exchange_glean_origin(c->exchange, (struct slice){c->in.data + c->in_at, c->in.len - c->in_at});
    c->exchange->x.response.close = true;
    error = moved ? moved : error;
    if (error == ERROR_OVERLOADED) {
        dispatch_refuse_overload(&c->exchange->x, NULL);
        return;
    }
    char detail[128];
    bool told = error == ERROR_CONTENT_TOO_LARGE;
    if (told) {
        (void)snprintf(detail, sizeof detail,
                       "The body is larger than the %llu bytes that are taken here. Send less.",
                       (unsigned long long)c->exchange->body_most);
    }
    http_respond_problem(&c->exchange->x, error, told ? detail : c->exchange->why, NULL);
}

static bool begin_exchange(struct http_connection *c)
{
    c->exchange = http_loop_take_exchange(c->loop);
    if (!c->exchange) {
        c->gone = true;
        return false;
    }
    exchange_begin(c->exchange, c, c->loop, c->loop->now_us);
    if (!c->account) {
        charges_bill(c, exchange_payer_of(http_connection_client(c)));
    }
    return true;
}

/* RFC 9110 section 10.1.1: not when the body is on its way already. */
static void invite_body(struct http_connection *c)
{
    struct exchange *exchange = c->exchange;
    if (!exchange->head.expect_continue) {
        return;
    }
    exchange->head.expect_continue = false;
    if (c->in.len - c->in_at > exchange->head.length || !http_loop_take_buffer(c->loop, &c->out)) {
        return;
    }
    buffer_add(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

enum http_verdict http_connection_receive(struct exchange *exchange)
{
    struct http_connection *c = exchange->connection;
    assert(!exchange->whole);
    if (c->state == CONNECTION_DEAD) {
        http_respond_problem(&exchange->x, ERROR_REQUEST_TIMEOUT, NULL, NULL);
        return HTTP_ANSWERED;
    }
    move(c, CONNECTION_RECEIVING);
    c->loop->in_flight--;
    invite_body(c);
    if (!c->running) {
        http_loop_queue(c->loop, c);
    }
    return HTTP_LATER;
}

/* What a body of unknown length takes is asked for as it comes. */
static bool has_room_to_grow(struct http_connection *c)
{
    if (c->exchange->head.framing != HTTP_BODY_CHUNKED || c->in.len <= LOOP_BUFFER_LEN) {
        return true;
    }
    charges_weigh(c);
    return ledger_room(&c->loop->ledger, c->account, 0) == LEDGER_ROOM;
}

/* Parses what is there. True when a request was handed over: whole, or as soon as its head tells
 * whether its body is worth waiting for. */
static bool take_request(struct http_connection *c)
{
    if (!c->exchange && !begin_exchange(c)) {
        return false;
    }
    struct exchange *exchange = c->exchange;
    const bool judged = c->state == CONNECTION_RECEIVING;
    enum error error = ERROR_NONE;
    enum http_parse parse = request_feed(exchange, &c->in, c->in_at, &error);
    if (parse == HTTP_PARSE_FAILED) {
        refuse(c, error);
        return true;
    }
    if (parse == HTTP_PARSE_MORE && judged && !has_room_to_grow(c)) {
        refuse(c, ERROR_OVERLOADED);
        return true;
    }
    if (parse == HTTP_PARSE_MORE && (judged || !exchange->reading_body)) {
        return false;
    }
    exchange->whole = parse == HTTP_PARSE_DONE;
    c->taken++;
    hand_over(c);
    if (judged) {
        http_continue(&exchange->x);
    } else {
        http_dispatch(&exchange->x);
    }
    if (c->exchange == exchange && c->state == CONNECTION_HANDLING) {
        charges_spend(c);
    }
    return true;
}

/* Whether the connection can go on although the body of what was answered is not there: a short one
 * is read and dropped. Who waits for 100 may send no body at all, or may. */
static bool skip_body(struct http_connection *c, const struct exchange *exchange)
{
    if (exchange->whole) {
        return true;
    }
    const uint64_t left = exchange->head.content_length - exchange->body_len;
    if (!exchange->reading_body || exchange->head.framing != HTTP_BODY_LENGTH ||
        exchange->head.expect_continue || left > SKIP_MOST) {
        return false;
    }
    c->skip = (size_t)left;
    c->touched_ms = http_loop_now_ms(c->loop);
    return true;
}

static void begin_answer(struct http_connection *c, struct exchange *exchange)
{
    const struct http_response *response = &exchange->x.response;
    const bool streams = response->stream && response_has_body(exchange);
    exchange->keep_alive = exchange->head.keep_alive && !response->close && !c->guest &&
                           !(response->stream && exchange->x.request.http10) &&
                           !http_server_draining(c->loop->server) && skip_body(c, exchange);
    if (!http_loop_take_buffer(c->loop, &c->out) || !response_write(exchange, &c->out, &c->tail)) {
        c->gone = true;
    }
    if (streams) {
        exchange->streams = true;
        c->loop->streams++;
    }
    exchange->reserved = 0;
    ledger_answered(&c->loop->ledger, c->account, exchange_held(exchange));
    if (c->tail.len > 0 || streams) {
        move(c, CONNECTION_SENDING);
    } else {
        move(c, exchange->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
        finish_exchange(c);
    }
}

void http_connection_respond(struct exchange *exchange)
{
    struct http_connection *c = exchange->connection;
    assert(c->state == CONNECTION_HANDLING || c->state == CONNECTION_DEAD);
    c->loop->in_flight--;
    if (c->state == CONNECTION_DEAD) {
        exchange->x.abandoned = true;
        finish_exchange(c);
        c->gone = true;
    } else {
        begin_answer(c, exchange);
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

static void skip_input(struct http_connection *c)
{
    const size_t there = c->in.len - c->in_at;
    const size_t part = there < c->skip ? there : c->skip;
    c->in_at += part;
    c->skip -= part;
}

/* A request is awaited or parsed, or the body of one. */
static bool step_reading(struct http_connection *c, unsigned *rounds)
{
    if (c->out.len - c->out_at > OUT_MOST && !wire_flush(c)) {
        return false;
    }
    skip_input(c);
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
    if (!c->readable) {
        if (c->state == CONNECTION_READING && c->exchange &&
            (c->guest || http_loop_is_full(c->loop))) {
            refuse(c, ERROR_OVERLOADED); /* there is no room to wait for the rest of its head */
            return true;
        }
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
    enum http_stream_step step = response_pull(exchange, &c->out);
    charges_spend(c);
    switch (step) {
    case HTTP_STREAM_MORE: return true;
    case HTTP_STREAM_WAIT: exchange->stream_waits = !exchange->stream_woken; return true;
    case HTTP_STREAM_END: exchange->x.response.stream = NULL; return true;
    default: c->gone = true; return false;
    }
}

static bool step_sending(struct http_connection *c, unsigned *rounds)
{
    struct exchange *exchange = c->exchange;
    assert(exchange);
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
    case CONNECTION_READING:
    case CONNECTION_RECEIVING: return step_reading(c, rounds);
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

/* Gives back what a waiting connection does not need, and sets its deadline. */
static void settle(struct http_connection *c)
{
    wire_pack(c);
    charges_weigh(c);
    const bool idle = c->state == CONNECTION_READING && !c->exchange && !wire_has_output(c);
    if (idle || c->state == CONNECTION_LINGERING) {
        http_loop_idle(c->loop, c);
    }
    timers_set(&c->loop->timers, &c->timer, deadline_of(c));
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
    charges_weigh(c);
    ledger_close(&c->loop->ledger, c->account);
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
    if (c->state == CONNECTION_READING && !c->exchange && c->skip == 0 && !wire_has_output(c)) {
        c->touched_ms = http_loop_now_ms(c->loop);
    }
    http_connection_run(c);
}

void http_connection_expire(struct http_connection *c)
{
    bool awaited = c->state == CONNECTION_READING || c->state == CONNECTION_RECEIVING;
    if (awaited && c->exchange && !wire_has_output(c)) {
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
    const int on = 1;
    const int unsent = UNSENT_MOST;
    c->loop = loop;
    c->fd = fd;
    c->touched_ms = http_loop_now_ms(loop);
    c->address = *address;
    name_client(c);
    http_connection_judge(c);
    log_peer(c, "connection_opened");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
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
