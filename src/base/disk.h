// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_DISK_H
#define TASKHOLD_BASE_DISK_H

#include <sys/types.h>

#include "base/slice.h"

/* What stands beside the file of an SQLite database: its name and one of these. */
#define BESIDE_WAL         "-wal"
#define BESIDE_SHM         "-shm"
#define BESIDE_JOURNAL     "-journal"
#define BESIDE_LOCK        ".lock"
#define BESIDE_SECRET      ".jwt-secret"
#define BESIDE_CONTROL     ".control"
#define BESIDE_LAST_BACKUP ".last-backup"

/* Reads until `size` bytes are there or the end. Returns how many; -1 with errno. */
ssize_t disk_read(int fd, char *data, size_t size);

/* The content of a small file in `text`, without blanks and line ends around it, at most `size`
 * bytes; `ptr` NULL: it cannot be read. */
struct slice disk_read_small(const char *path, char *text, size_t size);

/* Writes all of it. False, with errno: some of it may have been written. */
bool disk_write(int fd, const char *data, size_t len) __attribute__((warn_unused_result));

/* Flushes a file or a folder to the disk. False, with errno. */
bool disk_flush(const char *path) __attribute__((warn_unused_result));

/* The folder that holds `path`, from malloc; NULL without memory. */
char *disk_folder_of(const char *path);

#endif
