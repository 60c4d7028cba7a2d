#include <stdio.h>

#include "base/settings.h"
#include "cli/cli.h"

static int help_command(const char *name)
{
    const struct cli_command *command = cli_find(name);

    if (!command) {
        return CLI_USAGE;
    }
    printf("usage: taskhold %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    if (command->takes_settings) {
        printf("\nFLAGS beat the environment (the name in brackets), which beats the file of "
               "--env-file,\nwhich beats .env in the working folder, which beats the default. "
               "NAME_FILE names a file\nthat holds a secret.\n\n");
        settings_print_help(stdout);
    }
    return CLI_OK;
}

int cli_help(int argc, char **argv)
{
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);

    if (argc > 1) {
        return cli_no_more(argc - 1, argv + 1, (const char *const[]){NULL});
    }
    if (argc == 1) {
        return help_command(argv[0]);
    }
    printf("taskhold: the backend of a to-do application\n\nusage: taskhold COMMAND\n\n");
    for (size_t i = 0; i < count; i++) {
        printf("  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    printf(
        "\n`taskhold serve` works without any configuration. `taskhold help COMMAND` prints more."
        "\nExit status: 0 done, 1 failed, 2 usage, 78 configuration.\n");
    return CLI_OK;
}
