// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_LAST_BACKUP_H
#define TASKHOLD_STORE_SQLITE_LAST_BACKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When the database was last backed up, in a small file beside it (BESIDE_LAST_BACKUP): a backup
 * only reads the database, and a server may start after it. The file is one line, seconds of Unix
 * time and the same for people: `1764416400 2025-11-29T11:40:00Z`. */

/* Notes that a copy was made of what the database `path` held at `when_ms`. False with one line in
 * `why`. */
bool last_backup_note(const char *path, int64_t when_ms, char *why, size_t why_size);

/* What was noted last, in seconds of Unix time; 0: nothing that can be read. */
int64_t last_backup_read(const char *path);

#endif
