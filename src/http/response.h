// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_HTTP_RESPONSE_H
#define TASKHOLD_HTTP_RESPONSE_H

#include "http/request.h"

/* The way out: from http_respond (http/message.h) to the connection's output. */

/* Takes what the stream has for the client now, framed, into the connection's output, up to a
 * bound. False: the connection is gone. */
bool response_pull(struct request_state *state);

/* Ends the request that was answered, however it went, and gives its state back. */
void response_finish(struct request_state *state);

#endif
