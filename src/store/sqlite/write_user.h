#ifndef TASKHOLD_STORE_SQLITE_WRITE_USER_H
#define TASKHOLD_STORE_SQLITE_WRITE_USER_H

#include "store/sqlite/transaction.h"
#include "store/store.h"

/* Changes of accounts. */
void write_user_create(struct store_user_create *op);
void write_user_rename(struct store_user_rename *op);
void write_user_set_password(struct store_user_set_password *op);
void write_user_set_email(struct store_user_set_email *op);
void write_user_delete(struct store_user_delete *op);
void write_user_govern(struct store_user_govern *op);

enum write_user_credential {
    WRITE_USER_ABSENT,
    WRITE_USER_DISABLED, /* the hash is still the one that was verified */
    WRITE_USER_CHANGED,  /* it is not */
    WRITE_USER_GOOD,
};

/* Is `verified` still the password hash of the user? */
int write_user_check(struct transaction *t, const struct uuid *id, struct slice verified,
                     enum write_user_credential *credential);

/* `now` 0: the account counts as unchanged (a rehash of the same password). */
int write_user_put_hash(struct transaction *t, const struct uuid *id, struct slice hash,
                        int64_t now);

#endif
