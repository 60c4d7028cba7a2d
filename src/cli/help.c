// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "cli/cli.h"

/* `taskhold help`, and with --json the tables from which the manual page and the completions are
 * made (man/make). */

/* The column in which meanings begin, and where a line ends. */
#define MEANING_COLUMN 31
#define LAST_COLUMN    80

/* What a word in the arguments of a command means, in the order in which they stand there. */
static const struct word {
    const char
        *command;      /* NULL: of every command that has the word, but export, whose is its own */
    const char *word;  /* a flag, or a placeholder such as FILE */
    const char *value; /* the flag's value, after a blank; else "" */
    const char *meaning;
} words[] = {
    {"migrate", "--new-epoch", "",
     "make every entity tag and cursor old, after a restore by other means than taskhold restore; "
     "the servers must be stopped"},
    {"backup", "FILE", "",
     "where to; - is standard output, for ssh or gpg: the copy is made and checked in TMPDIR, else "
     "beside the database, else in /var/tmp, then sent, and the report goes to standard error"},
    {"backup", "--force", "", "replace FILE if it exists"},
    {"restore", "FILE", "", "a backup, as taskhold backup made it"},
    {"restore", "--force", "", "replace the database that is there; it is kept beside it"},
    {"export", "--user", " EMAIL", "only this account"},
    {"export", "FILE", "", "where to; - or none is standard output"},
    {"export", "--force", "", "replace FILE if it exists"},
    {"export", "--json", "", "print what was written as JSON; goes with FILE"},
    {"import", "FILE", "",
     "an export, where - is standard input; with --from, a file that another service gave"},
    {"import", "--from", " FORMAT",
     "whose file it is: todoist, google, microsoft, ticktick or vikunja; or what it is: ics or "
     "csv"},
    {"import", "--user", " EMAIL", "the account that gets it, with --from"},
    {"import", "--dry-run", "", "make nothing, and say what would be made, with --from"},
    {"move", "--from", " URL", "the database to read"},
    {"move", "--to", " URL", "the empty one to write"},
    {"move", "--compare", "", "only compare the two"},
    {"user", "--name", " NAME", "the person's name, with add; what it is for, with token add"},
    {"user", "--days", " N", "days for which an invitation is good, with invite; 7 if not given"},
    {"user", "--scope", " SCOPE",
     "what a token is good for, with token add, once or more: tasks:read, tasks:write or "
     "account:read"},
    {"user", "--expires", " DATE", "when a token ends, with token add; never if not given"},
    {"user", "--yes", "", "do not ask, with delete"},
    {NULL, "--json", "", "print JSON"},
    {"config", "--markdown", "", "print the table of all settings for a document"},
};

/* The word of a command after `word`, NULL: the first; NULL when there is none. */
static const struct word *next_word(const struct cli_command *command, const struct word *word)
{
    for (word = word ? word + 1 : words; word < words + sizeof words / sizeof *words; word++) {
        const bool common = !word->command && command != &cli_commands[CLI_export];
        if (word->command ? strcmp(word->command, command->name) == 0
                          : common && strstr(command->arguments, word->word)) {
            return word;
        }
    }
    return NULL;
}

/* ---- text ---- */

static void print_wrapped(const char *text)
{
    struct slice rest = slice_of(text);
    size_t column = MEANING_COLUMN;

    while (rest.ptr) {
        const struct slice word = slice_next(&rest, ' ');
        if (column > MEANING_COLUMN && column + 1 + word.len > LAST_COLUMN) {
            printf("\n%*s", MEANING_COLUMN, "");
            column = MEANING_COLUMN;
        } else if (column > MEANING_COLUMN) {
            putchar(' ');
            column++;
        }
        printf("%.*s", (int)word.len, word.ptr);
        column += word.len;
    }
    putchar('\n');
}

static bool is_shown(enum cli_settings settings, enum setting_id id)
{
    switch (settings) {
    case CLI_SETTINGS_DATABASE:
        return id == SETTING_database_url || id == SETTING_database_pool ||
               id == SETTING_database_timeout_ms || id == SETTING_database_prepared;
    case CLI_SETTINGS_ADDRESS: return id == SETTING_host || id == SETTING_port;
    default: return true;
    }
}

static void print_settings(enum cli_settings settings)
{
    printf(
        "\nFLAGS beat the environment (the name in brackets), which beats the file of "
        "--env-file,\nwhich beats .env in the working folder, which beats the default. "
        "NAME_FILE names a file\nthat holds a secret.%s\n\n"
        "  --env-file FILE              read settings from FILE, NAME=VALUE a line; the packaged "
        "service's own is found\n"
        "                               for root and its user when no database is named\n",
        settings == CLI_SETTINGS_ALL ? "" : " Those of taskhold help serve are taken too.");
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        const struct setting_row *row = &setting_rows[id];
        char left[64];
        if (!row->flag || !is_shown(settings, (enum setting_id)id)) {
            continue;
        }
        (void)snprintf(left, sizeof left, "--%s %s", row->flag, row->is_number ? "N" : "TEXT");
        printf("  %-28s %s", left, row->help);
        if (row->is_number) {
            printf(", %lld to %lld [%s, %lld]\n", (long long)row->least, (long long)row->most,
                   row->name, (long long)row->fallback);
        } else {
            printf(" [%s, %s]\n", row->name, row->fallback_text ? row->fallback_text : "not set");
        }
    }
}

static void print_command(const struct cli_command *command)
{
    const struct word *word = NULL;
    const char *before = "\n";

    printf("usage: taskhold %s%s%s\n\n%s\n", command->name, *command->arguments ? " " : "",
           command->arguments, command->summary);
    while ((word = next_word(command, word))) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s%s", word->word, word->value);
        printf("%s  %-28s ", before, left);
        print_wrapped(word->meaning);
        before = "";
    }
    if (command->settings != CLI_SETTINGS_NONE) {
        print_settings(command->settings);
    }
}

/* ---- JSON ---- */

static void write_command(struct json_writer *w, const struct cli_command *command)
{
    const struct word *word = NULL;

    jw_open_object(w);
    cli_json_text(w, "name", command->name);
    cli_json_text(w, "arguments", command->arguments);
    cli_json_text(w, "summary", command->summary);
    cli_json_bool(w, "takes_settings", command->settings != CLI_SETTINGS_NONE);
    jw_name(w, SLICE("words"));
    jw_open_array(w);
    while ((word = next_word(command, word))) {
        jw_open_object(w);
        cli_json_text(w, "word", word->word);
        cli_json_text(w, "value", *word->value ? word->value + 1 : NULL);
        cli_json_text(w, "meaning", word->meaning);
        cli_json_bool(w, "of_every_command", !word->command);
        jw_close_object(w);
    }
    jw_close_array(w);
    jw_close_object(w);
}

/* The commands from `first` to before `end`, and all that can be set. */
static int print_json(size_t first, size_t end)
{
    struct cli_json json;
    struct json_writer *w = cli_json_begin(&json);

    jw_open_object(w);
    jw_name(w, SLICE("commands"));
    jw_open_array(w);
    for (size_t id = first; id < end; id++) {
        write_command(w, &cli_commands[id]);
    }
    jw_close_array(w);
    jw_name(w, SLICE("settings"));
    jw_open_array(w);
    for (const struct setting_row *row = setting_rows; row < setting_rows + SETTING_COUNT; row++) {
        jw_open_object(w);
        cli_json_text(w, "name", row->name);
        cli_json_text(w, "flag", row->flag);
        cli_json_text(w, "help", row->help);
        cli_json_bool(w, "secret", row->secret);
        if (row->is_number) {
            cli_json_number(w, "default", row->fallback);
            cli_json_number(w, "least", row->least);
            cli_json_number(w, "most", row->most);
        } else {
            cli_json_text(w, "default", row->fallback_text);
        }
        jw_close_object(w);
    }
    jw_close_array(w);
    jw_name(w, SLICE("variables"));
    jw_open_array(w);
#define WRITE_VARIABLE(names, help)                                                                \
    jw_open_object(w);                                                                             \
    cli_json_text(w, "names", (names));                                                            \
    cli_json_text(w, "help", (help));                                                              \
    jw_close_object(w);
    SETTINGS_VARIABLES(WRITE_VARIABLE)
#undef WRITE_VARIABLE
    jw_close_array(w);
    jw_close_object(w);
    return cli_json_print(&json, stdout);
}

int cli_help(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    enum cli_id id = CLI_COUNT;

    assert(argc == 0 || argv);
    if (argc > 1) {
        return cli_no_more(argc - 1, argv + 1, (const char *const[]){"--json", NULL});
    }
    if (argc == 1) {
        id = cli_find(argv[0]);
        if (id == CLI_COUNT) {
            return CLI_USAGE;
        }
    }
    if (json) {
        return argc == 1 ? print_json(id, id + 1U) : print_json(0, CLI_COUNT);
    }
    if (argc == 1) {
        print_command(&cli_commands[id]);
        return CLI_OK;
    }
    printf("taskhold: the backend of a to-do application\n\nusage: taskhold COMMAND\n\n");
    for (size_t row = 0; row < CLI_COUNT; row++) {
        printf("  %-12s %s\n", cli_commands[row].name, cli_commands[row].summary);
    }
    printf(
        "\n`taskhold serve` works without any configuration. `taskhold help COMMAND` prints more."
        "\nExit status: 0 done, 1 failed, 2 usage, 78 configuration.\n");
    return CLI_OK;
}
