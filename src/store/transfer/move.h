// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_STORE_TRANSFER_MOVE_H
#define TASKHOLD_STORE_TRANSFER_MOVE_H

#include "store/transfer/digest.h"

/* Copies a database into another, whatever engine either has, and compares them. */

struct move_progress {
    const char *doing;
    int64_t rows; /* so far, of all tables */
    int64_t total;
};

struct move_options {
    const char *from;
    const char *to;
    bool compare; /* what is there, and copy nothing */

    /* Called for each few rows; false: stop, and leave the target empty. */
    bool (*progress)(void *context, const struct move_progress *progress);
    void *context;
};

struct move_report {
    bool copied;   /* and kept; not when that was done before */
    bool compared; /* the rest is there */
    bool same;
    struct digest_sum from[TABLES_MOST]; /* as in `tables` */
    struct digest_sum to[TABLES_MOST];
};

/* Both sides are read for the comparison; what is not the same is not kept. A move that ends early,
 * however it ends, leaves the target empty and marked, and begins anew when it is run again; when
 * all had been written, it is compared again. False with one line in `why`, also when the sides
 * differ. */
bool move_run(const struct move_options *options, struct move_report *report, char *why,
              size_t why_size);

#endif
