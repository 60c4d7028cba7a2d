// SPDX-License-Identifier: MIT
#include "cli/cli.h"

/* A program of the build alone: prints what `taskhold help --json` does, before there is a
 * taskhold, which carries what is made of it. */
int main(void)
{
    char json[] = "--json";
    char *argv[] = {json, NULL};

    return cli_help(1, argv);
}
