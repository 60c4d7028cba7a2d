// SPDX-License-Identifier: MIT
#include "api/encode.h"

#include "model/task_fields.h"

void encode_task(struct json_writer *w, const struct task *task)
{
    jw_open_object(w);
    field_write(task_fields, task_field_count, task, w);
    jw_close_object(w);
}
