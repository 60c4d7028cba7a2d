// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_DECISION_FIXTURE_H
#define TASKHOLD_TESTS_DECISION_FIXTURE_H

#include "store/decision.h"
#include "store/retention.h"

/* Writes of one task, for the tests of decisions. */

#define COUNT(rows) (sizeof(rows) / sizeof(rows)[0])
#define NOW         (INT64_C(2) * RETENTION_KEY_MS)

#define TASK_REVISION  7
#define SPACE_REVISION 9

#define TASK_BYTES ((int64_t)SPACE_ITEM_BYTES + 3) /* with a title of three letters */

extern const struct uuid id;    /* of the task */
extern const struct uuid other; /* of one that is not there */
extern const struct task tea;   /* the task, where it is there */
extern const struct usage_limits no_limits;
extern struct arena *decision_arena;

struct item_before task_before(bool exists);

/* Its values are those of a plain task of that title; they live until seven more writes. */
struct store_item_write task_write(enum store_verb verb, const char *title);

/* To be changed. */
struct task *decision_values(const struct store_item_write *write);

/* Of what is there after the write. */
const struct task *task_after(const struct store_item_write *write);

int decision_set_up(void **state);
int decision_tear_down(void **state);

#endif
