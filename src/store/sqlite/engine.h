// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_ENGINE_H
#define TASKHOLD_STORE_SQLITE_ENGINE_H

#include "store/store.h"

/* One file on a local disk, one writer thread, a read-only connection a loop. */
extern const struct store_engine sqlite_engine;

#endif
