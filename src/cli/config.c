#include <stdio.h>

#include "base/settings.h"
#include "cli/cli.h"

int cli_config(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const bool markdown = cli_take_flag(&argc, argv, "--markdown");
    struct settings settings = {0};
    int status = CLI_OK;

    if (markdown) {
        /* The table of the README: nothing of this machine is in it. */
        status = cli_no_more(argc, argv, (const char *const[]){"--json", "--markdown", NULL});
        if (status == CLI_OK) {
            settings_print_markdown(stdout);
        }
        return status;
    }
    status = settings_load(&settings, argc, argv, NULL, NULL);
    if (status == CLI_OK) {
        settings_print(&settings, stdout, json);
        settings_finish(&settings);
    }
    return status;
}
