// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_SANDBOX_H
#define TASKHOLD_BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the whole process gives up for good: files and ports by Landlock, system calls by seccomp.
 * What it needs is said first, then it is closed, and nothing opens it again. */

/* What a path is needed for. */
enum sandbox_use {
    SANDBOX_READ,  /* reading the file, or those beneath the folder */
    SANDBOX_LIST,  /* that, and listing the folders */
    SANDBOX_WRITE, /* that, and writing, making and removing files and sockets */
};

/* From which version on Landlock limits ports. */
#define SANDBOX_ABI_PORTS 4

/* Files and ports that are needed. */
struct sandbox_files {
    int ruleset;   /* -1: not begun */
    int abi;       /* of Landlock; 0: the kernel has none */
    bool failed;   /* something could not be added, for lack of memory or descriptors */
    uint64_t uses; /* of files that are limited, as the kernel numbers them */
};

/* What to limit beside files. What the kernel does not know is left as it is. */
struct sandbox_limits {
    bool connect; /* TCP connections to ports that are not allowed */
    bool bind;    /* listening on any port from now on */
    bool others;  /* signals and abstract sockets to processes outside */
};

/* False: the kernel has no Landlock, or refuses it; one line in `why`. */
bool sandbox_files_begin(struct sandbox_files *files, const struct sandbox_limits *limits,
                         char *why, size_t why_size);

/* `path`: a file, or a folder and all beneath it; links are followed. What is not there is skipped.
 * Of one in /proc or /sys a descriptor stays open, because the kernel forgets the rule else. */
void sandbox_files_allow(struct sandbox_files *files, const char *path, enum sandbox_use use);

/* Reading `file`, and what may take its place: all of its folder, unless that is one where files of
 * others lie (/, /etc, a home). The folder under its own name and the one links lead to. */
void sandbox_files_allow_around(struct sandbox_files *files, const char *file);

void sandbox_files_allow_connect(struct sandbox_files *files, uint16_t port);

/* Closes: for every thread (thread_run_everywhere). False: one line in `why`. */
bool sandbox_files_close(struct sandbox_files *files, char *why, size_t why_size);

/* Gives back what sandbox_files_begin took, closed or not. */
void sandbox_files_finish(struct sandbox_files *files);

/* What a server does that waits for connections and for its database. */
struct sandbox_calls {
    bool sockets; /* it may make new ones (TCP, UDP and Unix), connect them, and load libraries */
};

/* Whether the kernel can filter calls; false: one line in `why`. */
bool sandbox_calls_possible(char *why, size_t why_size);

/* From now on, in every thread, a call that a server has no use for ends the process (SIGSYS):
 * starting programs, tracing, mounting, listening, other users. Calls that the library does not
 * know yet are answered ENOSYS, so that a newer C library can do without. */
bool sandbox_calls_close(const struct sandbox_calls *calls, char *why, size_t why_size);

#endif
