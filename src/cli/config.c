// SPDX-License-Identifier: MIT
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
        /* The tables of docs/configuration.md: nothing of this machine is in it. */
        status = cli_no_more(argc, argv, (const char *const[]){"--json", "--markdown", NULL});
        if (status == CLI_OK) {
            settings_print_markdown(stdout);
        }
        return status;
    }
    status = settings_read(&settings, argc, argv, NULL, NULL);
    if (status != CLI_OK) {
        return status;
    }
    settings_need_secret(&settings); /* as the server will */
    if (settings.remarks) {
        fputs(settings.remarks, stderr);
    }
    if (!settings_print(&settings, stdout, json)) {
        status = CLI_FAILED;
    } else if (settings_fault(&settings)) {
        status = CLI_CONFIGURATION;
        fprintf(stderr, "taskhold: %s\n", settings_fault(&settings));
    }
    settings_finish(&settings);
    return status;
}
