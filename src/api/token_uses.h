// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_TOKEN_USES_H
#define TASKHOLD_API_TOKEN_USES_H

#include "auth/token_cache.h"

/* When tokens of scripts were used last, as one loop notes it: with a write that no request waits
 * for, and not with each use (SCRIPT_TOKEN_USED_MS). Bounded: while many are on their way, more are
 * left to the next use. */
struct token_uses;

/* NULL without memory. */
struct token_uses *token_uses_create(void);

/* After the loop's session of the store was closed. */
void token_uses_destroy(struct token_uses **uses);

/* The request uses this token, which is a script's. `bearer->used_at` moves on if it is noted. */
struct http_exchange;
void token_uses_note(struct http_exchange *x, struct bearer *bearer);

#endif
