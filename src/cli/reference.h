// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_REFERENCE_H
#define TASKHOLD_CLI_REFERENCE_H

#include "base/settings.h"
#include "base/slice.h"
#include "cli/cli.h"

/* The tables of commands and settings as the manual and the completions read them. */

struct reference_setting {
    const char *name;     /* in the environment */
    const char *flag;     /* without the dashes; NULL: never a flag */
    const char *fallback; /* the default of a text; NULL: there is none */
    const char *help;
    bool is_number;
    bool secret;
    int64_t number; /* the default of a number, and its range */
    int64_t least;
    int64_t most;
};

/* SETTING_COUNT rows in the order of enum setting_id. */
extern const struct reference_setting reference_settings[];

/* What a word in a command's `arguments` is, such as in `[--json | --markdown] [FLAGS]`. */
enum reference_kind {
    REFERENCE_FLAG,        /* --json */
    REFERENCE_WORD,        /* one of a choice: bash, zsh */
    REFERENCE_PLACEHOLDER, /* COMMAND, FILE */
};

/* What a word in the arguments of a command means. */
struct reference_word {
    const char *command;     /* NULL: of any */
    const char *word;        /* a flag, or a placeholder such as FILE */
    const char *placeholder; /* the flag's value, after a blank; else "" */
    const char *meaning;
};

/* NULL: it needs no explanation. */
const struct reference_word *reference_explain(const struct cli_command *command,
                                               struct slice word);

/* Takes the next word from the front of `rest`. False when there is none. */
bool reference_next(struct slice *rest, struct slice *word, enum reference_kind *kind);

/* Whether the arguments of `command` have the word. */
bool reference_has(const struct cli_command *command, const char *word);

#endif
