// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_USER_ROWS_H
#define TASKHOLD_STORE_SQLITE_USER_ROWS_H

#include "store/sqlite/writer.h"
#include "store/store.h"

/* Accounts. The reads are answered before they return, on the loop's own connection. */
void user_rows_by_email(struct store_user_by_email *op);
void user_rows_get(struct store_user_get *op);
void user_rows_list(struct store_user_list *op);

void user_rows_create(struct store_user_create *op);
void user_rows_invite(struct store_invitation_create *op);
void user_rows_set_profile(struct store_user_set_profile *op);
void user_rows_set_password(struct store_user_set_password *op);
void user_rows_set_email(struct store_user_set_email *op);
void user_rows_delete(struct store_user_delete *op);
void user_rows_govern(struct store_user_govern *op);

/* ---- within a transaction ---- */

/* The account as it stands; texts are copied into `arena`. */
int user_rows_read(struct transaction *t, const struct uuid *id, struct arena *arena,
                   struct user *user, bool *found);

/* `now` 0: the account counts as unchanged (a rehash of the same password). */
int user_rows_put_hash(struct transaction *t, const struct uuid *id, struct slice hash,
                       int64_t now);

/* Every session of the user but `keep`, all zero: none stays. */
int user_rows_end_sessions(struct transaction *t, const struct uuid *id, const struct uuid *keep);

#endif
