// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_REVISION_H
#define TASKHOLD_STORE_SQLITE_REVISION_H

#include "store/sqlite/transaction.h"

/* The revision and the usage of the user whose tasks are being changed: read once and written once
 * for all writes of one user that follow each other in a transaction. Until it is settled the row
 * of the user is behind; so it is settled before anything else looks at that row, and before the
 * commit.
 */

/* `*found`: there is such a user. Returns SQLITE_OK or an error. */
int revision_read(struct transaction *t, const struct uuid *user, int64_t *number,
                  struct usage *usage, bool *found);

/* Sets the revision of the user who was read last, and adds to the usage. */
void revision_set(struct transaction *t, int64_t number, const struct usage *change);

/* Takes the four columns after the revision. */
struct usage revision_take_usage(struct query *q);

/* Writes what was set, and forgets it. Returns SQLITE_OK or an error. */
int revision_settle(struct transaction *t);

/* Forgets what was read and set: it was rolled back. */
void revision_forget(struct transaction *t);

#endif
