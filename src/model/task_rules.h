// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TASK_RULES_H
#define TASKHOLD_MODEL_TASK_RULES_H

#include "model/task.h"
#include "model/zone.h"

/* What the members of one task have to do with each other, whatever other tasks there are. Pure
 * functions. */

#define TASK_AHEAD_MS INT64_C(300000) /* a clock of a client may be so far ahead of ours */

/* Must the zone of the task be known to tell whether `start` is after `due`? `before` NULL: the
 * task is new. */
bool task_needs_zone(const struct task *before, const struct task *after);

/* The `settle` of tasks (resource.h). */
bool task_settle(const struct settling *settling) __attribute__((warn_unused_result));

#endif
