// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_RETENTION_H
#define TASKHOLD_STORE_RETENTION_H

#include <stdint.h>

/* How long and how much every engine keeps of what is not an account or a task. */

#define RETENTION_KEY_MS      (24 * INT64_C(3600000))  /* an idempotency key */
#define RETENTION_JOURNAL_MS  (30 * INT64_C(86400000)) /* a change */
#define RETENTION_INVITATIONS 10000                    /* that are not used */
#define RETENTION_ADDRESSES   32                       /* addresses remembered of one user */

/* What has expired is deleted this often, in transactions of at most so many rows. */
#define RETENTION_PURGE_MS   60000
#define RETENTION_PURGE_ROWS 256

#endif
