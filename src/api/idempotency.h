// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_IDEMPOTENCY_H
#define TASKHOLD_API_IDEMPOTENCY_H

#include "http/message.h"
#include "store/store.h"

/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): 1 to 255 visible ASCII characters,
 * as a string of structured fields (RFC 9651) or bare. */

#define IDEMPOTENCY_KEY_MOST 255

/* The key that `field` means; both forms of the same characters are the same key. It lives in
 * `arena` or points into `field`. Returns false when malformed or out of memory. */
bool idempotency_key_parse(struct slice field, struct arena *arena, struct slice *key);

/* Reads the request's key. Sends 400 invalid_header and returns false when it is malformed. */
bool idempotency_read(struct http_exchange *x, struct store_idempotency *idempotency)
    __attribute__((warn_unused_result));

/* Makes the fingerprint of what the key stands for, when there is one: the verb, the task and what
 * the body says (`content`, of JSON_READER_DIGEST bytes; NULL: there is none). Preconditions do not
 * count: an edit that was refused is sent again with a fresh one. */
void idempotency_bind(struct store_task_write *write, const uint8_t *content);

#endif
