// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "cli/cli.h"
#include "store/store.h"

#define RUN_ROW(name, ...) cli_##name,
static int (*const runs[CLI_COUNT])(int argc, char **argv) = {CLI_COMMANDS(RUN_ROW)};

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static void end_as_init(int number)
{
    _exit(128 + number); /* as a shell tells of a process that a signal ended */
}

static int run(int argc, char **argv)
{
    enum cli_id command = CLI_COUNT;

    if (argc < 2 || is_help(argv[1])) {
        return cli_help(0, NULL);
    }
    if (strcmp(argv[1], "--version") == 0) {
        return cli_version(argc - 2, argv + 2);
    }
    command = cli_find(argv[1]);
    if (command == CLI_COUNT) {
        return CLI_USAGE;
    }
    for (int i = 2; i < argc; i++) {
        if (is_help(argv[i])) {
            return cli_help(1, &argv[1]);
        }
    }
    return runs[command](argc - 2, argv + 2);
}

int main(int argc, char **argv)
{
    static const int modes[] = {O_RDONLY, O_RDONLY, O_WRONLY};

    /* A standard descriptor that the caller closed would go to the next file that is opened: a log
     * line would land in the lock file, an error inside an export. What is printed to a closed
     * output fails, as it should. */
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd) {
            return CLI_FAILED;
        }
    }
    crash_tell();
    /* A file that may not grow (RLIMIT_FSIZE) is an error of the write, to be told and tidied up.
     */
    signal(SIGXFSZ, SIG_IGN);
    /* PID 1 of a container gets no signal that it has no handler for: a command that waits for a
     * database could not be stopped. Commands with something to tidy up have handlers of their own.
     */
    if (getpid() == 1) {
        signal(SIGTERM, end_as_init);
        signal(SIGINT, end_as_init);
    }
    settings_judge_database = store_url_judge;
    const int status = run(argc, argv);

    /* What was printed and did not arrive is no success. */
    errno = 0;
    const bool written = fflush(stdout) == 0 && !ferror(stdout);
    if (written || status != CLI_OK) {
        return status;
    }
    return complain(CLI_FAILED, "cannot write to standard output%s%s", errno ? ": " : "",
                    errno ? strerror(errno) : "");
}
