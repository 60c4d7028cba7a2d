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
#include "http/http_metrics.h"
#include "http/loop.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
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
static void finish_request(struct http_connection *c)
{
    struct request_state *state = c->request_state;
    struct http_exchange *x = &state->x;
    struct http_loop *loop = c->loop;
    const struct http_hooks *hooks = &loop->server->options.hooks;
    if (x->response.stream_close) {
        x->response.stream_close(x->response.stream_source);
    }
    loop->streams -= state->streams ? 1 : 0;
    charges_spend(c);
    x->took_us = loop->charged_us - x->started_us;
    http_metrics_answered(x);
    if (hooks->answered) {
        hooks->answered(x, state->sent);
    }
    c->in_at += state->wire_len;
    c->request_state = NULL;
    c->tail = (struct slice){NULL, 0};
    http_loop_give_request_state(loop, state);
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
    enum error moved = request_state_follow(c->request_state, c->in.data + c->in_at);
    request_state_identify(c->request_state);
    request_state_glean_origin(c->request_state,
                               (struct slice){c->in.data + c->in_at, c->in.len - c->in_at});
    c->request_state->x.response.close = true;
    error = moved ? moved : error;
    if (error == ERROR_OVERLOADED) {
        dispatch_refuse_overload(&c->request_state->x, NULL);
        return;
    }
    char detail[128];
    bool told = error == ERROR_CONTENT_TOO_LARGE;
    if (told) {
        (void)snprintf(detail, sizeof detail,
                       "The body is larger than the %llu bytes that are taken here. Send less.",
                       (unsigned long long)c->request_state->body_most);
    }
    http_respond_problem(&c->request_state->x, error, told ? detail : c->request_state->why, NULL);
}

static bool begin_request(struct http_connection *c)
{
    c->request_state = http_loop_take_request_state(c->loop);
    if (!c->request_state) {
        c->gone = true;
        return false;
    }
    request_state_begin(c->request_state, c, c->loop, c->loop->now_us);
    if (!c->account) {
        charges_bill(c, request_state_payer_of(http_connection_client(c)));
    }
    return true;
}

/* RFC 9110 section 10.1.1: not when the body is on its way already. */
static void invite_body(struct http_connection *c)
{
    struct request_state *state = c->request_state;
    if (!state->head.expect_continue) {
        return;
    }
    state->head.expect_continue = false;
    if (c->in.len - c->in_at > state->head.length || !http_loop_take_buffer(c->loop, &c->out)) {
        return;
    }
    buffer_add(&c->out, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
}

enum http_verdict http_connection_receive(struct request_state *state)
{
    struct http_connection *c = state->connection;
    assert(!state->whole);
    if (c->state == CONNECTION_DEAD) {
        http_respond_problem(&state->x, ERROR_REQUEST_TIMEOUT, NULL, NULL);
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
    if (c->request_state->head.framing != HTTP_BODY_CHUNKED || c->in.len <= LOOP_BUFFER_LEN) {
        return true;
    }
    charges_weigh(c);
    return ledger_room(&c->loop->ledger, c->account, 0) == LEDGER_ROOM;
}

/* Parses what is there. True when a request was handed over: whole, or as soon as its head tells
 * whether its body is worth waiting for. */
static bool take_request(struct http_connection *c)
{
    if (!c->request_state && !begin_request(c)) {
        return false;
    }
    struct request_state *state = c->request_state;
    const bool judged = c->state == CONNECTION_RECEIVING;
    enum error error = ERROR_NONE;
    enum http_parse parse = request_feed(state, &c->in, c->in_at, &error);
    if (parse == HTTP_PARSE_FAILED) {
        refuse(c, error);
        return true;
    }
    if (parse == HTTP_PARSE_MORE && judged && !has_room_to_grow(c)) {
        refuse(c, ERROR_OVERLOADED);
        return true;
    }
    if (parse == HTTP_PARSE_MORE && (judged || !state->reading_body)) {
        return false;
    }
    state->whole = parse == HTTP_PARSE_DONE;
    c->taken++;
    hand_over(c);
    if (judged) {
        http_continue(&state->x);
    } else {
        http_dispatch(&state->x);
    }
    if (c->request_state == state && c->state == CONNECTION_HANDLING) {
        charges_spend(c);
    }
    return true;
}

/* Whether the connection can go on although the body of what was answered is not there: a short one
 * is read and dropped. Who waits for 100 may send no body at all, or may. */
static bool skip_body(struct http_connection *c, const struct request_state *state)
{
    if (state->whole) {
        return true;
    }
    const uint64_t left = state->head.content_length - state->body_len;
    if (!state->reading_body || state->head.framing != HTTP_BODY_LENGTH ||
        state->head.expect_continue || left > SKIP_MOST) {
        return false;
    }
    c->skip = (size_t)left;
    c->touched_ms = http_loop_now_ms(c->loop);
    return true;
}

static void begin_answer(struct http_connection *c, struct request_state *state)
{
    const struct http_response *response = &state->x.response;
    const bool streams = response->stream && response_has_body(state);
    state->keep_alive = state->head.keep_alive && !response->close && !c->guest &&
                        !(response->stream && state->x.request.http10) &&
                        !http_server_draining(c->loop->server) && skip_body(c, state);
    if (!http_loop_take_buffer(c->loop, &c->out) || !response_write(state, &c->out, &c->tail)) {
        c->gone = true;
    }
    if (streams) {
        state->streams = true;
        c->loop->streams++;
    }
    state->reserved = 0;
    ledger_answered(&c->loop->ledger, c->account, request_state_held(state));
    if (c->tail.len > 0 || streams) {
        move(c, CONNECTION_SENDING);
    } else {
        move(c, state->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
        finish_request(c);
    }
}

void http_connection_respond(struct request_state *state)
{
    struct http_connection *c = state->connection;
    assert(c->state == CONNECTION_HANDLING || c->state == CONNECTION_DEAD);
    c->loop->in_flight--;
    if (c->state == CONNECTION_DEAD) {
        state->x.abandoned = true;
        finish_request(c);
        c->gone = true;
    } else {
        begin_answer(c, state);
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
        if (c->state == CONNECTION_READING && c->request_state &&
            (c->guest || http_loop_is_full(c->loop))) {
            refuse(c, ERROR_OVERLOADED); /* there is no room to wait for the rest of its head */
            return true;
        }
        /* An idle connection has nothing to be told, and nothing of its client's is unread. */
        c->gone = c->loop->draining && !c->request_state;
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
    struct request_state *state = c->request_state;
    if (!http_loop_take_buffer(c->loop, &c->out)) {
        c->gone = true;
        return false;
    }
    state->stream_woken = false;
    enum http_stream_step step = response_pull(state, &c->out);
    charges_spend(c);
    switch (step) {
    case HTTP_STREAM_MORE: return true;
    case HTTP_STREAM_WAIT: state->stream_waits = !state->stream_woken; return true;
    case HTTP_STREAM_END: state->x.response.stream = NULL; return true;
    default: c->gone = true; return false;
    }
}

static bool step_sending(struct http_connection *c, unsigned *rounds)
{
    struct request_state *state = c->request_state;
    assert(state);
    if (!wire_flush(c)) {
        return false;
    }
    if (state->stream_waits && c->loop->draining && state->x.response.endless) {
        state->stream_waits = false;
        state->x.response.stream = NULL;
        state->keep_alive = false;
        c->gone = !http_loop_take_buffer(c->loop, &c->out) || !response_end_stream(state, &c->out);
        return !c->gone;
    }
    if (state->stream_waits) {
        return false;
    }
    if (!state->x.response.stream) {
        move(c, state->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
        finish_request(c);
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
    const bool idle = c->state == CONNECTION_READING && !c->request_state && !wire_has_output(c);
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
    if (c->state == CONNECTION_DEAD && c->request_state) {
        return;
    }
    if (c->state == CONNECTION_LINGERING) {
        c->loop->lingering--;
    }
    if (c->state == CONNECTION_SENDING) {
        c->request_state->x.abandoned = true;
        finish_request(c);
    } else if (c->request_state) {
        http_loop_give_request_state(c->loop, c->request_state);
        c->request_state = NULL;
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
    bool endless = c->state == CONNECTION_SENDING && c->request_state->x.response.stream &&
                   c->request_state->x.response.endless;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 || (endless && c->hangup)) {
        /* Nobody takes an answer any more. Who ends only their own direction still gets what has an
         * end; a client of what has none has left. */
        c->gone = true;
    }
    if (c->state == CONNECTION_READING && !c->request_state && c->skip == 0 &&
        !wire_has_output(c)) {
        c->touched_ms = http_loop_now_ms(c->loop);
    }
    http_connection_run(c);
}

void http_connection_expire(struct http_connection *c)
{
    bool awaited = c->state == CONNECTION_READING || c->state == CONNECTION_RECEIVING;
    if (awaited && c->request_state && !wire_has_output(c)) {
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
        c->request_state->x.response.stream_close = NULL;
        c->loop->in_flight--;
        request_state_destroy(&c->request_state);
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
