// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "cli/reference.h"

/* Scripts by which a shell completes what is typed, made from the tables of commands and settings.
 */

/* A text that stands between single quotes, with a backslash before each character of `special`. */
static void put(const char *text, const char *special)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'') {
            fputs("'\\''", stdout);
            continue;
        }
        if (strchr(special, *c)) {
            putchar('\\');
        }
        putchar(*c);
    }
}

static void each_command(void (*put_one)(const struct cli_command *command))
{
    size_t count = 0;
    const struct cli_command *commands = cli_commands(&count);

    for (size_t i = 0; i < count; i++) {
        put_one(&commands[i]);
    }
}

/* The settings that have a flag. */
static void each_flag(void (*put_one)(const struct reference_setting *setting))
{
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        if (reference_settings[id].flag) {
            put_one(&reference_settings[id]);
        }
    }
}

static void put_name(const struct cli_command *command)
{
    printf(" %s", command->name);
}

/* ---- bash ---- */

static void put_bash_words(const struct cli_command *command)
{
    struct slice rest = slice_of(command->arguments);
    struct slice word;
    enum reference_kind kind;

    while (reference_next(&rest, &word, &kind)) {
        if (kind != REFERENCE_PLACEHOLDER) {
            printf(" %.*s", (int)word.len, word.ptr);
        }
    }
    if (reference_has(command, "COMMAND")) {
        fputs(" $commands", stdout);
    }
    if (command->takes_settings) {
        fputs(" $flags", stdout);
    }
}

static void put_bash_case(const struct cli_command *command)
{
    printf("        %s) words+=\"", command->name);
    put_bash_words(command);
    fputs("\" ;;\n", stdout);
}

static void put_bash_flag(const struct reference_setting *setting)
{
    printf(" --%s", setting->flag);
}

static int bash(void)
{
    fputs("# Completion of taskhold for bash; made by `taskhold completion bash`.\n"
          "_taskhold() {\n"
          "    local current=$2 previous=$3 words=\"--help\" commands flags\n"
          "    commands=\"",
          stdout);
    each_command(put_name);
    fputs("\"\n    flags=\"", stdout);
    each_flag(put_bash_flag);
    fputs(" --env-file\"\n"
          "    COMPREPLY=()\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words=\"$commands --help --version\"\n"
          "    elif [ \"$current\" = = ] || [ \"$previous\" = = ]; then\n"
          "        return\n"
          "    elif [[ \" $flags \" == *\" $previous \"* ]]; then\n"
          "        return # its value\n"
          "    else\n"
          "        case ${COMP_WORDS[1]} in\n",
          stdout);
    each_command(put_bash_case);
    fputs("        esac\n"
          "    fi\n"
          "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
          "}\n"
          "complete -o bashdefault -o default -F _taskhold taskhold\n",
          stdout);
    return CLI_OK;
}

/* ---- zsh ---- */

static void put_zsh_flag(const struct reference_setting *setting)
{
    printf("        '--%s=[", setting->flag);
    put(setting->help, "[]:\\");
    printf("]:%s:_default'\n", setting->is_number ? "number" : "text");
}

static void put_zsh_summary(const struct cli_command *command)
{
    printf("        '%s:", command->name);
    put(command->summary, ":\\");
    puts("'");
}

static void put_zsh_arguments(const struct cli_command *command)
{
    struct slice rest = slice_of(command->arguments);
    struct slice word;
    enum reference_kind kind;
    bool choice = false;

    fputs(" '--help[print help]'", stdout);
    while (reference_next(&rest, &word, &kind)) {
        if (kind == REFERENCE_FLAG) {
            printf(" '%.*s'", (int)word.len, word.ptr);
        } else if (kind == REFERENCE_WORD) {
            printf("%s%.*s", choice ? " " : " '1:what:(", (int)word.len, word.ptr);
            choice = true;
        }
    }
    if (choice) {
        fputs(")'", stdout);
    }
    if (reference_has(command, "COMMAND")) {
        fputs(" '1:command:(", stdout);
        each_command(put_name);
        fputs(")'", stdout);
    }
    if (reference_has(command, "FILE")) {
        fputs(" '*:file:_files'", stdout);
    }
    if (command->takes_settings) {
        fputs(" \"${flags[@]}\"", stdout);
    }
}

static void put_zsh_case(const struct cli_command *command)
{
    printf("    %s) _arguments", command->name);
    put_zsh_arguments(command);
    fputs(" ;;\n", stdout);
}

static int zsh(void)
{
    fputs("#compdef taskhold\n"
          "# Completion of taskhold for zsh; made by `taskhold completion zsh`.\n"
          "_taskhold() {\n"
          "    local -a commands flags\n"
          "    commands=(\n",
          stdout);
    each_command(put_zsh_summary);
    fputs("    )\n    flags=(\n", stdout);
    each_flag(put_zsh_flag);
    fputs("        '--env-file=[read settings from a file]:file:_files'\n"
          "    )\n"
          "    if (( CURRENT == 2 )); then\n"
          "        _describe command commands\n"
          "        return\n"
          "    fi\n"
          "    shift words\n"
          "    (( CURRENT-- ))\n"
          "    case ${words[1]} in\n",
          stdout);
    each_command(put_zsh_case);
    fputs("    esac\n"
          "}\n"
          "if [ \"${funcstack[1]}\" = _taskhold ]; then\n"
          "    _taskhold \"$@\"\n"
          "else\n"
          "    compdef _taskhold taskhold\n"
          "fi\n",
          stdout);
    return CLI_OK;
}

/* ---- fish ---- */

static void put_fish_words(const struct cli_command *command)
{
    static const char row[] = "complete -c taskhold -n '__fish_seen_subcommand_from";
    struct slice rest = slice_of(command->arguments);
    struct slice word;
    enum reference_kind kind;

    while (reference_next(&rest, &word, &kind)) {
        int len = (int)word.len;
        if (kind == REFERENCE_FLAG) {
            printf("%s %s' -l %.*s\n", row, command->name, len - 2, word.ptr + 2);
        } else if (kind == REFERENCE_WORD) {
            printf("%s %s' -a %.*s\n", row, command->name, len, word.ptr);
        }
    }
    if (reference_has(command, "COMMAND")) {
        printf("%s %s' -a '", row, command->name);
        each_command(put_name);
        fputs("'\n", stdout);
    }
    if (reference_has(command, "FILE")) {
        printf("%s %s' -F\n", row, command->name);
    }
}

static void put_fish_command(const struct cli_command *command)
{
    printf("complete -c taskhold -n __fish_use_subcommand -a %s -d '", command->name);
    put(command->summary, "\\");
    puts("'");
    put_fish_words(command);
}

static void put_name_with_flags(const struct cli_command *command)
{
    if (command->takes_settings) {
        put_name(command);
    }
}

static void put_fish_flag(const struct reference_setting *setting)
{
    fputs("complete -c taskhold -n '__fish_seen_subcommand_from", stdout);
    each_command(put_name_with_flags);
    printf("' -x -l %s -d '", setting->flag);
    put(setting->help, "\\");
    puts("'");
}

static int fish(void)
{
    fputs("# Completion of taskhold for fish; made by `taskhold completion fish`.\n"
          "complete -c taskhold -f\n"
          "complete -c taskhold -l help -d 'print help'\n",
          stdout);
    each_command(put_fish_command);
    each_flag(put_fish_flag);
    fputs("complete -c taskhold -n '__fish_seen_subcommand_from", stdout);
    each_command(put_name_with_flags);
    fputs("' -r -F -l env-file -d 'read settings from a file'\n", stdout);
    return CLI_OK;
}

int cli_completion(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*print)(void);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

    if (argc == 0) {
        fputs("taskhold: say which shell: bash, zsh or fish\n", stderr);
        return CLI_USAGE;
    }
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
        if (strcmp(argv[0], shells[i].name) == 0) {
            const int status = cli_no_more(argc - 1, argv + 1, (const char *const[]){NULL});
            return status == CLI_OK ? shells[i].print() : status;
        }
    }
    fprintf(stderr, "taskhold: no completion for %s; there are bash, zsh and fish\n", argv[0]);
    return CLI_USAGE;
}
