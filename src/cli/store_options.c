#include "cli/store_options.h"

#include <string.h>

struct store_options cli_store_options(const struct settings *settings)
{
    return (struct store_options){
        .url = settings->database_url,
        .pool = (unsigned)settings->database_pool,
        .timeout_ms = (unsigned)settings->database_timeout_ms,
        .unprepared = strcmp(settings->database_prepared, "off") == 0,
    };
}
