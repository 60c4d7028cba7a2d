// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_IMPORT_PLAN_H
#define TASKHOLD_CLI_IMPORT_PLAN_H

#include "base/uuid.h"
#include "cli/from/from.h"
#include "cli/from/key_map.h"

/* What a file of another service comes to: lists and tasks as a PUT of the API has them. The id of
 * each is made of the user, the format, what it is and its key, so that it is the same whenever the
 * file, or a later one of the same service, is read again. */

#define IMPORT_NONE UINT32_MAX

enum import_state {
    IMPORT_WAITING,
    IMPORT_MADE,
    IMPORT_THERE,
    IMPORT_REFUSED,
    IMPORT_STATES,
};

struct import_entry {
    struct uuid id;
    size_t line;
    int64_t order;
    uint32_t number; /* as they came */
    uint32_t list;   /* number of its list; IMPORT_NONE: the inbox, or it is a list */
    uint32_t parent; /* number of its parent; IMPORT_NONE: none */
    uint32_t level;  /* 0: no subtask */
    enum import_state state;
    char *body; /* JSON; owned */
    size_t body_len;
};

struct import_entries {
    struct import_entry *all; /* by number */
    uint32_t count;
    uint32_t capacity;
    struct key_map numbers; /* by key */
};

/* All zero but for the first two is an empty one. */
struct import_plan {
    struct uuid user;
    enum from_format format;
    struct import_entries lists;
    struct import_entries tasks;
    uint32_t *turns; /* numbers of tasks in the order in which they are to be made */
};

/* Both return false without memory. What the entry refers to was added before. */
bool import_plan_add_list(struct import_plan *plan, const struct from_list *list)
    __attribute__((warn_unused_result));
bool import_plan_add_task(struct import_plan *plan, const struct from_task *task)
    __attribute__((warn_unused_result));

/* Sets `turns`: list by list, parents before their children, siblings by their order; for what is
 * made later stands after what was made before. False without memory. */
bool import_plan_sort(struct import_plan *plan) __attribute__((warn_unused_result));

void import_plan_finish(struct import_plan *plan);

#endif
