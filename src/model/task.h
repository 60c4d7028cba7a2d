// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TASK_H
#define TASKHOLD_MODEL_TASK_H

#include <stdint.h>

#include "base/slice.h"
#include "base/uuid.h"

/* A task and what may be done to it. Pure functions, no I/O. */

enum task_status {
    TASK_PENDING,
    TASK_IN_PROGRESS,
    TASK_COMPLETED,
    TASK_STATUS_COUNT,
};

#define TASK_TITLE_MOST       1024  /* code points */
#define TASK_DESCRIPTION_MOST 16384 /* code points */

/* Texts are borrowed from whoever made the row. Times in milliseconds since 1970. */
struct task {
    struct uuid id;
    struct slice title;
    struct slice description; /* ptr NULL: null */
    enum task_status status;
    int64_t created_at;
    int64_t updated_at;
    int64_t completed_at; /* 0: null */
    int64_t revision;     /* of the last change; from the user's one counter, from 1 */
};

/* `pending`, `in-progress`, `completed`. */
struct slice task_status_name(enum task_status status);

/* Returns false when `name` is none of them. */
bool task_status_parse(struct slice name, enum task_status *status);

/* Which members a change sets; a replacement sets all of them. */
enum task_member {
    TASK_TITLE = 1,
    TASK_DESCRIPTION = 2,
    TASK_STATUS = 4,
    TASK_ALL = 7,
};

/* A merge patch (RFC 7396) after validation: absent members keep what is there. */
struct task_change {
    unsigned set;             /* bits of enum task_member */
    struct slice title;       /* valid when its bit is set */
    struct slice description; /* ptr NULL clears */
    enum task_status status;
};

/* Applies `change` to `task` and says whether anything differs; if so, updated_at becomes `now` and
 * completed_at follows the status. The revision is the store's business. */
bool task_apply(struct task *task, const struct task_change *change, int64_t now);

#endif
