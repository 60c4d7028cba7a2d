// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_SQLITE_FILE_WATCH_H
#define TASKHOLD_STORE_SQLITE_FILE_WATCH_H

#include <stdbool.h>
#include <stdint.h>

/* Are the database file and its WAL still what their names lead to? */

#define FILE_WATCH_COUNT 2

struct file_identity {
    uint32_t major; /* the device */
    uint32_t minor;
    uint64_t inode;
};

struct file_watch {
    struct {
        char *path;
        struct file_identity identity;
        bool known; /* false: it is not looked for */
    } files[FILE_WATCH_COUNT];
};

/* Remembers the files of the database at `path`. Without memory it looks for none. */
void file_watch_init(struct file_watch *watch, const char *path);
void file_watch_finish(struct file_watch *watch);

bool file_watch_is_moved(const struct file_watch *watch);

#endif
