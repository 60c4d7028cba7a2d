// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_COMPLAIN_H
#define TASKHOLD_BASE_COMPLAIN_H

#include <stddef.h>

/* How a command ends, and the line on standard error that says why. */

/* The exit statuses of every command. */
enum cli_status {
    CLI_OK = 0,
    CLI_FAILED = 1,
    CLI_USAGE = 2,          /* an unknown command, flag or argument */
    CLI_CONFIGURATION = 78, /* a setting is wrong (EX_CONFIG of sysexits.h) */
};

/* Prints `taskhold: ` and one line, in which nothing of a file's or a client's tells a terminal
 * what to do (utf8_tame). Returns `status`. */
int complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Finds what somebody meant who mistyped a name. Begins with `word` alone. */
struct suggest {
    const char *word;    /* what was typed */
    const char *nearest; /* the best so far; NULL: nothing is near enough */
    size_t distance;     /* of `nearest` */
};

/* Offers a name; it is kept when it is nearer than those before, and near enough to be meant: at
 * most a third of its letters (but one in short names) were missed, added, changed or swapped with
 * the next. `name` must live as long as `suggest`. */
void suggest_offer(struct suggest *suggest, const char *name);

/* Complains that there is no such `kind`, such as "command", and says what was probably meant, or
 * else where to look. `prefix` stands before both names. Returns CLI_USAGE. */
int complain_unknown(const struct suggest *suggest, const char *kind, const char *prefix,
                     const char *help);

#endif
