// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_POSTGRES_ENGINE_H
#define TASKHOLD_STORE_POSTGRES_ENGINE_H

#include "store/store.h"

/* A PostgreSQL server, or several, over libpq; any number of processes side by side. */
extern const struct store_engine postgres_engine;

#endif
