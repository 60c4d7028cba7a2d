// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_USER_ANSWER_H
#define TASKHOLD_API_USER_ANSWER_H

#include "base/error.h"
#include "http/message.h"
#include "model/field.h"
#include "model/user.h"
#include "model/user_fields.h"

/* What calls about the account have in common. */

/* Sends `user`, not to be stored. */
void user_answer(struct http_exchange *x, int status, const struct user *user);

/* Sends the problem of a store call about the caller's own account, where ERROR_NOT_FOUND means
 * that the account went away after the token was checked. */
void user_answer_error(struct http_exchange *x, enum error error);

/* Reads the body of one of these calls; see body_decode. */
bool user_body_decode(struct http_exchange *x, const struct user_body *body, enum field_mode mode,
                      struct user_input *input, unsigned *set) __attribute__((warn_unused_result));

#endif
