// SPDX-License-Identifier: MIT
#include "cli/store_options.h"

#include <string.h>

struct store_options cli_store_options(const struct settings *settings)
{
    return (struct store_options){
        .url = settings->database_url,
        .user_tasks_most = settings->user_tasks_most,
        .user_bytes_most = settings->user_bytes_most,
        .pool = (unsigned)settings->database_pool,
        .timeout_ms = (unsigned)settings->database_timeout_ms,
        .unprepared = strcmp(settings->database_prepared, "off") == 0,
    };
}
