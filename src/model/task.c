// SPDX-License-Identifier: MIT
#include "model/task.h"

static const struct slice status_names[TASK_STATUS_COUNT] = {
    [TASK_PENDING] = FIELD_NAME("pending"),
    [TASK_IN_PROGRESS] = FIELD_NAME("in-progress"),
    [TASK_COMPLETED] = FIELD_NAME("completed"),
};

/* FIELD_CHOICE reads and writes an unsigned. */
static_assert(sizeof(enum task_status) == sizeof(unsigned), "an enum is as wide as unsigned");

enum { ID, TITLE, DESCRIPTION, STATUS, CREATED_AT, UPDATED_AT, COMPLETED_AT, REVISION, COUNT };

static const struct field fields[COUNT] = {
    [ID] = {.name = FIELD_NAME("id"),
            .type = FIELD_UUID,
            .flags = FIELD_READ_ONLY | FIELD_FIXED,
            .at = offsetof(struct task, id)},
    [TITLE] = {.name = FIELD_NAME("title"),
               .type = FIELD_TEXT,
               .flags = FIELD_REQUIRED | FIELD_NOT_EMPTY | FIELD_NOT_BLANK | FIELD_SORTABLE,
               .most = TASK_TITLE_MOST,
               .at = offsetof(struct task, title),
               .bit = 1U << TITLE},
    [DESCRIPTION] = {.name = FIELD_NAME("description"),
                     .type = FIELD_TEXT,
                     .flags = FIELD_NULLABLE | FIELD_MULTILINE,
                     .most = TASK_DESCRIPTION_MOST,
                     .at = offsetof(struct task, description),
                     .bit = 1U << DESCRIPTION},
    [STATUS] = {.name = FIELD_NAME("status"),
                .type = FIELD_CHOICE,
                .flags = FIELD_SORTABLE | FIELD_FILTERABLE,
                .choices = status_names,
                .choice_count = TASK_STATUS_COUNT,
                .at = offsetof(struct task, status),
                .bit = 1U << STATUS},
    [CREATED_AT] = {.name = FIELD_NAME("created_at"),
                    .type = FIELD_TIME,
                    .flags = FIELD_READ_ONLY | FIELD_FIXED | FIELD_SORTABLE,
                    .at = offsetof(struct task, created_at)},
    [UPDATED_AT] = {.name = FIELD_NAME("updated_at"),
                    .type = FIELD_TIME,
                    .flags = FIELD_READ_ONLY | FIELD_STAMP | FIELD_SORTABLE,
                    .at = offsetof(struct task, updated_at)},
    [COMPLETED_AT] = {.name = FIELD_NAME("completed_at"),
                      .type = FIELD_TIME,
                      .flags = FIELD_READ_ONLY | FIELD_NULLABLE,
                      .at = offsetof(struct task, completed_at)},
    [REVISION] = {.name = FIELD_NAME("revision"),
                  .type = FIELD_NUMBER,
                  .flags = FIELD_READ_ONLY | FIELD_STAMP,
                  .at = offsetof(struct task, revision)},
};

/* completed_at follows the status. */
static void settle(const void *before, void *after, int64_t now)
{
    const struct task *old = before;
    struct task *task = after;
    if (!old || old->status != task->status) {
        task->completed_at = task->status == TASK_COMPLETED ? now : 0;
    }
}

static bool fits(const void *item)
{
    const struct task *task = item;
    return (task->status == TASK_COMPLETED) == (task->completed_at != 0);
}

const struct resource task_resource = {
    .name = FIELD_NAME("task"),
    .collection = FIELD_NAME("tasks"),
    .kind = 1,
    .fields = fields,
    .count = COUNT,
    .size = sizeof(struct task),
    .text_most = ((size_t)TASK_TITLE_MOST + TASK_DESCRIPTION_MOST) * 4,
    .counted = &fields[STATUS],
    .settle = settle,
    .fits = fits,
};
