// SPDX-License-Identifier: MIT
#include "model/task.h"

#include <stddef.h>

#include "model/task_fields.h"

static const struct slice status_names[TASK_STATUS_COUNT] = {
    [TASK_PENDING] = FIELD_NAME("pending"),
    [TASK_IN_PROGRESS] = FIELD_NAME("in-progress"),
    [TASK_COMPLETED] = FIELD_NAME("completed"),
};

const struct field task_fields[] = {
    {.name = FIELD_NAME("id"),
     .type = FIELD_UUID,
     .flags = FIELD_READ_ONLY,
     .row = offsetof(struct task, id)},
    {.name = FIELD_NAME("title"),
     .type = FIELD_TEXT,
     .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK,
     .most = TASK_TITLE_MOST,
     .input = offsetof(struct task_change, title),
     .row = offsetof(struct task, title),
     .bit = TASK_TITLE},
    {.name = FIELD_NAME("description"),
     .type = FIELD_TEXT,
     .flags = FIELD_NULLABLE | FIELD_MULTILINE,
     .most = TASK_DESCRIPTION_MOST,
     .input = offsetof(struct task_change, description),
     .row = offsetof(struct task, description),
     .bit = TASK_DESCRIPTION},
    {.name = FIELD_NAME("status"),
     .type = FIELD_CHOICE,
     .choices = status_names,
     .choice_count = TASK_STATUS_COUNT,
     .input = offsetof(struct task_change, status),
     .row = offsetof(struct task, status),
     .bit = TASK_STATUS},
    {.name = FIELD_NAME("created_at"),
     .type = FIELD_TIME,
     .flags = FIELD_READ_ONLY,
     .row = offsetof(struct task, created_at)},
    {.name = FIELD_NAME("updated_at"),
     .type = FIELD_TIME,
     .flags = FIELD_READ_ONLY,
     .row = offsetof(struct task, updated_at)},
    {.name = FIELD_NAME("completed_at"),
     .type = FIELD_TIME,
     .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
     .row = offsetof(struct task, completed_at)},
    {.name = FIELD_NAME("revision"),
     .type = FIELD_NUMBER,
     .flags = FIELD_READ_ONLY,
     .row = offsetof(struct task, revision)},
};

const size_t task_field_count = sizeof task_fields / sizeof task_fields[0];

/* FIELD_CHOICE reads and writes an unsigned. */
_Static_assert(sizeof(enum task_status) == sizeof(unsigned), "an enum is as wide as unsigned");

struct slice task_status_name(enum task_status status)
{
    return status_names[status];
}

bool task_status_parse(struct slice name, enum task_status *status)
{
    for (unsigned i = 0; i < TASK_STATUS_COUNT; i++) {
        if (slice_eq(status_names[i], name)) {
            *status = (enum task_status)i;
            return true;
        }
    }
    return false;
}

/* Null and the empty text are two things. */
static bool same_text(struct slice a, struct slice b)
{
    if (!a.ptr || !b.ptr) {
        return a.ptr == b.ptr;
    }
    return slice_eq(a, b);
}

static bool apply_text(struct slice *text, struct slice value)
{
    if (same_text(*text, value)) {
        return false;
    }
    *text = value;
    return true;
}

static bool apply_status(struct task *task, enum task_status status, int64_t now)
{
    if (task->status == status) {
        return false;
    }
    task->status = status;
    task->completed_at = status == TASK_COMPLETED ? now : 0;
    return true;
}

bool task_apply(struct task *task, const struct task_change *change, int64_t now)
{
    bool differs = false;
    if (change->set & TASK_TITLE) {
        differs |= apply_text(&task->title, change->title);
    }
    if (change->set & TASK_DESCRIPTION) {
        differs |= apply_text(&task->description, change->description);
    }
    if (change->set & TASK_STATUS) {
        differs |= apply_status(task, change->status, now);
    }
    if (differs) {
        task->updated_at = now;
    }
    return differs;
}
