// SPDX-License-Identifier: MIT
#include "cli/reference.h"

#include <string.h>

#define TEXT_ROW(member, env, option, preset, hidden, what)                                        \
    {.name = (env), .flag = (option), .fallback = (preset), .help = (what), .secret = (hidden)},
#define NUMBER_ROW(member, env, option, preset, from, to, what)                                    \
    {.name = (env),                                                                                \
     .flag = (option),                                                                             \
     .help = (what),                                                                               \
     .is_number = true,                                                                            \
     .number = (preset),                                                                           \
     .least = (from),                                                                              \
     .most = (to)},

const struct reference_setting reference_settings[] = {SETTINGS_LIST(TEXT_ROW, NUMBER_ROW)};

static const struct reference_word words[] = {
    {"backup", "FILE", "",
     "where to; - is standard output, for ssh or gpg: the copy is made and checked in TMPDIR, else "
     "beside the database, else in /var/tmp, then sent, and the report goes to standard error"},
    {"restore", "FILE", "", "a backup, as taskhold backup made it"},
    {"export", "FILE", "", "where to; - or none is standard output"},
    {"import", "FILE", "", "an export; - is standard input"},
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

const struct reference_word *reference_explain(const struct cli_command *command, struct slice word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (slice_eq(word, slice_of(words[i].word)) &&
            (!words[i].command || strcmp(words[i].command, command->name) == 0)) {
            return &words[i];
        }
    }
    return NULL;
}

static bool is_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

static enum reference_kind kind_of(struct slice word)
{
    if (word.ptr[0] == '-') {
        return REFERENCE_FLAG;
    }
    return word.ptr[0] >= 'a' && word.ptr[0] <= 'z' ? REFERENCE_WORD : REFERENCE_PLACEHOLDER;
}

bool reference_next(struct slice *rest, struct slice *word, enum reference_kind *kind)
{
    while (rest->len > 0 && !is_part(*rest->ptr)) {
        rest->ptr++;
        rest->len--;
    }
    *word = (struct slice){rest->ptr, 0};
    while (rest->len > 0 && is_part(*rest->ptr)) {
        rest->ptr++;
        rest->len--;
        word->len++;
    }
    if (word->len == 0) {
        return false;
    }
    *kind = kind_of(*word);
    return true;
}

bool reference_has(const struct cli_command *command, const char *word)
{
    struct slice rest = slice_of(command->arguments);
    struct slice found;
    enum reference_kind kind;

    while (reference_next(&rest, &found, &kind)) {
        if (slice_eq(found, slice_of(word))) {
            return true;
        }
    }
    return false;
}
