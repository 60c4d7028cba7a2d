// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_TASK_ANSWER_H
#define TASKHOLD_API_TASK_ANSWER_H

#include "http/message.h"
#include "model/task.h"

/* What every answer about tasks has in common. */

#define TASK_ANSWER_CACHE SLICE("private, no-cache")

/* Adds ETag and Cache-Control. */
void task_answer_fields(struct http_exchange *x, struct slice tag);

/* Sends `task` alone. */
void task_answer_body(struct http_exchange *x, int status, const struct task *task);

/* Sends `task` with both fields. */
void task_answer(struct http_exchange *x, int status, const struct task *task);

/* Sends the problem of a store call about one task of the caller's. */
void task_answer_error(struct http_exchange *x, enum error error);

#endif
