// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/cli.h"
#include "store/store.h"

/* Opening a database brings its schema to head; so this opens it and closes it again. */
int cli_migrate(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    struct settings settings = {0};
    char why[512] = "";
    int status = settings_load(&settings, argc, argv, NULL, NULL);

    if (status != CLI_OK) {
        return status;
    }
    const struct store_engine *engine = store_engine_for(settings.database_url);
    assert(engine); /* the settings were checked */
    const struct store_options options = cli_store_options(&settings);
    struct store *store = engine->open(&options, why, sizeof why);
    if (store) {
        printf(json ? "{\"engine\":\"%s\",\"at_head\":true}\n" : "the schema is at head\n",
               engine->name);
        engine->close(&store);
    } else {
        status = complain(CLI_FAILED, "%s", why);
    }
    settings_finish(&settings);
    return status;
}
