// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "cli/reference.h"

/* What a command's own flags mean. */
static const struct {
    const char *command; /* NULL: of any */
    const char *flag;
    const char *placeholder;
    const char *meaning;
} own_flags[] = {
    {"backup", "--force", "", "replace FILE if it exists"},
    {"export", "--force", "", "replace FILE if it exists"},
    {"restore", "--force", "", "replace the database that is there; it is kept beside it"},
    {"export", "--json", "", "print what was written as JSON; goes with FILE"},
    {"export", "--user", " EMAIL", "only this account"},
    {"move", "--from", " URL", "the database to read"},
    {"move", "--to", " URL", "the empty one to write"},
    {"move", "--compare", "", "only compare the two"},
    {"config", "--markdown", "", "print the table of all settings for a document"},
    {"user", "--name", " NAME", "of the person, with add"},
    {"user", "--yes", "", "do not ask, with delete"},
    {"user", "--days", " N", "days that an invitation is good, with invite; 7 if not given"},
    {NULL, "--json", "", "print JSON"},
};

static void print_own_flag(const struct cli_command *command, struct slice flag)
{
    for (size_t i = 0; i < sizeof own_flags / sizeof *own_flags; i++) {
        char left[64];
        if (!slice_eq(flag, slice_of(own_flags[i].flag)) ||
            (own_flags[i].command && strcmp(own_flags[i].command, command->name) != 0)) {
            continue;
        }
        (void)snprintf(left, sizeof left, "%s%s", own_flags[i].flag, own_flags[i].placeholder);
        printf("  %-28s %s\n", left, own_flags[i].meaning);
        return;
    }
}

static void print_own_flags(const struct cli_command *command)
{
    struct slice rest = slice_of(command->arguments);
    struct slice word;
    enum reference_kind kind;
    bool any = false;

    while (reference_next(&rest, &word, &kind)) {
        if (kind == REFERENCE_FLAG) {
            printf("%s", any ? "" : "\n");
            print_own_flag(command, word);
            any = true;
        }
    }
}

/* The settings that matter to a command; the others are taken as well, so that one set of flags
 * does for all. */
static enum settings_scope scope_of(const struct cli_command *command)
{
    static const char *const all[] = {"serve", "config", "doctor"};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (strcmp(command->name, all[i]) == 0) {
            return SETTINGS_OF_ALL;
        }
    }
    return strcmp(command->name, "healthcheck") == 0 ? SETTINGS_OF_ADDRESS : SETTINGS_OF_DATABASE;
}

static void print_settings(const struct cli_command *command)
{
    const enum settings_scope scope = scope_of(command);

    printf("\nFLAGS beat the environment (the name in brackets), which beats the file of "
           "--env-file,\nwhich beats .env in the working folder, which beats the default. "
           "NAME_FILE names a file\nthat holds a secret.%s\n\n",
           scope == SETTINGS_OF_ALL ? "" : " Those of taskhold help serve are taken too.");
    settings_print_help(stdout, scope);
}

static int help_command(const char *name)
{
    const struct cli_command *command = cli_find(name);

    if (!command) {
        return CLI_USAGE;
    }
    printf("usage: taskhold %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    print_own_flags(command);
    if (command->takes_settings) {
        print_settings(command);
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
