// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_AUTH_REVOCATIONS_H
#define TASKHOLD_AUTH_REVOCATIONS_H

#include "base/uuid.h"

/* Tells every loop at once that sessions of a user ended: a fixed array of counters by user. A loop
 * that remembers a verified token remembers its counter too, and asks the store again when the
 * counter has moved. Any thread; no lock. */
struct revocations;

struct revocations *revocations_create(void);
void revocations_destroy(struct revocations **revocations);

/* Called after the commit and before anyone is told. */
void revocations_add(struct revocations *revocations, struct uuid user);

/* The user's counter now. Read it before asking the store, never after. */
uint64_t revocations_of(const struct revocations *revocations, struct uuid user);

#endif
