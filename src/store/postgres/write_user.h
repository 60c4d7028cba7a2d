// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_WRITE_USER_H
#define TASKHOLD_STORE_POSTGRES_WRITE_USER_H

#include "store/store.h"

/* Changes of accounts. */
void pg_user_create(struct store_user_create *op);
void pg_invitation_create(struct store_invitation_create *op);
void pg_user_rename(struct store_user_rename *op);
void pg_user_set_password(struct store_user_set_password *op);
void pg_user_set_email(struct store_user_set_email *op);
void pg_user_delete(struct store_user_delete *op);
void pg_user_govern(struct store_user_govern *op);

#endif
