// SPDX-License-Identifier: MIT
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "base/suggest.h"

bool cli_take_flag(int *argc, char **argv, const char *flag)
{
    int kept = 0;
    bool found = false;

    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], flag) == 0) {
            found = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return found;
}

bool cli_take_value(int *argc, char **argv, const char *flag, const char **value)
{
    const size_t len = strlen(flag);
    bool good = true;
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        if (strncmp(argv[i], flag, len) == 0 && argv[i][len] == '=') {
            *value = argv[i] + len + 1;
        } else if (strcmp(argv[i], flag) != 0) {
            argv[kept++] = argv[i];
        } else if (i + 1 < *argc) {
            *value = argv[++i];
        } else {
            good = false;
        }
    }
    *argc = kept;
    if (!good) {
        fprintf(stderr, "taskhold: %s needs a value\n", flag);
    }
    return good;
}

int cli_no_more(int argc, char **argv, const char *const *flags)
{
    struct suggest suggest;

    if (argc == 0) {
        return CLI_OK;
    }
    suggest_init(&suggest, argv[0]);
    for (const char *const *flag = flags; *flag; flag++) {
        suggest_offer(&suggest, *flag);
    }
    if (suggest.nearest) {
        fprintf(stderr, "taskhold: unknown flag %s; did you mean %s?\n", argv[0], suggest.nearest);
    } else {
        fprintf(stderr, "taskhold: unexpected argument %s; see taskhold help\n", argv[0]);
    }
    return CLI_USAGE;
}

int cli_with_file(int argc, char **argv, const char *purpose,
                  int (*run)(const char *url, const char *file, const void *options),
                  const void *options)
{
    struct settings settings = {0};
    char **rest = NULL;
    int rest_count = 0;
    int status = settings_load(&settings, argc, argv, &rest, &rest_count);

    if (status != CLI_OK) {
        return status;
    }
    if (rest_count != 1) {
        fprintf(stderr, "taskhold: give one FILE to %s\n", purpose);
        status = CLI_USAGE;
    } else {
        status = run(settings.database_url, rest[0], options);
    }
    settings_finish(&settings);
    return status;
}

const struct cli_command *cli_find(const char *name)
{
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);
    struct suggest suggest;

    suggest_init(&suggest, name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            return &commands[i];
        }
        suggest_offer(&suggest, commands[i].name);
    }
    if (suggest.nearest) {
        fprintf(stderr, "taskhold: unknown command %s; did you mean %s?\n", name, suggest.nearest);
    } else {
        fprintf(stderr, "taskhold: unknown command %s; see taskhold help\n", name);
    }
    return NULL;
}
