// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_REQUEST_H
#define TASKHOLD_HTTP_REQUEST_H

#include "http/request_state.h"

/* Reads a request, head and body, out of a connection's input. */

/* Goes on with the request that starts at `at` in `in`. On HTTP_PARSE_DONE `state->wire_len`
 * bytes are the request's and x->request is whole, its slices in `in`. On HTTP_PARSE_FAILED
 * `*error` tells why. Decodes a chunked body in place. */
enum http_parse request_feed(struct request_state *state, struct buffer *in, size_t at,
                             enum error *error) __attribute__((warn_unused_result));

/* How many bytes are worth having room for, at least 1. */
size_t request_wants(const struct request_state *state, const struct buffer *in, size_t at);

#endif
