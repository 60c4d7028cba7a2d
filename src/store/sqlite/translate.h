// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_TRANSLATE_H
#define TASKHOLD_STORE_SQLITE_TRANSLATE_H

#include <stdbool.h>

#include "base/error.h"

/* What a result code of SQLite (extended or not) means to a caller. SQLITE_OK, SQLITE_ROW and
 * SQLITE_DONE are ERROR_NONE. */
enum error translate_error(int rc);

/* The file is damaged: it must not be written to again before somebody has looked at it. */
bool translate_is_corrupt(int rc);

/* The kernel failed to write or to flush. After that it may call pages clean that never reached
 * the disk, so nothing that is tried again can be believed. */
bool translate_is_lost_write(int rc);

#endif
