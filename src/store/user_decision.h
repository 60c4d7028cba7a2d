// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_USER_DECISION_H
#define TASKHOLD_STORE_USER_DECISION_H

#include "store/store.h"

/* What changes of accounts come to, given the account as it stands: the same on every engine. Pure
 * functions. */

/* May a change that was asked for with a password go on? `user` NULL: there is none. ERROR_NONE,
 * ERROR_WRONG_PASSWORD when `verified` is no longer the hash, or ERROR_NOT_FOUND. */
enum error user_decide_change(const struct user *user, struct slice verified);

/* May a login go on? ERROR_NONE or ERROR_INVALID_CREDENTIALS. */
enum error user_decide_login(const struct user *user, struct slice verified);

/* The user was changed: a clock that is behind puts no time before an earlier one. */
void user_touch(struct user *user, int64_t now);

/* Makes op->user what a new name makes of `user` and answers true; or says in op->op.result and
 * op->verdict why not. */
bool user_decide_rename(struct store_user_rename *op, const struct user *user);

/* What an operator's verb makes of op->user, which is there. Answers whether all sessions end. */
bool user_decide_govern(struct store_user_govern *op);

#endif
