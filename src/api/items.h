// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ITEMS_H
#define TASKHOLD_API_ITEMS_H

#include "http/route.h"
#include "model/resource.h"
#include "store/store.h"

/* What the calls about items of any resource have in common. */

#define ITEMS_CACHE SLICE("private, no-cache")

/* What the route is about. */
const struct resource *items_resource(const struct http_exchange *x);

/* Sends the 404 of an item that is not there. */
void items_answer_not_found(struct http_exchange *x);

/* Adds ETag and Cache-Control. */
void items_answer_fields(struct http_exchange *x, struct slice tag);

/* A write of the item that the path names, or of a new one, with all that the route, the path and
 * the header say of it: for a handler that adds the rest and gives it to the engine, whose answer
 * is sent. NULL: an answer was sent. */
struct store_item_write *items_write_begin(struct http_exchange *x, enum store_verb verb);

/* Reads no body, or an empty object. False: it was answered. */
bool items_read_nothing(struct http_exchange *x);

/* Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): 1 to 255 visible ASCII characters,
 * as a string of structured fields (RFC 9651) or bare. */

#define IDEMPOTENCY_KEY_MOST 255

/* The key that `field` means; both forms of the same characters are the same key. It lives in
 * `arena` or points into `field`. Returns false when malformed or out of memory. */
bool idempotency_key_parse(struct slice field, struct arena *arena, struct slice *key);

/* Reads the request's key. Sends 400 invalid_header and returns false when it is malformed. */
bool idempotency_read(struct http_exchange *x, struct store_idempotency *idempotency)
    __attribute__((warn_unused_result));

/* Makes the fingerprint of what the key stands for, when there is one: the verb, the kind, the item
 * and what the body says (`content`, of JSON_READER_DIGEST bytes; NULL: there is none).
 * Preconditions do not count: an edit that was refused is sent again with a fresh one. */
void idempotency_bind(struct store_item_write *write, const uint8_t *content);

/* The same of a call that is no write of one item: by its route, its query and its body. */
void idempotency_bind_call(const struct http_exchange *x, struct store_idempotency *idempotency,
                           struct slice query, const uint8_t *content);

#endif
