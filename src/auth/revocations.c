// SPDX-License-Identifier: MIT
#include "auth/revocations.h"

#include <stdatomic.h>
#include <stdlib.h>

/* Users that share a counter only cost one another a look at the store. */
#define COUNTERS 4096

struct revocations {
    _Atomic uint64_t counters[COUNTERS];
};

/* The last bytes of a UUIDv7 are random. */
static size_t place_of(struct uuid user)
{
    return ((size_t)user.bytes[14] << 8 | user.bytes[15]) % COUNTERS;
}

struct revocations *revocations_create(void)
{
    return calloc(1, sizeof(struct revocations));
}

void revocations_destroy(struct revocations **revocations)
{
    free(*revocations);
    *revocations = NULL;
}

void revocations_add(struct revocations *revocations, struct uuid user)
{
    atomic_fetch_add_explicit(&revocations->counters[place_of(user)], 1, memory_order_acq_rel);
}

/* Acquire: the question to the store that follows cannot move before this read, so an end of a
 * session that the store did not yet know moves the counter afterwards. */
uint64_t revocations_of(const struct revocations *revocations, struct uuid user)
{
    return atomic_load_explicit(&revocations->counters[place_of(user)], memory_order_acquire);
}
