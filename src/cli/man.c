// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/beside.h"
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
          ".ad l\n"
          ".SH NAME\n"
          "taskhold \\- the backend of a to\\-do application\n"
          ".SH SYNOPSIS\n"
          ".B taskhold\n"
          ".I COMMAND\n"
          ".RI [ ARGUMENTS ]\n"
          ".br\n"
          ".B taskhold help\n"
          ".RI [ COMMAND ]\n"
          ".SH DESCRIPTION\n"
          "Taskhold keeps accounts and their tasks and serves them as a JSON API over HTTP.\n"
          "The database is a SQLite file, and nothing else has to run beside the server;\n"
          "or it is a PostgreSQL server, which several nodes may share.\n"
          ".PP\n"
          ".B taskhold serve\n"
          "works without any configuration and prints where to look first.\n"
          "The API is described at\n"
          ".I /docs\n"
          "and\n"
          ".I /openapi.yaml\n"
          "of each server.\n",
          stdout);
}

/* What a command's own words mean, set in from its summary. */
static void put_words(const struct cli_command *command)
{
    struct slice rest = slice_of(command->arguments);
    struct slice word;
    enum reference_kind kind;
    bool any = false;

    while (reference_next(&rest, &word, &kind)) {
        const struct reference_word *own = reference_explain(command, word);
        if (!own || !own->command) {
            continue; /* what all have stands under OPTIONS */
        }
        fputs(any ? "" : ".RS\n", stdout);
        any = true;
        fputs(kind == REFERENCE_FLAG ? ".TP\n\\fB" : ".TP\n\\fI", stdout);
        put(own->word);
        fputs("\\fR\\fI", stdout);
        put(own->placeholder);
        fputs("\\fR\n\\&", stdout);
        put(own->meaning);
        fputs(".\n", stdout);
    }
    fputs(any ? ".RE\n" : "", stdout);
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
        put_words(&commands[i]);
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

static void put_options(void)
{
    fputs(".SH OPTIONS\n"
          "Commands with\n"
          ".I FLAGS\n"
          "take each setting below as a flag, where it has one, so that one set of flags does for "
          "all of them; and:\n"
          ".TP\n\\fB\\-\\-env\\-file\\fR \\fIFILE\\fR\n"
          "Read settings from FILE, NAME=VALUE a line.\n"
          "Root and the user of the packaged service get that service's own file\n"
          ".RI ( /etc/default/taskhold )\n"
          "when they name neither a file nor a database, and are told so.\n"
          ".TP\n\\fB\\-\\-json\\fR\n"
          "Of each command that has it: print JSON.\n"
          ".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\n"
          "Of any command: what\n"
          ".B taskhold help\n"
          "prints of it.\n"
          ".TP\n\\fB\\-\\-version\\fR\n"
          "In place of a command:\n"
          ".BR \"taskhold version\" .\n",
          stdout);
}

/* An item of a list: its name in a font (B or I), and what it is. */
static void put_item(const char *font, const char *const item[static 2])
{
    printf(".TP\n\\f%s", font);
    put(item[0]);
    fputs("\\fR\n\\&", stdout);
    put(item[1]);
    fputs(".\n", stdout);
}

static void put_environment(void)
{
    static const char *const rows[][2] = {
#define VARIABLE_ROW(names, help) {(names), (help)},
        SETTINGS_VARIABLES(VARIABLE_ROW)
#undef VARIABLE_ROW
    };

    fputs(".SH ENVIRONMENT\n"
          ".SS Settings\n"
          "A flag beats the environment, which beats the file of\n"
          ".BR \\-\\-env\\-file ,\n"
          "which beats\n"
          ".I .env\n"
          "in the working folder, which beats the default.\n"
          ".B taskhold config\n"
          "prints each value and where it came from.\n",
          stdout);
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        put_setting(&reference_settings[id]);
    }
    fputs(".SS Other variables\n"
          "These are read from the environment alone.\n",
          stdout);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_item("B", rows[i]);
    }
}

static void put_files(void)
{
    static const char *const beside[][2] = {
        {BESIDE_WAL ", " BESIDE_SHM,
         "SQLite's own: what was written last. They belong to the database, and go with it"},
        {BESIDE_LOCK, "what keeps a second server out"},
        {BESIDE_SECRET, "the secret of the tokens, where JWT_SECRET is not set; no backup has it"},
        {BESIDE_CONTROL, "the socket by which commands reach a running server"},
        {BESIDE_LAST_BACKUP, "when taskhold backup was last successful"},
    };

    fputs(".SH FILES\n"
          ".TP\n"
          ".I data/taskhold.db\n"
          "The database, below the working folder unless\n"
          ".B DATABASE_URL\n"
          "says otherwise. All that stands beside it is its owner's only:\n"
          ".RS\n",
          stdout);
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        put_item("I", beside[i]);
    }
    fputs(".RE\n"
          ".TP\n"
          ".I .env\n"
          "Settings, in the working folder.\n"
          ".TP\n"
          ".I /etc/default/taskhold\n"
          "Settings of the packaged service.\n",
          stdout);
}

static void put_process(void)
{
    fputs(".SH SIGNALS\n"
          ".TP\n"
          ".BR SIGTERM \", \" SIGINT\n"
          ".B taskhold serve\n"
          "finishes what it has begun, within\n"
          ".BR DRAIN_SECONDS ,\n"
          "and ends with 0. SIGINT after that, such as a second Ctrl\\-C, ends it at once.\n"
          ".TP\n"
          ".B SIGHUP\n"
          ".B taskhold serve\n"
          "reads again: secrets from files, LOG_LEVEL, CORS_ORIGINS, TRUSTED_PROXIES and "
          "CLIENT_ADDRESS_HEADER.\n"
          ".PP\n"
          ".B taskhold backup\n"
          "and\n"
          ".B taskhold move\n"
          "give up at each of them and leave nothing half written.\n"
          ".SH EXIT STATUS\n"
          ".TP\n.B 0\nDone.\n"
          ".TP\n.B 1\nFailed: a line on standard error says why.\n"
          ".TP\n.B 2\nUsage: an unknown command, flag or argument.\n"
          ".TP\n.B 70\nThe disk did not keep a write of the server, which ended before it could "
          "say otherwise to a client.\n"
          ".TP\n.B 78\nConfiguration: a setting is wrong or missing.\n",
          stdout);
}

static void put_tail(void)
{
    fputs(".SH EXAMPLES\n"
          ".TP\n"
          ".B taskhold serve \\-\\-port 9000\n"
          "Serve on port 9000.\n"
          ".TP\n"
          ".B taskhold user add ada@example.com\n"
          "Make an account; the password is asked for.\n"
          ".TP\n"
          ".B taskhold backup monday.db\n"
          "Copy the database, also while a server runs, and check the copy.\n"
          ".TP\n"
          ".B taskhold backup \\- | ssh host \\(aqcat > taskhold.db\\(aq\n"
          "The same, onto another machine.\n"
          ".TP\n"
          ".B taskhold config \\-\\-json\n"
          "See what the settings are and where they come from.\n"
          ".TP\n"
          ".B taskhold move \\-\\-from sqlite:data/taskhold.db "
          "\\-\\-to postgres://taskhold@db.example.com/taskhold\n"
          "Copy everything to a PostgreSQL server, and compare the two.\n"
          ".SH BUGS\n"
          "A SQLite database is served by one process on one machine, from a local disk: a network "
          "file system cannot hold it.\n"
          "HTTPS is left to a proxy before the server.\n"
          ".PP\n"
          "A report is most useful with what\n"
          ".B taskhold version\n"
          "and\n"
          ".B taskhold doctor\n"
          "print.\n"
          "SECURITY.md, with the sources, says how to report what others should not read yet.\n"
          ".SH SEE ALSO\n"
          ".BR curl (1),\n"
          ".BR sqlite3 (1),\n"
          ".BR pg_dump (1),\n"
          ".BR pg_restore (1),\n"
          ".BR systemctl (1)\n",
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
    put_options();
    put_environment();
    put_files();
    put_process();
    put_tail();
    return CLI_OK;
}
