// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_IMPORT_FROM_H
#define TASKHOLD_CLI_IMPORT_FROM_H

#include "base/settings.h"

/* `taskhold import --from`: another service's file into one account, also while a server runs. */

struct import_order {
    const struct settings *settings;
    const char *from; /* name of a format */
    const char *user; /* e-mail */
    const char *file;
    bool dry_run;
    bool json;
};

/* Returns an exit status; CLI_FAILED when anything was refused. */
int import_from(const struct import_order *order);

#endif
