// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "store/store.h"

/* Opening a database brings its schema to head; so this opens it and closes it again. */
int cli_migrate(int argc, char **argv)
{
    struct settings settings = {0};
    char why[512] = "DATABASE_URL names no engine that is built in";
    struct store_options options = {0};
    const struct store_engine *engine = NULL;
    struct store *store = NULL;
    const bool json = cli_take_flag(&argc, argv, "--json");
    int status = settings_load(&settings, argc, argv, NULL, NULL);

    if (status != CLI_OK) {
        return status;
    }
    engine = store_engine_for(settings.database_url);
    if (!engine) {
        status = CLI_CONFIGURATION;
        goto out;
    }
    options = cli_store_options(&settings);
    store = engine->open(&options, why, sizeof why);
    status = store ? CLI_OK : CLI_FAILED;
out:
    if (store) {
        printf(json ? "{\"engine\":\"%s\",\"at_head\":true}\n" : "the schema is at head\n",
               engine->name);
        engine->close(&store);
    } else {
        fprintf(stderr, "taskhold: %s\n", why);
    }
    settings_finish(&settings);
    return status;
}
