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

enum task_priority {
    TASK_PRIORITY_NONE,
    TASK_PRIORITY_LOW,
    TASK_PRIORITY_MEDIUM,
    TASK_PRIORITY_HIGH,
    TASK_PRIORITY_URGENT,
    TASK_PRIORITY_COUNT,
};

/* What the next date of a recurring task is counted from. */
enum task_anchor {
    TASK_ANCHOR_DUE,
    TASK_ANCHOR_COMPLETION,
    TASK_ANCHOR_COUNT,

    /* Own bits of the member (field.h). The wall clock of a `due` or `start` that the server moved
     * is skipped by its zone: it shows a later one until it is moved again. They stand here because
     * a column of their own would be a byte of every task. */
    TASK_DUE_MOVED = 2,
    TASK_START_MOVED = 4,
};

#define TASK_TITLE_MOST         1024  /* code points */
#define TASK_DESCRIPTION_MOST   16384 /* code points */
#define TASK_LABELS_MOST        32
#define TASK_LABEL_MOST         64 /* code points */
#define TASK_BLOCKERS_MOST      32
#define TASK_METADATA_MOST      50 /* members */
#define TASK_METADATA_NAME_MOST 40 /* code points */
#define TASK_METADATA_TEXT_MOST 500

/* Texts are borrowed from whoever made the item. Times in milliseconds since 1970. */
struct task {
    ITEM_MEMBERS;
    struct slice title;
    struct slice description; /* ptr NULL: null */
    enum task_status status;
    int64_t completed_at;  /* 0: null */
    struct uuid list_id;   /* all zero: null, the inbox */
    struct uuid parent_id; /* all zero: null */
    struct slice position; /* model/position.h */
    enum task_priority priority;
    struct slice labels;                /* FIELD_STRINGS */
    int64_t start;                      /* FIELD_WHEN */
    int64_t due;                        /* FIELD_WHEN */
    struct slice time_zone;             /* ptr NULL: the user's */
    struct slice recurrence;            /* ptr NULL: null */
    enum task_anchor recurrence_anchor; /* with its own bits */
    struct slice blocked_by;            /* FIELD_UUIDS */
    struct slice metadata;              /* FIELD_MAP */
    struct uuid series_id;              /* all zero: null */
    struct uuid next_id;                /* all zero: null */
};
ITEM_ASSERT(struct task);

extern const struct resource task_resource;

#endif
