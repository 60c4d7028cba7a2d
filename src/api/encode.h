// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ENCODE_H
#define TASKHOLD_API_ENCODE_H

#include "base/json_writer.h"
#include "model/task.h"
#include "model/user.h"

/* From rows to JSON objects. Pure functions: the same row always gives the same bytes. */

/* At most ENCODE_TASK_MOST bytes: texts of code points of four bytes, and 1 KiB for the rest. */
#define ENCODE_TASK_MOST (((size_t)TASK_TITLE_MOST + TASK_DESCRIPTION_MOST) * 4 + 1024)
void encode_task(struct json_writer *w, const struct task *task);
void encode_user(struct json_writer *w, const struct user *user);

/* What an operator sees of it. */
void encode_operator(struct json_writer *w, const struct user *user);

/* `current`: the session of the request. */
void encode_session(struct json_writer *w, const struct session *session, bool current);

struct encode_tokens {
    struct slice access_token;
    struct slice refresh_token;
    int64_t expires_in; /* seconds */
    int64_t refresh_expires_in;
};

void encode_tokens(struct json_writer *w, const struct encode_tokens *tokens);

#endif
