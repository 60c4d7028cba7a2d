// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_POWER_DISK_LOG_H
#define TASKHOLD_TESTS_POWER_DISK_LOG_H

#include "disk.h"

#define DISK_EVENTS_MOST 200000
#define DISK_BYTES_MOST  ((size_t)512 * 1024 * 1024)

/* A file as it was when the watching began. */
struct disk_base {
    bool there;
    size_t size;
    size_t bytes;
};

struct disk {
    struct disk_base base[DISK_FILES];
    unsigned count;
    size_t used;
    struct disk_event events[DISK_EVENTS_MOST];
    char bytes[DISK_BYTES_MOST];
};

#endif
