// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_SANDBOX_FIXTURE_H
#define TASKHOLD_TESTS_SANDBOX_FIXTURE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Each try is made by a process of its own, which closes the sandbox, tries, and tells: by its exit
 * status, or by the signal that ended it. */

#define WENT_WELL 0
#define NO_SUCH   200 /* the kernel cannot */

struct place {
    char folder[64]; /* allowed for writing */
    char other[64];  /* not */
    char read[64];   /* a folder for reading */
    uint16_t port;   /* somebody listens there, and it is allowed */
    uint16_t away;   /* somebody listens there, and it is not */
    int listeners[2];
};

struct trying {
    const struct place *place;
    int (*what)(const struct place *place);
    bool calls;     /* the filter of system calls, else files and ports */
    bool sockets;   /* of that filter */
    bool elsewhere; /* in a thread that was there before */
    pthread_mutex_t lock;
    int result;
};

int sandbox_set_up(void **state);
int sandbox_tear_down(void **state);

/* An empty file, made anew if it is not there. */
void make_file(const char *folder, const char *name);

/* What a try gives: 0, or errno where `result` is below 0; and some that both kinds of tests make.
 */
int result_of(long result);
int open_in(const char *folder, const char *name, int flags);
int connect_to(uint16_t port);
int connect_allowed(const struct place *place);
int signal_parent(const struct place *place);

/* Of the process that closes the sandbox and tries, as waitpid gives it. */
int status_of(struct trying trying);

/* 0: this kernel has none. */
int landlock_version(void);

#endif
