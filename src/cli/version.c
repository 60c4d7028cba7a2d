// SPDX-License-Identifier: MIT
#include <stdio.h>

#include "cli/cli.h"

int cli_version(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const int status = cli_no_more(argc, argv, (const char *const[]){"--json", NULL});

    if (status == CLI_OK) {
        printf(json ? "{\"name\":\"taskhold\",\"version\":\"%s\"}\n" : "taskhold %s\n",
               TASKHOLD_VERSION);
    }
    return status;
}
