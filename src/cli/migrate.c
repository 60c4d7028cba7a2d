// SPDX-License-Identifier: MIT
#include <assert.h>

#include "cli/cli.h"
#include "store/store.h"

/* Opening a database brings its schema to head, and gives it a new epoch where that is asked for;
 * so this opens it and closes it again. */
int cli_migrate(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const bool new_epoch = cli_take_flag(&argc, argv, "--new-epoch");
    struct settings settings = {0};
    char why[512] = "";
    int status = settings_load(&settings, argc, argv, NULL, NULL);

    if (status != CLI_OK) {
        return status;
    }
    const struct store_engine *engine = store_engine_for(settings.database_url);
    assert(engine); /* the settings were checked */
    struct store_options options = cli_store_options(&settings);
    options.new_epoch = new_epoch;
    struct store *store = engine->open(&options, why, sizeof why);
    if (store) {
        if (json) {
            printf("{\"engine\":\"%s\",\"at_head\":true%s}\n", engine->name,
                   new_epoch ? ",\"new_epoch\":true" : "");
        } else {
            printf("the schema is at head\n%s",
                   new_epoch ? "every entity tag and cursor from before is old now\n" : "");
        }
        engine->close(&store);
    } else {
        status = complain(CLI_FAILED, "%s", why);
    }
    settings_finish(&settings);
    return status;
}
