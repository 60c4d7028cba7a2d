// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_TOKEN_ANSWER_H
#define TASKHOLD_API_TOKEN_ANSWER_H

#include "http/message.h"
#include "model/user.h"

/* Makes an access token and the refresh token of `session`'s counter, and sends both. Uses id,
 * user, counter and expires_at of the session. */
void token_answer(struct http_exchange *x, const struct session *session);

#endif
