// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TEST_SERIES_FIXTURE_H
#define TASKHOLD_TEST_SERIES_FIXTURE_H

#include "model/series.h"

/* What the tests of model/series.h share. What is wrong fails the test. */

#define SERIES_ARENA (1 << 20)

extern struct arena *series_arena;

/* Of a group; zones are the system's. */
int series_set_up(void **state);
int series_tear_down(void **state);

/* Released by the caller. */
struct zone *series_zone(const char *name);

/* A date or an instant as FIELD_WHEN; "" is null. */
int64_t series_date(const char *text);

/* Milliseconds since 1970. */
int64_t series_instant(const char *text);

/* `packed` is shown so, without milliseconds. */
void series_must_be(int64_t packed, const char *expected, const char *what);

struct uuid series_id(uint8_t number);

/* With the id 1, which is its series. `rule` may be NULL. */
struct task series_task(const char *start, const char *due, const char *rule);

#endif
