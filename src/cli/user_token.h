// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_USER_TOKEN_H
#define TASKHOLD_CLI_USER_TOKEN_H

#include "base/settings.h"

/* `taskhold user token`: tokens for scripts of an account. */

#define USER_TOKEN_SCOPES_MOST 8 /* that are sent; the server says what is wrong with them */

struct user_token_order {
    const struct settings *settings;
    const char *name;    /* NULL: one of ours */
    const char *expires; /* a date, which begins in UTC, or RFC 3339; NULL: never */
    const char *scopes[USER_TOKEN_SCOPES_MOST];
    unsigned scope_count;
    bool json;
};

/* Takes each `--scope SCOPE` out of the arguments. False, after a line on standard error. */
bool user_token_take_scopes(int *argc, char **argv, struct user_token_order *order);

/* What stands after `token`: add EMAIL, list EMAIL or rm EMAIL ID. Returns an exit status. */
int user_token_run(int argc, char **argv, const struct user_token_order *order);

#endif
