// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "cli/reference.h"

/* The column in which meanings begin, and where a line ends. */
#define MEANING_COLUMN 31
#define LAST_COLUMN    80

static void print_wrapped(const char *text)
{
    struct slice rest = slice_of(text);
    size_t column = MEANING_COLUMN;

    while (rest.ptr) {
        const struct slice word = slice_next(&rest, ' ');
        if (column > MEANING_COLUMN && column + 1 + word.len > LAST_COLUMN) {
            printf("\n%*s", MEANING_COLUMN, "");
            column = MEANING_COLUMN;
        } else if (column > MEANING_COLUMN) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word.len, word.ptr);
        column += word.len;
    }
    putchar('\n');
}

static void print_own_flags(const struct cli_command *command)
{
    struct slice rest = slice_of(command->arguments);
    struct slice word;
    enum reference_kind kind;
    bool any = false;

    while (reference_next(&rest, &word, &kind)) {
        const struct reference_word *own = reference_explain(command, word);
        if (own) {
            char left[64];
            (void)snprintf(left, sizeof left, "%s%s", own->word, own->placeholder);
            printf("%s  %-28s ", any ? "" : "\n", left);
            print_wrapped(own->meaning);
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
