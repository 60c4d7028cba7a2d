// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_RESPONSE_H
#define TASKHOLD_HTTP_RESPONSE_H

#include "http/request_state.h"

/* Turns responses into bytes. */

/* Appends head and body to `out`. A large body is not copied: `*tail` is what has to be written
 * after `out`, and lives as long as the exchange. Of a stream only the head is written. Returns
 * false when `out` has no memory. */
bool response_write(struct request_state *state, struct buffer *out, struct slice *tail)
    __attribute__((warn_unused_result));

/* Whether the response carries a body at all (not to HEAD, not with 204 and 304). */
bool response_has_body(const struct request_state *state);

/* Appends what the stream of the response gives now, framed, up to a bound. HTTP_STREAM_MORE: there
 * is more when `out` was written. */
enum http_stream_step response_pull(struct request_state *state, struct buffer *out);

/* Appends the end of a stream that is broken off as if it were its own. False without memory. */
bool response_end_stream(struct request_state *state, struct buffer *out)
    __attribute__((warn_unused_result));

#endif
