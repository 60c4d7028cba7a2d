// SPDX-License-Identifier: MIT
#include "http/connection.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/point.h"
#include "http/loop.h"
#include "http/response.h"
#include "http/stream.h"

#define OUT_MOST      ((size_t)64 * 1024) /* pipelined responses that pile up before a write */
#define ROUNDS_MOST   4                   /* reads in one run; then the others have their turn */
#define REQUESTS_MOST 32                  /* of one connection in one turn of its loop */
#define RUN_US        100                 /* after which it takes no more of them in one run */
/* What the kernel takes of an answer before it is on its way: its memory is in no ledger of ours,
 * but a container pays for it, and by default a socket may have megabytes. */
#define UNSENT_MOST    (128 * 1024)
#define LINGERING_MOST 1024 /* connections of a loop; more end at once */
#define LINGER_MS      2000 /* without a byte */
#define LINGER_ALL_MS  15000
/* A body that comes at least this fast may take longer than the limit for a request. */
#define BODY_BYTES_PER_MS 32
#define SCRAP             ((size_t)16 * 1024)
#define PACK_LEAST        ((size_t)1024)
#define PACK_MORE         ((size_t)4096) /* less to be won is not worth a copy */

void http_connection_move(struct http_connection *c, enum connection_state state)
{
#define TO(name) (1U << CONNECTION_##name)
    static const uint8_t allowed[CONNECTION_STATE_COUNT] = {
        [CONNECTION_READING] = TO(HANDLING) | TO(CLOSING),
        [CONNECTION_HANDLING] =
            TO(READING) | TO(RECEIVING) | TO(SENDING) | TO(STREAMING) | TO(CLOSING) | TO(DEAD),
        [CONNECTION_RECEIVING] = TO(HANDLING),
        [CONNECTION_SENDING] = TO(READING) | TO(CLOSING),
        [CONNECTION_STREAMING] = TO(CLOSING),
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

void http_connection_wake(struct http_connection *c)
{
    if (!c->running) {
        http_loop_queue(c->loop, c);
    }
}

/* ---- What it holds ---- */

static void weigh(struct http_connection *c)
{
    size_t bytes = c->in.capacity + c->out.capacity;
    if (c->request) {
        bytes += request_held(c->request);
        bytes = bytes > c->request->reserved ? bytes : c->request->reserved;
    }
    if (bytes != c->held) {
        ledger_change(&c->loop->ledger, c->account, c->held, bytes);
        c->held = bytes;
    }
}

void http_connection_bill(struct http_connection *c, uint64_t payer)
{
    struct ledger *ledger = &c->loop->ledger;
    if (c->account && c->account->payer == payer) {
        return;
    }
    struct account *account = ledger_open(ledger, payer);
    ledger_change(ledger, c->account, c->held, 0);
    ledger_close(c->account);
    ledger_change(ledger, account, 0, c->held);
    c->account = account;
}

enum ledger_room http_connection_room(struct http_connection *c, size_t bytes)
{
    weigh(c);
    return ledger_room(&c->loop->ledger, c->account, bytes);
}

/* ---- Its bytes ---- */

static bool has_input(const struct http_connection *c)
{
    return c->in.len > c->in_at;
}

static bool has_output(const struct http_connection *c)
{
    return c->out.len > c->out_at || c->tail.len > 0;
}

/* Writes all that is there. False: the client takes no more now (an edge will tell when it does),
 * or the connection is gone. */
static bool flush(struct http_connection *c)
{
    while (has_output(c)) {
        const size_t own = c->out.len - c->out_at;
        ssize_t written = 0;
        POINT(HTTP_BEFORE_ANSWER);
        if (c->tail.len == 0) {
            written = send(c->fd, c->out.data + c->out_at, own, MSG_NOSIGNAL);
        } else {
            struct iovec parts[] = {
                {.iov_base = c->out.data + c->out_at, .iov_len = own},
                {.iov_base = (char *)(uintptr_t)c->tail.ptr, .iov_len = c->tail.len},
            };
            struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
            written = sendmsg(c->fd, &message, MSG_NOSIGNAL);
        }
        POINT(HTTP_AFTER_ANSWER);
        if (written >= 0) {
            const size_t part = (size_t)written < own ? (size_t)written : own;
            c->out_at += part;
            if ((size_t)written > part) {
                c->tail = slice_from(c->tail, (size_t)written - part);
            }
            c->touched_ms = c->loop->now_ms;
        } else if (errno == EAGAIN) {
            return false;
        } else if (errno != EINTR) {
            c->gone = true;
            return false;
        }
    }
    buffer_clear(&c->out);
    c->out_at = 0;
    return true;
}

/* Makes room, keeps what is unread, and reads once. True when the run goes on. */
static bool fill(struct http_connection *c)
{
    const size_t wants = request_wants(c);
    if (!c->in.data) {
        c->in_at = 0;
        c->gone = !http_loop_take_buffer(c->loop, &c->in);
    } else if (c->in.capacity - c->in.len < wants) {
        buffer_consume(&c->in, c->in_at);
        c->in_at = 0;
        c->gone = !buffer_reserve(&c->in, wants);
    }
    if (c->gone) {
        return false;
    }
    /* What is wanted, and else no more than a buffer of the usual size holds, so that requests
     * which come after a large body find no room that was made for it. */
    const size_t room = c->in.capacity - c->in.len;
    const size_t unread = c->in.len - c->in_at;
    const size_t usual = unread < LOOP_BUFFER_LEN ? LOOP_BUFFER_LEN - unread : 1;
    const size_t most = wants > usual ? wants : usual;
    const size_t limit = most < room ? most : room;
    ssize_t got = recv(c->fd, c->in.data + c->in.len, limit, 0);
    if (got > 0) {
        c->in.len += (size_t)got;
        /* Less than asked for: the kernel has no more, and a new edge will tell. But the end of the
         * client's direction was already told. */
        c->readable = (size_t)got == limit || c->hangup;
        return true;
    }
    if (got < 0 && errno == EINTR) {
        return true;
    }
    c->readable = false;
    c->gone = got == 0 || errno != EAGAIN;
    return c->loop->draining; /* an idle one has had its last look and can close */
}

/* Gives back what the connection does not need while it waits: a buffer without bytes, and the room
 * that a body has made. What has come of a request is packed, so that a client holds about as much
 * as it has sent. */
static void pack(struct http_connection *c)
{
    if (c->out.data && !has_output(c)) {
        http_loop_give_buffer(c->loop, &c->out);
        c->out_at = 0;
    }
    if (!c->in.data) {
        return;
    }
    if (!has_input(c) && !c->request) {
        http_loop_give_buffer(c->loop, &c->in);
        c->in_at = 0;
        return;
    }
    const size_t unread = c->in.len - c->in_at;
    size_t need = PACK_LEAST;
    while (need <= unread) {
        need *= 2;
    }
    /* Not while a handler reads what stands there, and not the room of a body that was admitted. */
    if (c->state != CONNECTION_READING || c->in.capacity < need + PACK_MORE ||
        (c->queued && c->in.capacity <= LOOP_BUFFER_LEN)) {
        return;
    }
    struct buffer packed;
    buffer_init(&packed, c->in.most);
    if (!buffer_reserve(&packed, need)) {
        return;
    }
    buffer_add(&packed, (struct slice){c->in.data + c->in_at, unread});
    http_loop_give_buffer(c->loop, &c->in);
    c->in = packed;
    c->in_at = 0;
}

/* ---- The steps: each returns true when the next step can be taken at once ---- */

/* A request is awaited or parsed, or the body of one. */
static bool step_reading(struct http_connection *c, unsigned *rounds)
{
    if (c->out.len - c->out_at > OUT_MOST && !flush(c)) {
        return false;
    }
    const size_t there = c->in.len - c->in_at;
    const size_t skipped = there < c->skip ? there : c->skip;
    c->in_at += skipped;
    c->skip -= skipped;
    if (c->turn != c->loop->turn) {
        c->turn = c->loop->turn;
        c->taken = 0;
    }
    const bool had_share =
        c->taken >= REQUESTS_MOST || c->loop->charged_us - c->loop->run_us > RUN_US;
    if (has_input(c) && had_share) {
        if (flush(c)) {
            http_loop_queue(c->loop, c);
        }
        return false;
    }
    if (has_input(c) && request_read(c)) {
        return true;
    }
    if (c->gone || !flush(c)) {
        return false;
    }
    if (!c->readable) {
        if (c->state == CONNECTION_READING && c->request &&
            (c->guest || c->loop->ledger.held >= c->loop->ledger.most)) {
            /* There is no room to wait for the rest of its head. */
            request_refuse(c, ERROR_OVERLOADED);
            return true;
        }
        /* An idle connection has nothing to be told, and nothing of its client's is unread. */
        c->gone = c->loop->draining && !c->request;
        return false;
    }
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    return fill(c);
}

static bool step_sending(struct http_connection *c, unsigned *rounds)
{
    struct request_state *state = c->request;
    assert(state);
    if (!flush(c)) {
        return false;
    }
    if (state->stream_waits) {
        return false;
    }
    if (!state->x.response.stream) {
        http_connection_move(c, state->keep_alive ? CONNECTION_READING : CONNECTION_CLOSING);
        response_finish(c->request);
        return true;
    }
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    return response_pull(state);
}

static bool step_streaming(struct http_connection *c, unsigned *rounds)
{
    struct http_stream *stream = c->stream;
    assert(stream && !c->request);
    /* What is there at once leaves together with the head. */
    if (stream->fresh && !stream->waits && !stream->over && !c->loop->draining) {
        return http_stream_pull(stream);
    }
    if (has_output(c) && (!http_stream_may_send(stream) || !flush(c))) {
        return false;
    }
    if (stream->over) {
        http_stream_destroy(&c->stream);
        http_connection_move(c, CONNECTION_CLOSING);
        return true;
    }
    if (c->loop->draining) {
        return http_stream_drain(stream);
    }
    if (stream->waits) {
        return false;
    }
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    return http_stream_pull(stream);
}

static bool step_closing(struct http_connection *c)
{
    if (!flush(c)) {
        return false;
    }
    if (shutdown(c->fd, SHUT_WR) != 0 || c->loop->lingering >= LINGERING_MOST) {
        c->gone = true;
        return false;
    }
    http_connection_move(c, CONNECTION_LINGERING);
    c->loop->lingering++;
    c->touched_ms = c->loop->now_ms;
    c->linger_until_ms = c->touched_ms + LINGER_ALL_MS;
    c->in_at = c->in.len;
    return true;
}

/* Reads once and drops it. */
static bool step_lingering(struct http_connection *c, unsigned *rounds)
{
    char scrap[SCRAP];
    if ((*rounds)++ == ROUNDS_MOST) {
        http_loop_queue(c->loop, c);
        return false;
    }
    ssize_t got = recv(c->fd, scrap, sizeof scrap, 0);
    if (got > 0) {
        c->touched_ms = c->loop->now_ms;
        return true;
    }
    if (got < 0 && errno == EINTR) {
        return true;
    }
    c->gone = got == 0 || errno != EAGAIN;
    return false;
}

static bool step(struct http_connection *c, unsigned *rounds)
{
    switch (c->state) {
    case CONNECTION_READING:
    case CONNECTION_RECEIVING: return step_reading(c, rounds);
    case CONNECTION_HANDLING:
        (void)flush(c); /* what was answered before must not wait for this one */
        return false;
    case CONNECTION_SENDING: return step_sending(c, rounds);
    case CONNECTION_STREAMING: return step_streaming(c, rounds);
    case CONNECTION_CLOSING: return step_closing(c);
    case CONNECTION_LINGERING: return step_lingering(c, rounds);
    default: return false;
    }
}

/* ---- Between the runs ---- */

/* When a connection that waits as it does now has waited for long enough, in milliseconds of the
 * loop's clock; TIMERS_NEVER while it is a handler that is waited for. */
static int64_t deadline_of(const struct http_connection *c)
{
    const struct http_server_options *options = &c->loop->server->options;
    const struct request_state *state = c->request;
    if (c->state == CONNECTION_STREAMING) {
        return http_stream_deadline(c->stream);
    }
    if (has_output(c)) {
        return c->touched_ms + options->write_ms;
    }
    if (c->state == CONNECTION_LINGERING) {
        const int64_t quiet_ms = c->touched_ms + LINGER_MS;
        return quiet_ms < c->linger_until_ms ? quiet_ms : c->linger_until_ms;
    }
    if (c->state == CONNECTION_RECEIVING) {
        return state->x.started_us / 1000 + options->request_ms +
               (int64_t)(state->body_len / BODY_BYTES_PER_MS);
    }
    if (c->state != CONNECTION_READING) {
        return TIMERS_NEVER;
    }
    if (state) {
        return state->x.started_us / 1000 + options->header_ms;
    }
    /* A proxy may connect ahead of its time; anybody else has something to ask. */
    const bool owes = c->skip > 0 || (!c->asked && !c->trusted);
    return c->touched_ms +
           (owes && options->header_ms < options->idle_ms ? options->header_ms : options->idle_ms);
}

/* Gives back what a waiting connection does not need, and sets its deadline. */
static void settle(struct http_connection *c)
{
    pack(c);
    weigh(c);
    const bool idle = c->state == CONNECTION_READING && !c->request && !has_output(c);
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
        http_connection_move(c, CONNECTION_DEAD);
    }
    if (c->state == CONNECTION_DEAD && c->request) {
        return;
    }
    if (c->state == CONNECTION_LINGERING) {
        c->loop->lingering--;
    }
    http_stream_destroy(&c->stream);
    if (c->state == CONNECTION_SENDING) {
        c->request->x.abandoned = true;
        response_finish(c->request);
    } else if (c->request) {
        http_loop_give_request(c->loop, c->request);
        c->request = NULL;
    }
    http_loop_give_buffer(c->loop, &c->in);
    weigh(c);
    ledger_close(c->account);
    http_loop_forget(c->loop, c);
}

void http_connection_run(struct http_connection *c)
{
    unsigned rounds = 0;
    http_loop_busy(c->loop, c);
    c->loop->run_us = c->loop->charged_us;
    c->running = true;
    while (!c->gone && step(c, &rounds)) {
    }
    c->running = c->late = false;
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
    const bool endless = c->state == CONNECTION_STREAMING;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0 || (endless && c->hangup)) {
        /* Nobody takes an answer any more. A client that ends only its own direction still gets
         * what has an end; a client of what has none has left. */
        c->gone = true;
    }
    if (c->state == CONNECTION_READING && !c->request && c->skip == 0 && !has_output(c)) {
        c->touched_ms = c->loop->now_ms;
    }
    const struct ledger *ledger = &c->loop->ledger;
    enum ready_class class = READY_FRESH;
    /* Who comes through a proxy is not known before the request is read. */
    if (c->account && !c->trusted) {
        class = ledger_expensive(ledger, c->account, 1)                          ? READY_DEAR
                : c->loop->overload.standing && ledger_light(ledger, c->account) ? READY_LIGHT
                                                                                 : READY_FRESH;
    }
    ready_add(c->loop, c, class);
}

/* The client takes no byte of what it asked for. A close alone would leave what the kernel holds of
 * it (some 140 KB) with a socket that nobody counts any more, for minutes; a reset frees it. */
static void give_up_output(struct http_connection *c)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void http_connection_expire(struct http_connection *c)
{
    bool awaited = c->state == CONNECTION_READING || c->state == CONNECTION_RECEIVING;
    if (awaited && c->request && !has_output(c)) {
        request_refuse(c, ERROR_REQUEST_TIMEOUT);
    } else {
        c->gone = c->state != CONNECTION_STREAMING || !http_stream_expire(c->stream);
        if (c->gone && has_output(c)) {
            give_up_output(c);
        }
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
        c->request->x.response.stream_close = NULL;
        c->loop->in_flight--;
        request_destroy(&c->request);
        c->state = CONNECTION_CLOSING;
    }
    release(c);
}

/* ---- The beginning ---- */

void http_connection_judge(struct http_connection *c)
{
    c->trusted = proxies_trust(c->loop->policy->proxies, &c->address);
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
    const unsigned silent_ms = CONNECTION_SILENT_MS;
    assert(fd >= 0 && loop->listening);
    c->loop = loop;
    c->fd = fd;
    c->touched_ms = loop->now_ms;
    c->address = *address;
    c->client_len = (uint8_t)forwarded_format_ip(address, c->client).len;
    http_connection_judge(c);
    if (!c->trusted) {
        /* Until it is known who asks: to connect costs something too. */
        http_connection_bill(c, request_payer_of(http_connection_client(c)));
    }
    log_peer(c, "connection_opened");
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof silent_ms);
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
