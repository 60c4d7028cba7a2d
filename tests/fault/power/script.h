// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_POWER_SCRIPT_H
#define TASKHOLD_TESTS_POWER_SCRIPT_H

#include "disk.h"
#include "store_fixture.h"

/* Writes of all kinds through the store's calls, one after the other, on a disk that remembers: and
 * of each at which point of that it was asked for and answered, and what the database was then. */

#define SCRIPT_STEPS_MOST 2000
#define SCRIPT_NOT_OPENED 71 /* how the process ends when the store does not open */

struct script_mark {
    unsigned begun;    /* events of the disk before it was asked for */
    unsigned answered; /* and when it was answered; UINT_MAX: it never was */
    uint64_t contents; /* script_contents then */
    unsigned kind;
    bool keyed; /* a create under the key of its number */
    struct uuid space;
    struct uuid id;
};

struct script {
    struct script_mark *marks; /* shared with children */
    unsigned *count;           /* likewise; the first one is the opening */

    /* That step opens the store anew, and of those after it the nth flush of the WAL fails. The
     * contents are looked at from there on. 0: none does. */
    unsigned fail_step;
    unsigned fail_nth;
};

struct script script_create(void);

/* A folder of its own, in memory where there is such a place. */
void script_folder(char path[64]);

/* The store at `folder`/t.db, with a loop on it; NULL: `why` says why not. */
struct store *script_open(const char *folder, struct loop *loop, char *why, size_t why_size);
void script_close(struct loop *loop, struct store **store);

/* Runs `steps` writes on the disk that is watched, chosen by `seed`, after opening the store. It is
 * closed at the end; `gone`: it is not, and the caller ends by itself. */
void script_run(struct script *script, const struct disk *disk, const char *folder, unsigned steps,
                uint64_t seed);

/* Equal databases have the same. Waits for what the server removes by itself. 0: it cannot be read;
 * `whole` may be NULL: whether it is sound, costs more. */
uint64_t script_contents(const char *folder, bool *whole);

/* The create of the step once more, under its key: it has had its effect once, or has it now.
 * `before`: it must have had it. False: it is not so. */
bool script_repeat(struct loop *loop, const struct script_mark *mark, unsigned number, bool before);

unsigned script_kind_count(void);
const char *script_kind_name(unsigned kind);

#endif
