// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TASK_FIELDS_H
#define TASKHOLD_MODEL_TASK_FIELDS_H

#include "model/field.h"
#include "model/task.h"

/* The members of a task: read into a struct task_change, written from a struct task. */
extern const struct field task_fields[];
extern const size_t task_field_count;

#endif
