// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_BESIDE_H
#define TASKHOLD_BASE_BESIDE_H

/* What stands beside the file of an SQLite database: its name and one of these. */
#define BESIDE_WAL         "-wal"
#define BESIDE_SHM         "-shm"
#define BESIDE_JOURNAL     "-journal"
#define BESIDE_LOCK        ".lock"
#define BESIDE_SECRET      ".jwt-secret"
#define BESIDE_CONTROL     ".control"
#define BESIDE_LAST_BACKUP ".last-backup"

#endif
