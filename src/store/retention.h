// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_RETENTION_H
#define TASKHOLD_STORE_RETENTION_H

#include <stdint.h>

/* How long and how much every engine keeps of what is not an account or a task. */

#define RETENTION_KEY_MS      (24 * INT64_C(3600000)) /* an idempotency key */
#define RETENTION_INVITATIONS 10000                   /* that are not used */
#define RETENTION_ADDRESSES   32                      /* addresses remembered of one user */

/* Changes are kept as long as the operator says (store_options.keep_seconds). */
#define RETENTION_KEEP_SECONDS (30 * INT64_C(86400))

static inline int64_t retention_keep_ms(int64_t keep_seconds)
{
    return 1000 * (keep_seconds > 0 ? keep_seconds : RETENTION_KEEP_SECONDS);
}

/* What has expired is deleted this often, in transactions of at most so many rows. */
#define RETENTION_PURGE_MS   60000
#define RETENTION_PURGE_ROWS 256

/* The same of what is kept for `keep_ms`. */
static inline int64_t retention_look_ms(int64_t keep_ms)
{
    return keep_ms / 10 < RETENTION_PURGE_MS ? keep_ms / 10 : RETENTION_PURGE_MS;
}

#endif
