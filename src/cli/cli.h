// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CLI_H
#define TASKHOLD_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

/* The exit statuses. */
enum cli_status {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,          /* an unknown command, flag or argument */
    CLI_CONFIGURATION = 78, /* a setting is wrong (EX_CONFIG of sysexits.h) */
};

/* A row of the table of subcommands in main.c. */
struct cli_command {
    const char *name;
    int (*run)(int argc, char **argv); /* what stands after the name; returns an exit status */
    const char *arguments;             /* for the help; "" when there are none */
    const char *summary;
    bool takes_settings; /* every flag of the settings */
};

const struct cli_command *cli_commands(size_t *count);

/* The commit that the program was built from, such as `0123456789ab-dirty` (script/commit); "": not
 * known. */
extern const char cli_commit[];

/* One function a subcommand, in a file of that name. */
int cli_serve(int argc, char **argv);
int cli_migrate(int argc, char **argv);
int cli_backup(int argc, char **argv);
int cli_restore(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_export(int argc, char **argv);
int cli_import(int argc, char **argv);
int cli_move(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_routes(int argc, char **argv);
int cli_healthcheck(int argc, char **argv);
int cli_completion(int argc, char **argv);
int cli_man(int argc, char **argv);
int cli_user(int argc, char **argv);
int cli_version(int argc, char **argv);
int cli_help(int argc, char **argv);

/* Takes every `flag` (such as `--json`) out of the arguments. Returns whether there was one. */
bool cli_take_flag(int *argc, char **argv, const char *flag);

/* Takes `flag VALUE` and `flag=VALUE` out of the arguments; the last one counts, and without any
 * `*value` stays as it is. False, after a line on standard error: the value is missing. */
bool cli_take_value(int *argc, char **argv, const char *flag, const char **value);

/* For a command that takes no (more) arguments: complains about the first that is left. `flags`:
 * those it has, ended by NULL, to suggest from. Returns CLI_OK or CLI_USAGE. */
int cli_no_more(int argc, char **argv, const char *const *flags);

/* For a command whose arguments are the settings' flags and one FILE: takes both and calls `run`
 * with DATABASE_URL, FILE and `options`. `purpose` ends the complaint "give one FILE to …". Returns
 * what `run` returned, CLI_USAGE or CLI_CONFIGURATION. */
int cli_with_file(int argc, char **argv, const char *purpose,
                  int (*run)(const char *url, const char *file, const void *options),
                  const void *options);

/* The command of that name; or NULL, after a line on standard error with a suggestion. */
const struct cli_command *cli_find(const char *name);

#endif
