// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_FUZZ_HTTP_STREAM_H
#define TASKHOLD_TESTS_FUZZ_HTTP_STREAM_H

#include "base/buffer.h"

/* Puts zeros in place of the ids of requests that the server made, in the head and in the body:
 * those that do not stand in what was sent. */
void http_stream_mask_ids(struct buffer *answers, struct slice sent);

#endif
