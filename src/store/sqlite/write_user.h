// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_WRITE_USER_H
#define TASKHOLD_STORE_SQLITE_WRITE_USER_H

#include "store/sqlite/transaction.h"
#include "store/store.h"

/* Changes of accounts. */
void write_user_create(struct store_user_create *op);
void write_invitation_create(struct store_invitation_create *op);
void write_user_rename(struct store_user_rename *op);
void write_user_set_password(struct store_user_set_password *op);
void write_user_set_email(struct store_user_set_email *op);
void write_user_delete(struct store_user_delete *op);
void write_user_govern(struct store_user_govern *op);

/* The account as it stands; texts are copied into `arena`. */
int write_user_read(struct transaction *t, const struct uuid *id, struct arena *arena,
                    struct user *user, bool *found);

/* `now` 0: the account counts as unchanged (a rehash of the same password). */
int write_user_put_hash(struct transaction *t, const struct uuid *id, struct slice hash,
                        int64_t now);

#endif
