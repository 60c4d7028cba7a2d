// SPDX-License-Identifier: MIT
#include "cli/user_password.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "base/slice.h"
#include "base/utf8.h"

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

static bool password_refused(const char *why)
{
    fprintf(stderr, "taskhold: %s\n", why);
    return false;
}

/* Up to the end of the line or of the input. A byte at a time: what stands after is not ours. */
static bool read_line(char line[static USER_PASSWORD_SIZE])
{
    size_t len = 0;

    for (;;) {
        const ssize_t n = read(STDIN_FILENO, line + len, 1);
        if (n < 0) {
            return password_refused(interrupted ? "interrupted" : "the password cannot be read");
        }
        if (n == 0 || line[len] == '\n') {
            line[len] = '\0';
            break;
        }
        if (line[len] == '\0') {
            return password_refused("a password cannot hold a NUL");
        }
        if (++len == USER_PASSWORD_SIZE) {
            return password_refused("the password is too long");
        }
    }
    if (len == 0) {
        return password_refused("there is no password on standard input");
    }
    return utf8_valid((struct slice){line, len}) || password_refused("the password is not UTF-8");
}

static bool ask(const char *prompt, char line[static USER_PASSWORD_SIZE])
{
    fputs(prompt, stderr);
    const bool good = read_line(line);
    fputc('\n', stderr);
    return good;
}

static bool ask_twice(char password[static USER_PASSWORD_SIZE])
{
    char again[USER_PASSWORD_SIZE] = "";
    bool good = ask("Password: ", password) && ask("Once more: ", again);

    if (good && strcmp(password, again) != 0) {
        good = password_refused("these were two different passwords");
    }
    sodium_memzero(again, sizeof again);
    return good;
}

/* An interrupt must not leave the terminal without its echo, so it only breaks off the read. */
static bool ask_without_echo(char password[static USER_PASSWORD_SIZE], const struct termios *normal)
{
    struct termios silent = *normal;
    struct sigaction catch = {.sa_handler = on_interrupt};
    struct sigaction before[2];
    bool good = false;

    silent.c_lflag &= ~(tcflag_t)ECHO;
    interrupted = 0;
    sigaction(SIGINT, &catch, &before[0]);
    sigaction(SIGTERM, &catch, &before[1]);
    if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) != 0) {
        password_refused("the terminal's echo cannot be turned off");
    } else {
        good = ask_twice(password) && !interrupted;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, normal);
    }
    sigaction(SIGINT, &before[0], NULL);
    sigaction(SIGTERM, &before[1], NULL);
    return good;
}

bool user_password_read(char password[static USER_PASSWORD_SIZE])
{
    struct termios normal;

    if (tcgetattr(STDIN_FILENO, &normal) == 0) {
        return ask_without_echo(password, &normal);
    }
    return read_line(password);
}

bool user_password_confirm(const char *question)
{
    char answer[16] = "";

    fputs(question, stderr);
    return fgets(answer, sizeof answer, stdin) &&
           (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0);
}
