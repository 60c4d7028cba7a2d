// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_BODY_H
#define TASKHOLD_API_BODY_H

#include "http/message.h"
#include "model/field.h"

/* From the bytes of a body to the struct that a call works with, in two steps, so that a handler
 * may add errors of its own in between. */

/* Reads the body by `reading` (its arena is set here). Sends 400 invalid_json, or 503, and returns
 * false when there is no object to look at. `content` (JSON_READER_DIGEST bytes; NULL: not needed)
 * becomes the digest of what the body says. */
bool body_read(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
    __attribute__((warn_unused_result));

/* Sends 422 with all of `errors` and returns false when there are any. */
bool body_valid(struct http_exchange *x, const struct field_errors *errors)
    __attribute__((warn_unused_result));

/* Both steps. */
bool body_decode(struct http_exchange *x, struct field_reading *reading, uint8_t *content)
    __attribute__((warn_unused_result));

#endif
