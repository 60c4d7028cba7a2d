// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_TESTS_POWER_KINDS_H
#define TASKHOLD_TESTS_POWER_KINDS_H

#include "script.h"

/* The kinds of writes of a script, and what they are chosen from. */

#define USERS    4
#define THINGS   24 /* tasks or lists that a user is remembered with */
#define SESSIONS 4

struct thing {
    struct uuid id;
    int64_t revision;
};

struct person {
    struct uuid id;
    bool there;
    struct thing tasks[THINGS];
    struct thing lists[THINGS];
    struct uuid sessions[SESSIONS];
    struct uuid tokens[SESSIONS];
};

#define WORDS     256 /* texts of a step at a time: a batch has at most 100 */
#define WORDS_LEN 64

struct world {
    struct loop loop;
    struct store *store;
    const char *folder;
    uint64_t seed;
    int64_t now;
    unsigned number; /* of the running step */
    struct person people[USERS];
    struct person *who; /* of the running step */
    struct script_mark *mark;
    char text[70000];
    char words[WORDS][WORDS_LEN];
    unsigned next_words;
};

struct kind {
    const char *name;
    void (*run)(struct world *w);
    unsigned weight;
};

extern const struct kind kinds[];
extern const unsigned kind_count;

/* A number below `most`. */
uint64_t world_below(struct world *w, uint64_t most);

/* Closes the store and opens it; the process ends when it does not open. */
void world_open(struct world *w);
void world_reopen(struct world *w);

#endif
