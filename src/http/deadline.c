// SPDX-License-Identifier: MIT
#include "http/deadline.h"

#include "http/loop.h"
#include "http/wire.h"

#define LINGER_MS 2000 /* without a byte */
/* A body that comes at least this fast may take longer than the limit for a request. */
#define BODY_BYTES_PER_MS 32

static int64_t reading_deadline(const struct http_connection *c)
{
    const struct http_server_options *options = &c->loop->server->options;
    const struct request_state *state = c->request_state;
    if (state) {
        return state->x.started_us / 1000 + options->header_ms;
    }
    /* A proxy may connect ahead of its time; anybody else has something to ask. */
    const bool owes = c->skip > 0 || (!c->asked && !c->trusted);
    return c->touched_ms +
           (owes && options->header_ms < options->idle_ms ? options->header_ms : options->idle_ms);
}

static int64_t receiving_deadline(const struct http_connection *c)
{
    const struct request_state *state = c->request_state;
    return state->x.started_us / 1000 + c->loop->server->options.request_ms +
           (int64_t)(state->body_len / BODY_BYTES_PER_MS);
}

static int64_t lingering_deadline(const struct http_connection *c)
{
    const int64_t quiet_ms = c->touched_ms + LINGER_MS;
    return quiet_ms < c->linger_until_ms ? quiet_ms : c->linger_until_ms;
}

int64_t deadline_of(const struct http_connection *c)
{
    if (wire_has_output(c)) {
        return c->touched_ms + c->loop->server->options.write_ms;
    }
    switch (c->state) {
    case CONNECTION_READING: return reading_deadline(c);
    case CONNECTION_RECEIVING: return receiving_deadline(c);
    case CONNECTION_LINGERING: return lingering_deadline(c);
    default: return TIMERS_NEVER;
    }
}
