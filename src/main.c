// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"
#include "cli/cli.h"
#include "store/store.h"

static const struct cli_command commands[] = {
    {"serve", cli_serve, "[FLAGS]", "serve the API", true},
    {"migrate", cli_migrate, "[--json] [FLAGS]", "bring the database's schema up to date", true},
    {"backup", cli_backup, "FILE [--force] [--json] [FLAGS]",
     "copy the database to FILE, also while a server runs, and check the copy", true},
    {"restore", cli_restore, "FILE [--force] [--json] [FLAGS]",
     "put a backup in the place of the database; the server must be stopped", true},
    {"export", cli_export, "[--user EMAIL] [FILE [--force] [--json]] [FLAGS]",
     "write all accounts and tasks, or one account's, as JSON Lines", true},
    {"import", cli_import, "FILE [--json] [FLAGS]",
     "read an export into an empty database; the server must be stopped", true},
    {"move", cli_move, "--from URL --to URL [--compare] [--json] [FLAGS]",
     "copy a database into an empty one of either engine, and compare the two; no server may run",
     true},
    {"doctor", cli_doctor, "[--json] [FLAGS]",
     "check files, database and machine, and say what to do; changes nothing", true},
    {"config", cli_config, "[--json | --markdown] [FLAGS]",
     "print each setting and where its value came from", true},
    {"user", cli_user,
     "add|invite|list|passwd|disable|enable|delete [EMAIL] [--name NAME] [--days N] [--yes] "
     "[--json] "
     "[FLAGS]",
     "manage accounts and invitations, also while a server runs", true},
    {"routes", cli_routes, "[--json]", "print every call of the API", false},
    {"healthcheck", cli_healthcheck, "[URL] [--json] [FLAGS]",
     "ask a running server whether it is ready; exit status 0 or 1", true},
    {"completion", cli_completion, "bash|zsh|fish",
     "print a script that completes commands and flags in a shell", false},
    {"man", cli_man, "", "print the manual page, for man -l", false},
    {"version", cli_version, "[--json]", "print the version", false},
    {"help", cli_help, "[COMMAND]", "print this, or more on one command", false},
};

const struct cli_command *cli_commands(size_t *count)
{
    *count = sizeof commands / sizeof *commands;
    return commands;
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* A standard descriptor that the caller closed would go to the next file that is opened: a log line
 * would land in the lock file, an error inside an export. What is printed to a closed output fails,
 * as it should. */
static bool secure_descriptors(void)
{
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd) {
            return false;
        }
    }
    return true;
}

static void end_as_init(int number)
{
    _exit(128 + number); /* as a shell tells of a process that a signal ended */
}

/* PID 1 of a container gets no signal that it has no handler for: a command that waits for a
 * database could not be stopped. Commands with something to tidy up have handlers of their own. */
static void heed_signals_as_init(void)
{
    if (getpid() == 1) {
        signal(SIGTERM, end_as_init);
        signal(SIGINT, end_as_init);
    }
}

static int run(int argc, char **argv)
{
    const struct cli_command *command = NULL;

    if (argc < 2 || is_help(argv[1])) {
        return cli_help(0, NULL);
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cli_version(argc - 2, argv + 2);
    }
    command = cli_find(argv[1]);
    if (!command) {
        return CLI_USAGE;
    }
    for (int i = 2; i < argc; i++) {
        if (is_help(argv[i])) {
            return cli_help(1, &argv[1]);
        }
    }
    return command->run(argc - 2, argv + 2);
}

/* What was printed and did not arrive is no success. */
static int finish_output(int status)
{
    errno = 0;
    const bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || status != CLI_OK) {
        return status;
    }
    fprintf(stderr, "taskhold: cannot write to standard output%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return CLI_FAILED;
}

int main(int argc, char **argv)
{
    if (!secure_descriptors()) {
        return CLI_FAILED;
    }
    /* A file that may not grow (RLIMIT_FSIZE) is an error of the write, to be told and tidied up.
     */
    signal(SIGXFSZ, SIG_IGN);
    heed_signals_as_init();
    settings_judge_database = store_url_judge;
    return finish_output(run(argc, argv));
}
