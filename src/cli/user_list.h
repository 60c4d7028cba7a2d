// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_USER_LIST_H
#define TASKHOLD_CLI_USER_LIST_H

#include "cli/control.h"

/* Prints every account: a JSON array; or a table, with a heading on a terminal and else with tabs
 * between the columns (e-mail, state, made, name) for other programs. Returns an exit status. */
int user_list_print(struct control_desk *desk, bool json);

/* Prints an invitation: its token on a line of its own, what it is good for, and its link if there
 * is one. Returns an exit status. */
int user_list_invitation(const struct control_answer *answer);

/* Prints what a refusal says. Returns CLI_FAILED. */
int user_list_complain(const struct control_answer *answer);

#endif
