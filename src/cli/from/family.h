// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_FROM_FAMILY_H
#define TASKHOLD_CLI_FROM_FAMILY_H

#include "cli/from/intake.h"
#include "cli/from/key_map.h"

/* Which tasks have come, and which wait for their parents. */

struct family_task {
    struct slice key; /* kept */
    uint32_t root;    /* the first of its tree */
    uint32_t tree;    /* of a root: how many tasks its tree has, with it */
    uint32_t list;    /* number from 1; 0: the inbox */
    uint32_t level;   /* 1: a root */
    uint32_t parent;
};

struct family_waiting {
    struct from_task task;
    struct key_digest parent;
    struct key_digest digest;
    size_t came;
    bool done;
};

struct intake_tree {
    struct key_map lists; /* numbers from 1 */
    struct slice list_keys[FROM_LISTS_MOST + 1];
    struct key_map keys; /* of all tasks, those that wait among them */
    struct key_map tasks;
    struct family_task *all;
    size_t count;
    size_t capacity;
    struct key_map same; /* how many had this list, parent and title */
    struct family_waiting *waiting;
    size_t waiting_count;
    size_t waiting_capacity;
    struct arena *kept; /* what lives as long as the intake */
};

/* The task's parent has come: finds its place in the tree and its list, and gives it to the sink.
 * What the contract's limits of a tree do not allow is changed, with a note. */
bool family_place(struct intake *in, struct from_task *task) __attribute__((warn_unused_result));

/* Keeps a copy of a task whose parent has not come. */
bool family_wait(struct intake *in, const struct from_task *task)
    __attribute__((warn_unused_result));

/* All of them come: those whose parent came later first, then those that have none. */
bool family_settle(struct intake *in) __attribute__((warn_unused_result));

#endif
