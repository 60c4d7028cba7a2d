// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_CLI_USER_PASSWORD_H
#define TASKHOLD_CLI_USER_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#define USER_PASSWORD_SIZE 4096

/* Reads a new password, without its line end, as text ended by NUL: from a terminal twice and
 * without echo, else the first line of standard input. Never from an argument, which every user of
 * the machine could read. False after one line on standard error. The caller wipes `password`. */
bool user_password_read(char password[static USER_PASSWORD_SIZE]);

/* Asks on the terminal whether to go on. */
bool user_password_confirm(const char *question);

#endif
