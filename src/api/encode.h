// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_ENCODE_H
#define TASKHOLD_API_ENCODE_H

#include "base/json_writer.h"
#include "model/task.h"

/* From rows to JSON objects. Pure functions: the same row always gives the same bytes. */

/* At most ENCODE_TASK_MOST bytes: texts of code points of four bytes, and 1 KiB for the rest. */
#define ENCODE_TASK_MOST (((size_t)TASK_TITLE_MOST + TASK_DESCRIPTION_MOST) * 4 + 1024)
void encode_task(struct json_writer *w, const struct task *task);
#endif
