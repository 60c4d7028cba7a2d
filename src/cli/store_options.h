// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_STORE_OPTIONS_H
#define TASKHOLD_CLI_STORE_OPTIONS_H

#include "base/settings.h"
#include "store/store.h"

/* How the settings want the database opened. Texts are those of `settings`. */
struct store_options cli_store_options(const struct settings *settings);

#endif
