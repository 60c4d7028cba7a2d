// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/metrics_table.h"

/* The names are those that every exporter of Prometheus uses. */

static void add_head(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_add_format(out, "# HELP %s %s\n# TYPE %s %s\n%s ", name, help, name, type, name);
}

static void add_cpu(struct buffer *out)
{
    struct timespec used = {0};
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) {
        return;
    }
    add_head(out, "process_cpu_seconds_total", "counter", "Processor time, user and system.");
    metrics_add_seconds(out, (int64_t)used.tv_sec * 1000000 + used.tv_nsec / 1000);
    buffer_add_char(out, '\n');
}

/* `size resident …` in pages; see proc(5). */
static bool read_memory(uint64_t *size, uint64_t *resident)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t len = fd >= 0 ? read(fd, text, sizeof text) : -1;
    struct slice rest = {text, len > 0 ? (size_t)len : 0};
    struct slice first = slice_next(&rest, ' ');
    if (fd >= 0) {
        close(fd);
    }
    return len > 0 && slice_to_u64(first, INT64_MAX / 65536, size) &&
           slice_to_u64(slice_next(&rest, ' '), INT64_MAX / 65536, resident);
}

static void add_memory(struct buffer *out)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t size = 0;
    uint64_t resident = 0;
    if (!read_memory(&size, &resident)) {
        return;
    }
    add_head(out, "process_resident_memory_bytes", "gauge", "Resident memory.");
    buffer_add_u64(out, resident * page);
    buffer_add_char(out, '\n');
    add_head(out, "process_virtual_memory_bytes", "gauge", "Virtual memory.");
    buffer_add_u64(out, size * page);
    buffer_add_char(out, '\n');
}

/* -1: the kernel does not tell. The descriptor that counts is not counted. */
static int64_t count_descriptors(void)
{
    DIR *list = opendir("/proc/self/fd");
    int64_t count = -1;
    if (!list) {
        return count;
    }
    for (const struct dirent *entry = readdir(list); entry; entry = readdir(list)) {
        count += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(list);
    return count;
}

static void add_descriptors(struct buffer *out)
{
    const int64_t count = count_descriptors();
    struct rlimit limit = {0};
    if (count >= 0) {
        add_head(out, "process_open_fds", "gauge", "Open file descriptors.");
        buffer_add_format(out, "%lld\n", (long long)count);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        add_head(out, "process_max_fds", "gauge", "The most file descriptors.");
        buffer_add_format(out, "%llu\n", (unsigned long long)limit.rlim_cur);
    }
}

void metrics_process_write(struct buffer *out)
{
    add_cpu(out);
    add_memory(out);
    add_descriptors(out);
    add_head(out, "process_start_time_seconds", "gauge", "When it started, in Unix time.");
    metrics_add_seconds(out, metrics_started_ms() * 1000);
    buffer_add_char(out, '\n');
}
