// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_CLI_H
#define TASKHOLD_CLI_CLI_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/complain.h"
#include "base/json_writer.h"
#include "base/settings.h"

struct store_options;
struct zones;

/* Which settings the help on a command shows. A command that takes one takes all of them, so that
 * one set of flags does for all commands. */
enum cli_settings {
    CLI_SETTINGS_NONE, /* it takes none */
    CLI_SETTINGS_ALL,
    CLI_SETTINGS_DATABASE,
    CLI_SETTINGS_ADDRESS,
};

/* The one table of commands: ROW(name, arguments, summary, settings). The function of a command is
 * cli_NAME. The help, the manual page and the completions come from it. */
#define CLI_COMMANDS(ROW)                                                                          \
    ROW(serve, "[FLAGS]", "serve the API", CLI_SETTINGS_ALL)                                       \
    ROW(migrate, "[--new-epoch] [--json] [FLAGS]", "bring the database's schema up to date",       \
        CLI_SETTINGS_DATABASE)                                                                     \
    ROW(backup, "FILE [--force] [--json] [FLAGS]",                                                 \
        "copy the database to FILE, also while a server runs, and check the copy",                 \
        CLI_SETTINGS_DATABASE)                                                                     \
    ROW(restore, "FILE [--force] [--json] [FLAGS]",                                                \
        "replace the database with a backup; the server must be stopped", CLI_SETTINGS_DATABASE)   \
    ROW(export, "[--user EMAIL] [FILE [--force] [--json]] [FLAGS]",                                \
        "write all accounts and tasks, or one account's, as JSON Lines", CLI_SETTINGS_DATABASE)    \
    ROW(import, "FILE [--from FORMAT --user EMAIL [--dry-run]] [--json] [FLAGS]",                  \
        "read an export into an empty database, with the server stopped; or, with --from, "        \
        "another service's file into an account, also while a server runs",                        \
        CLI_SETTINGS_DATABASE)                                                                     \
    ROW(move, "--from URL --to URL [--compare] [--json] [FLAGS]",                                  \
        "copy a database into an empty one of either engine, and compare the two; no server may "  \
        "run",                                                                                     \
        CLI_SETTINGS_DATABASE)                                                                     \
    ROW(doctor, "[--json] [FLAGS]",                                                                \
        "check files, database and machine, and say what to do; changes nothing",                  \
        CLI_SETTINGS_ALL)                                                                          \
    ROW(config, "[--json | --markdown] [FLAGS]",                                                   \
        "print each setting and where its value came from", CLI_SETTINGS_ALL)                      \
    ROW(user,                                                                                      \
        "add|invite|list|passwd|disable|enable|delete|token [VERB] [EMAIL] [ID] "                  \
        "[--name NAME] [--days N] [--scope SCOPE] [--expires DATE] [--yes] [--json] [FLAGS]",      \
        "manage accounts, invitations and tokens for scripts (token add, list, rm), also while a " \
        "server runs",                                                                             \
        CLI_SETTINGS_DATABASE)                                                                     \
    ROW(routes, "[--json]", "print every call of the API", CLI_SETTINGS_NONE)                      \
    ROW(healthcheck, "[URL] [--json] [FLAGS]",                                                     \
        "ask a running server whether it is ready; exit status 0 or 1", CLI_SETTINGS_ADDRESS)      \
    ROW(completion, "bash|zsh|fish",                                                               \
        "print a script that completes commands and flags in a shell", CLI_SETTINGS_NONE)          \
    ROW(man, "", "print the manual page, for man -l", CLI_SETTINGS_NONE)                           \
    ROW(version, "[--json]", "print the version", CLI_SETTINGS_NONE)                               \
    ROW(help, "[COMMAND] [--json]", "print this, or more on one command", CLI_SETTINGS_NONE)

/* Each takes what stands after its name, and returns an exit status (enum cli_status). */
#define CLI_PROTOTYPE(name, ...) int cli_##name(int argc, char **argv);
CLI_COMMANDS(CLI_PROTOTYPE)
#undef CLI_PROTOTYPE

#define CLI_ID(name, ...) CLI_##name,
enum cli_id { CLI_COMMANDS(CLI_ID) CLI_COUNT };
#undef CLI_ID

/* A row of CLI_COMMANDS. */
struct cli_command {
    const char *name;
    const char *arguments; /* for the help; "" when there are none */
    const char *summary;
    enum cli_settings settings;
};

extern const struct cli_command cli_commands[CLI_COUNT];

/* The command of that name; or CLI_COUNT, after a line on standard error with a suggestion. */
enum cli_id cli_find(const char *name);

/* The commit that the program was built from, such as `0123456789ab-dirty` (script/commit); "": not
 * known. */
extern const char cli_commit[];

/* ---- arguments ---- */

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

/* ---- output ---- */

/* A JSON value that a command prints. */
struct cli_json {
    struct buffer text;
    struct json_writer writer;
};

/* Begins it. The value is to be printed. */
struct json_writer *cli_json_begin(struct cli_json *json);

/* Writes it and a line end, and ends it. Returns CLI_OK; or CLI_FAILED after a line on standard
 * error. */
int cli_json_print(struct cli_json *json, FILE *out);

/* Adds a member of an object. `text` NULL: null. */
void cli_json_text(struct json_writer *w, const char *name, const char *text);
void cli_json_number(struct json_writer *w, const char *name, int64_t number);
void cli_json_bool(struct json_writer *w, const char *name, bool value);

/* ---- what several commands need ---- */

/* How the settings say to open the database. Texts are those of `settings`. */
struct store_options cli_store_options(const struct settings *settings);

/* The time zones of the process. NULL without memory. */
struct zones *cli_zones_create(const struct settings *settings);

/* An address to listen on as a process on this machine reaches it: all addresses are none. */
const char *cli_local_host(const char *host);

/* Writes HOST:PORT as it stands in a URL, an IPv6 address in brackets. */
void cli_write_authority(const char *host, unsigned port, char *out, size_t size);

/* From now on SIGINT, SIGTERM and SIGHUP do not end the process but set what this answers, so that
 * it tidies up first. A signal that the caller had ignored (nohup) stays ignored. `flags` are those
 * of sigaction: with SA_RESETHAND a second one ends the process at once. */
const volatile sig_atomic_t *cli_interrupt_watch(int flags);

#endif
