// SPDX-License-Identifier: MIT
#include "cli/reference.h"

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
