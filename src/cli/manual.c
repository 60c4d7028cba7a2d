// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

/* `taskhold man` and `taskhold completion`: what man/make made of `taskhold help --json` at build
 * time, so that both always fit the program. */

extern const unsigned char embed_manual[];
extern const size_t embed_manual_len;
extern const unsigned char embed_completion_bash[];
extern const size_t embed_completion_bash_len;
extern const unsigned char embed_completion_zsh[];
extern const size_t embed_completion_zsh_len;
extern const unsigned char embed_completion_fish[];
extern const size_t embed_completion_fish_len;

static void print_embedded(const unsigned char *text, size_t len)
{
    (void)fwrite(text, 1, len, stdout); /* main looks whether it arrived */
}

int cli_man(int argc, char **argv)
{
    const int status = cli_no_more(argc, argv, (const char *const[]){NULL});
    /* The day of the source when a packager says it, so that two builds give the same bytes. */
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    const time_t when = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm day = {0};
    char date[16] = "";

    if (status != CLI_OK) {
        return status;
    }
    if (gmtime_r(&when, &day)) {
        (void)strftime(date, sizeof date, "%Y-%m-%d", &day);
    }
    printf(".TH TASKHOLD 1 %s \"taskhold " TASKHOLD_VERSION "\" \"Taskhold manual\"\n", date);
    print_embedded(embed_manual, embed_manual_len);
    return CLI_OK;
}

int cli_completion(int argc, char **argv)
{
    const struct {
        const char *name;
        const unsigned char *script;
        size_t len;
    } shells[] = {
        {"bash", embed_completion_bash, embed_completion_bash_len},
        {"zsh", embed_completion_zsh, embed_completion_zsh_len},
        {"fish", embed_completion_fish, embed_completion_fish_len},
    };

    if (argc == 0) {
        return complain(CLI_USAGE, "name a shell: bash, zsh or fish");
    }
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(argv[0], shells[i].name) == 0) {
            const int status = cli_no_more(argc - 1, argv + 1, (const char *const[]){NULL});
            if (status == CLI_OK) {
                print_embedded(shells[i].script, shells[i].len);
            }
            return status;
        }
    }
    return complain(CLI_USAGE, "there is no completion for %s, only for bash, zsh and fish",
                    argv[0]);
}
