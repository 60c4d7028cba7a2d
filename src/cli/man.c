// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/reference.h"

/* The manual taskhold(1), for man(7): made from the tables, so that it cannot fall behind them. */

/* Text that roff would read as its own is escaped; the caller puts it after the start of a line.
 */
static void put(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        switch (*c) {
        case '\\': fputs("\\e", stdout); break;
        case '-': fputs("\\-", stdout); break;
        case '\'': fputs("\\(aq", stdout); break;
        case '"': fputs("\\(dq", stdout); break;
        case '^': fputs("\\(ha", stdout); break;
        case '~': fputs("\\(ti", stdout); break;
        case '`': fputs("\\(ga", stdout); break;
        default: putchar(*c);
        }
    }
}

/* The day of the source when a packager says it, so that two builds give the same bytes. */
static void put_date(void)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    time_t when = epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    struct tm day;
    char text[16] = "";

    if (gmtime_r(&when, &day)) {
        (void)strftime(text, sizeof text, "%Y-%m-%d", &day);
    }
    fputs(text, stdout);
}

static void put_head(void)
{
    fputs(".TH TASKHOLD 1 ", stdout);
    put_date();
    fputs(" \"taskhold " TASKHOLD_VERSION "\" \"Taskhold manual\"\n"
          ".nh\n"
          ".SH NAME\n"
          "taskhold \\- the backend of a to\\-do application\n"
          ".SH SYNOPSIS\n"
          ".B taskhold\n"
          ".I COMMAND\n"
          ".RI [ ARGUMENTS ]\n"
          ".SH DESCRIPTION\n"
          "Taskhold keeps accounts and their tasks and serves them as a JSON API over HTTP.\n"
          "The database is a file of its own; nothing else has to run beside it.\n"
          ".B taskhold serve\n"
          "works without any configuration and prints where to look first.\n",
          stdout);
}

static void put_commands(void)
{
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);

    fputs(".SH COMMANDS\n", stdout);
    for (size_t i = 0; i < count; i++) {
        fputs(".TP\n\\fBtaskhold ", stdout);
        put(commands[i].name);
        fputs("\\fR", stdout);
        if (*commands[i].arguments != '\0') {
            putchar(' ');
            put(commands[i].arguments);
        }
        fputs("\n\\&", stdout);
        put(commands[i].summary);
        fputs(".\n", stdout);
    }
}

static void put_default(const struct reference_setting *setting)
{
    if (setting->is_number) {
        printf("; %lld to %lld, default %lld", (long long)setting->least, (long long)setting->most,
               (long long)setting->number);
    } else if (setting->fallback) {
        fputs("; default ", stdout);
        put(setting->fallback);
    }
}

static void put_setting(const struct reference_setting *setting)
{
    fputs(".TP\n\\fB", stdout);
    put(setting->name);
    fputs("\\fR", stdout);
    if (setting->flag) {
        fputs(", \\fB\\-\\-", stdout);
        put(setting->flag);
        fputs(setting->is_number ? "\\fR \\fIN\\fR" : "\\fR \\fITEXT\\fR", stdout);
    }
    fputs("\n\\&", stdout);
    put(setting->help);
    put_default(setting);
    fputs(".\n", stdout);
    if (setting->secret) {
        printf("A secret:\n.B %s_FILE\nmay name a file that holds it.\n", setting->name);
    }
}

static void put_settings(void)
{
    fputs(".SH SETTINGS\n"
          "Commands with\n"
          ".I FLAGS\n"
          "take each of these as a flag, where it has one.\n"
          "A flag beats the environment, which beats the file of\n"
          ".BR \\-\\-env\\-file ,\n"
          "which beats\n"
          ".I .env\n"
          "in the working folder, which beats the default.\n"
          ".B taskhold config\n"
          "prints each value and where it came from.\n"
          ".TP\n\\fB\\-\\-env\\-file\\fR \\fIFILE\\fR\n"
          "Read settings from FILE, NAME=VALUE a line.\n"
          "Root and the user of the packaged service get that service's own file\n"
          ".RI ( /etc/default/taskhold )\n"
          "when they name neither a file nor a database, and are told so.\n",
          stdout);
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        put_setting(&reference_settings[id]);
    }
}

static void put_variables(void)
{
    static const char *const rows[][2] = {
#define VARIABLE_ROW(names, help) {(names), (help)},
        SETTINGS_VARIABLES(VARIABLE_ROW)
#undef VARIABLE_ROW
    };

    fputs(".SH ENVIRONMENT\n"
          "Each setting above, and what is read from the environment alone:\n",
          stdout);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fputs(".TP\n\\fB", stdout);
        put(rows[i][0]);
        fputs("\\fR\n\\&", stdout);
        put(rows[i][1]);
        fputs(".\n", stdout);
    }
}

static void put_tail(void)
{
    fputs(".SH FILES\n"
          ".TP\n"
          ".I data/taskhold.db\n"
          "The database, below the working folder unless\n"
          ".B DATABASE_URL\n"
          "says otherwise.\n"
          "The secret of the tokens stands beside it, readable by its owner only.\n"
          ".SH SIGNALS\n"
          "SIGTERM and SIGINT have\n"
          ".B taskhold serve\n"
          "finish what it has begun and end with 0; a second SIGINT ends it at once.\n"
          "SIGHUP has it read again: secrets from files, LOG_LEVEL, CORS_ORIGINS, TRUSTED_PROXIES "
          "and "
          "CLIENT_ADDRESS_HEADER.\n"
          ".SH EXIT STATUS\n"
          "0 done, 1 failed, 2 usage, 78 configuration.\n"
          ".SH EXAMPLES\n"
          ".TP\n"
          ".B taskhold serve \\-\\-port 9000\n"
          "Serve on port 9000.\n"
          ".TP\n"
          ".B taskhold config \\-\\-json\n"
          "See what the settings are and where they come from.\n"
          ".TP\n"
          ".B taskhold move \\-\\-from sqlite:data/taskhold.db "
          "\\-\\-to postgres://taskhold@db.example.com/taskhold\n"
          "Copy everything to a PostgreSQL server, and compare the two.\n",
          stdout);
}

int cli_man(int argc, char **argv)
{
    const int status = cli_no_more(argc, argv, (const char *const[]){NULL});

    if (status != CLI_OK) {
        return status;
    }
    put_head();
    put_commands();
    put_settings();
    put_variables();
    put_tail();
    return CLI_OK;
}
