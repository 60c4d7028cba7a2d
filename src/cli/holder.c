// SPDX-License-Identifier: MIT
#include "cli/holder.h"

#include <assert.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"

/* That listen on one port: one for each address, and each loop of a server. */
#define SOCKETS_MOST 16

struct sockets {
    unsigned long inodes[SOCKETS_MOST];
    size_t count;
};

/* Lines of the table are `0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000
 * 1000 0 12345 …`: local address, remote address, state (0A listens), queues, timer, retransmits,
 * user, timeout, inode. */
static void find_sockets(const char *table, uint16_t port, struct sockets *sockets)
{
    char line[512];
    char wanted[8];
    FILE *in = fopen(table, "re");

    (void)snprintf(wanted, sizeof wanted, ":%04X", (unsigned)port);
    while (in && sockets->count < SOCKETS_MOST && fgets(line, sizeof line, in)) {
        struct slice rest = slice_of(line);
        struct slice words[10];
        for (size_t i = 0; i < 10; i++) {
            do {
                words[i] = slice_next(&rest, ' ');
            } while (rest.ptr && words[i].len == 0);
        }
        if (slice_ends(words[1], slice_of(wanted)) && slice_eq(words[3], SLICE("0A")) &&
            words[9].ptr) {
            sockets->inodes[sockets->count++] = strtoul(words[9].ptr, NULL, 10);
        }
    }
    if (in) {
        (void)fclose(in);
    }
}

static bool has_socket(const char *pid, const struct sockets *sockets)
{
    char folder[64];
    char target[64];
    char wanted[64];
    bool found = false;

    (void)snprintf(folder, sizeof folder, "/proc/%.20s/fd", pid);
    DIR *descriptors = opendir(folder);
    struct dirent *entry = descriptors ? readdir(descriptors) : NULL;
    for (; entry && !found; entry = readdir(descriptors)) {
        const ssize_t len =
            readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);
        target[len > 0 ? len : 0] = '\0';
        for (size_t i = 0; i < sockets->count && !found; i++) {
            (void)snprintf(wanted, sizeof wanted, "socket:[%lu]", sockets->inodes[i]);
            found = strcmp(target, wanted) == 0;
        }
    }
    if (descriptors) {
        (void)closedir(descriptors);
    }
    return found;
}

const char *holder_of_port(uint16_t port, char *out, size_t size)
{
    struct sockets sockets = {0};
    char path[64];
    char name[32] = "";

    assert(size > 0);
    out[0] = '\0';
    find_sockets("/proc/net/tcp", port, &sockets);
    find_sockets("/proc/net/tcp6", port, &sockets);
    DIR *processes = sockets.count > 0 ? opendir("/proc") : NULL;
    struct dirent *entry = processes ? readdir(processes) : NULL;
    while (entry && !(entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
                      has_socket(entry->d_name, &sockets))) {
        entry = readdir(processes);
    }
    if (entry) {
        (void)snprintf(path, sizeof path, "/proc/%.20s/comm", entry->d_name);
        FILE *in = fopen(path, "re");
        if (in && fgets(name, sizeof name, in)) {
            name[strcspn(name, "\n")] = '\0';
        }
        if (in) {
            (void)fclose(in);
        }
        (void)snprintf(out, size, " (held by pid %.20s%s%s)", entry->d_name, *name ? ", " : "",
                       name);
    }
    if (processes) {
        (void)closedir(processes);
    }
    return out;
}
