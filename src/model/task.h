// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TASK_H
#define TASKHOLD_MODEL_TASK_H

#include "model/resource.h"

enum task_status {
    TASK_PENDING,
    TASK_IN_PROGRESS,
    TASK_COMPLETED,
    TASK_STATUS_COUNT,
};

#define TASK_TITLE_MOST       1024  /* code points */
#define TASK_DESCRIPTION_MOST 16384 /* code points */

/* Texts are borrowed from whoever made the item. Times in milliseconds since 1970. */
struct task {
    ITEM_MEMBERS;
    struct slice title;
    struct slice description; /* ptr NULL: null */
    enum task_status status;
    int64_t completed_at; /* 0: null */
};
ITEM_ASSERT(struct task);

extern const struct resource task_resource;

#endif
