// SPDX-License-Identifier: MIT
#include "store/user_decision.h"

enum error user_decide_change(const struct user *user, struct slice verified)
{
    if (!user)
        return ERROR_NOT_FOUND;
    if (!slice_eq(user->password_hash, verified))
        return ERROR_WRONG_PASSWORD;
    return user->disabled_at != 0 ? ERROR_NOT_FOUND : ERROR_NONE;
}

enum error user_decide_login(const struct user *user, struct slice verified)
{
    return user_decide_change(user, verified) == ERROR_NONE ? ERROR_NONE
                                                            : ERROR_INVALID_CREDENTIALS;
}

void user_touch(struct user *user, int64_t now)
{
    user->updated_at = now > user->updated_at ? now : user->updated_at;
}

bool user_decide_rename(struct store_user_rename *op, const struct user *user)
{
    op->user = *user;
    op->verdict = store_precondition_judge(&op->precondition, true, user_version(user));
    if (op->verdict != STORE_HOLDS) {
        op->op.result = ERROR_PRECONDITION_FAILED;
        return false;
    }
    op->user.name = op->name;
    user_touch(&op->user, op->now);
    return true;
}

bool user_decide_govern(struct store_user_govern *op)
{
    switch (op->verb) {
    case STORE_USER_DISABLE:
        op->user.disabled_at = op->user.disabled_at ? op->user.disabled_at : op->now;
        break;
    case STORE_USER_ENABLE: op->user.disabled_at = 0; return false;
    case STORE_USER_SET_PASSWORD: user_touch(&op->user, op->now); break;
    case STORE_USER_ERASE: break;
    }
    return true;
}
