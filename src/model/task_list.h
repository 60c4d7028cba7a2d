// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_MODEL_TASK_LIST_H
#define TASKHOLD_MODEL_TASK_LIST_H

#include "model/resource.h"

#define LISTS_MOST              1000 /* in one space */
#define LIST_NAME_MOST          128  /* code points */
#define LIST_COLOR_LEN          7    /* bytes */
#define LIST_METADATA_MOST      50   /* members */
#define LIST_METADATA_NAME_MOST 40   /* code points */
#define LIST_METADATA_TEXT_MOST 500

/* What tasks are kept in. Texts are borrowed from whoever made the item. */
struct task_list {
    ITEM_MEMBERS;
    struct slice name;
    struct slice color;    /* #rrggbb in lower case; ptr NULL: null */
    struct slice position; /* model/position.h */
    unsigned archived;     /* FIELD_BOOL */
    struct slice metadata; /* FIELD_MAP */
};
ITEM_ASSERT(struct task_list);

extern const struct resource list_resource;

#endif
