// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_WIRE_H
#define TASKHOLD_HTTP_WIRE_H

#include "http/connection.h"

/* A connection's bytes between its socket and its two buffers. */

static inline bool wire_has_input(const struct http_connection *c)
{
    return c->in.len > c->in_at;
}

static inline bool wire_has_output(const struct http_connection *c)
{
    return c->out.len > c->out_at || c->tail.len > 0;
}

/* Writes all that is there. False: the client takes no more now (an edge will tell when it does),
 * or the connection is gone. */
bool wire_flush(struct http_connection *c);

/* Reads once. True when the run goes on. */
bool wire_fill(struct http_connection *c);

/* Reads once and drops it. True when there may be more. */
bool wire_drop(struct http_connection *c);

/* Gives back what the connection does not need while it waits: a buffer without bytes, and the room
 * that a body has made. What has come of a request is packed, so that a client holds about as much
 * as it has sent. */
void wire_pack(struct http_connection *c);

#endif
