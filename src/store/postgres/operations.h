// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_OPERATIONS_H
#define TASKHOLD_STORE_POSTGRES_OPERATIONS_H

#include "store/store.h"

/* What the engine's table of calls has. */

/* item_reads.c */
void pg_item_get(struct store_item_get *op);
void pg_item_list(struct store_item_list *op);

/* A row into an item in the operation's arena, or into `*item` when that is there. False: the
 * operation fails. */
struct job;
struct row;
bool pg_take_item(struct job *job, struct row *r, const struct resource *resource, void **item);

/* items.c */
void pg_item_write(struct store_item_write *op);

/* item_batches.c */
void pg_batch_write(struct store_batch *op);

/* reports.c: what all tasks come to */
void pg_label_list(struct store_label_list *op);
void pg_summary(struct store_summary *op);
void pg_trash_list(struct store_trash_list *op);

/* changes.c: what changed, in the order of the journal */
void pg_changes(struct store_changes *op);

/* history.c: what was done to one thing */
void pg_history(struct store_history *op);

/* users.c: reads of accounts, and changes of them */
void pg_user_by_email(struct store_user_by_email *op);
void pg_user_get(struct store_user_get *op);
void pg_user_list(struct store_user_list *op);
void pg_user_create(struct store_user_create *op);
void pg_invitation_create(struct store_invitation_create *op);
void pg_user_set_profile(struct store_user_set_profile *op);
void pg_user_set_password(struct store_user_set_password *op);
void pg_user_set_email(struct store_user_set_email *op);
void pg_user_delete(struct store_user_delete *op);
void pg_user_govern(struct store_user_govern *op);

/* sessions.c: logins, rotation of refresh tokens, logouts */
void pg_session_check(struct store_session_check *op);
void pg_session_list(struct store_session_list *op);
void pg_session_create(struct store_session_create *op);
void pg_session_refresh(struct store_session_refresh *op);
void pg_session_end(struct store_session_end *op);

/* script_tokens.c */
void pg_script_token_check(struct store_script_token_check *op);
void pg_script_token_list(struct store_script_token_list *op);
void pg_script_token_create(struct store_script_token_create *op);
void pg_script_token_end(struct store_script_token_end *op);
void pg_script_token_use(struct store_script_token_use *op);

#endif
