// SPDX-License-Identifier: MIT
#include "http/wire.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/loop.h"
#include "http/request.h"

#define SCRAP      ((size_t)16 * 1024)
#define PACK_LEAST ((size_t)1024)
#define PACK_MORE  ((size_t)4096) /* less to be won is not worth a copy */

static void account(struct http_connection *c, size_t written)
{
    size_t own = c->out.len - c->out_at;
    size_t part = written < own ? written : own;
    c->out_at += part;
    if (written > part) {
        c->tail.ptr += written - part;
        c->tail.len -= written - part;
    }
    c->touched_ms = http_loop_now_ms(c->loop);
}

static ssize_t write_some(struct http_connection *c)
{
    if (c->tail.len == 0) {
        return send(c->fd, c->out.data + c->out_at, c->out.len - c->out_at, MSG_NOSIGNAL);
    }
    struct iovec parts[] = {
        {.iov_base = c->out.data + c->out_at, .iov_len = c->out.len - c->out_at},
        {.iov_base = (char *)(uintptr_t)c->tail.ptr, .iov_len = c->tail.len},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    return sendmsg(c->fd, &message, MSG_NOSIGNAL);
}

bool wire_flush(struct http_connection *c)
{
    while (wire_has_output(c)) {
        ssize_t written = write_some(c);
        if (written >= 0) {
            account(c, (size_t)written);
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

/* Makes room for the next bytes and keeps what is unread. False without memory. */
static bool make_room(struct http_connection *c)
{
    if (!c->in.data) {
        c->in_at = 0;
        return http_loop_take_buffer(c->loop, &c->in);
    }
    size_t wants = c->request_state ? request_wants(c->request_state, &c->in, c->in_at) : 1;
    if (c->in.capacity - c->in.len >= wants) {
        return true;
    }
    buffer_consume(&c->in, c->in_at);
    c->in_at = 0;
    return buffer_reserve(&c->in, wants) != NULL;
}

/* How much is read at once: what is wanted, and else no more than a buffer of the usual size holds,
 * so that requests which come after a large body find no room that was made for it. */
static size_t limit_of(const struct http_connection *c)
{
    const size_t room = c->in.capacity - c->in.len;
    const size_t unread = c->in.len - c->in_at;
    const size_t wants = c->request_state ? request_wants(c->request_state, &c->in, c->in_at) : 1;
    const size_t usual = unread < LOOP_BUFFER_LEN ? LOOP_BUFFER_LEN - unread : 1;
    const size_t limit = wants > usual ? wants : usual;
    return limit < room ? limit : room;
}

bool wire_fill(struct http_connection *c)
{
    if (!make_room(c)) {
        c->gone = true;
        return false;
    }
    size_t limit = limit_of(c);
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

bool wire_drop(struct http_connection *c)
{
    char scrap[SCRAP];
    ssize_t got = recv(c->fd, scrap, sizeof scrap, 0);
    if (got > 0) {
        c->touched_ms = http_loop_now_ms(c->loop);
        return true;
    }
    if (got < 0 && errno == EINTR) {
        return true;
    }
    c->gone = got == 0 || errno != EAGAIN;
    return false;
}

/* Not while a handler reads what stands there, and not the room of a body that was admitted. */
static void pack_input(struct http_connection *c)
{
    const size_t unread = c->in.len - c->in_at;
    size_t need = PACK_LEAST;
    while (need <= unread) {
        need *= 2;
    }
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

void wire_pack(struct http_connection *c)
{
    if (c->in.data && !wire_has_input(c) && !c->request_state) {
        http_loop_give_buffer(c->loop, &c->in);
        c->in_at = 0;
    } else if (c->in.data) {
        pack_input(c);
    }
    if (c->out.data && !wire_has_output(c)) {
        http_loop_give_buffer(c->loop, &c->out);
        c->out_at = 0;
    }
}
