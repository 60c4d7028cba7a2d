// SPDX-License-Identifier: MIT
#include "base/disk.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

ssize_t disk_read(int fd, char *data, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;

    assert(fd >= 0 && data && size <= SSIZE_MAX);
    while (got > 0 && len < size) {
        got = read(fd, data + len, size - len);
        if (got < 0 && errno == EINTR) {
            got = 1;
        } else if (got > 0) {
            len += (size_t)got;
        }
    }
    return got < 0 ? got : (ssize_t)len;
}

struct slice disk_read_small(const char *path, char *text, size_t size)
{
    assert(path && text);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t len = fd >= 0 ? disk_read(fd, text, size) : -1;

    if (fd >= 0) {
        close(fd);
    }
    return len < 0 ? (struct slice){0} : slice_strip((struct slice){text, (size_t)len});
}

bool disk_write(int fd, const char *data, size_t len)
{
    assert(fd >= 0 && (data || len == 0));
    while (len > 0) {
        const ssize_t put = write(fd, data, len);
        if (put > 0) {
            data += put;
            len -= (size_t)put;
        } else if (put < 0 && errno != EINTR) {
            return false;
        }
    }
    return true;
}

bool disk_flush(const char *path)
{
    assert(path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool flushed = fd >= 0 && fsync(fd) == 0;

    if (fd >= 0) {
        close(fd);
    }
    return flushed;
}

char *disk_folder_of(const char *path)
{
    assert(path);
    const char *slash = strrchr(path, '/');

    return !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
}
