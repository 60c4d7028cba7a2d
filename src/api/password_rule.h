// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_PASSWORD_RULE_H
#define TASKHOLD_API_PASSWORD_RULE_H

#include "http/message.h"
#include "model/field.h"

/* Adds what the policy says against a new password. `pointer` is a literal such as `/password`;
 * `email` may be empty. A password with ptr NULL (missing, or no string) is passed over: the fields
 * have complained already. */
void password_rule_check(struct http_exchange *x, const char *pointer, struct slice password,
                         struct slice email, struct field_errors *errors);

#endif
