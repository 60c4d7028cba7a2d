// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_KEEPER_H
#define TASKHOLD_STORE_POSTGRES_KEEPER_H

#include "store/postgres/news.h"
#include "store/store.h"

/* A thread with a connection of its own that keeps the house: it hears of the sessions that other
 * nodes end and of what they commit (LISTEN; news.h), asks once a second whether the database
 * answers and is migrated, deletes once a minute what has expired (one node at a time: an advisory
 * lock), and removes in small steps what deleted accounts left. */
struct keeper;

#define KEEPER_CHANNEL "taskhold_sessions_ended" /* payload: the user's id as text */

/* `options` as in store_open; copied but for the texts. `news` outlives it. NULL without memory or
 * thread. */
struct keeper *keeper_create(const struct connect_options *connect,
                             const struct store_options *options, struct news *news);
void keeper_destroy(struct keeper **keeper);

/* What it found last. Any thread. */
void keeper_health(const struct keeper *keeper, struct store_health *health);

#endif
