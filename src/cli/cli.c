// SPDX-License-Identifier: MIT
#include "cli/cli.h"

#include <assert.h>
#include <string.h>

#include "store/store.h"

/* Of time zones that are kept in memory; one takes some 3 KB. */
#define ZONES_MOST  256
#define ZONES_BYTES ((size_t)1024 * 1024)

/* More than any value takes. */
#define JSON_MOST (1024 * 1024)

#define COMMAND_ROW(name, arguments, summary, settings) {#name, (arguments), (summary), (settings)},
const struct cli_command cli_commands[CLI_COUNT] = {CLI_COMMANDS(COMMAND_ROW)};

enum cli_id cli_find(const char *name)
{
    assert(name);
    struct suggest suggest = {.word = name};

    for (unsigned id = 0; id < CLI_COUNT; id++) {
        if (strcmp(name, cli_commands[id].name) == 0) {
            return (enum cli_id)id;
        }
        suggest_offer(&suggest, cli_commands[id].name);
    }
    (void)complain_unknown(&suggest, "command", "", "taskhold help");
    return CLI_COUNT;
}

/* ---- arguments ---- */

bool cli_take_flag(int *argc, char **argv, const char *flag)
{
    int kept = 0;
    bool found = false;

    assert(*argc >= 0 && flag[0] == '-');
    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], flag) == 0) {
            found = true;
        } else {
            argv[kept++] = argv[i];
        }
    }
    *argc = kept;
    return found;
}

bool cli_take_value(int *argc, char **argv, const char *flag, const char **value)
{
    const size_t len = strlen(flag);
    bool good = true;
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        if (strncmp(argv[i], flag, len) == 0 && argv[i][len] == '=') {
            *value = argv[i] + len + 1;
        } else if (strcmp(argv[i], flag) != 0) {
            argv[kept++] = argv[i];
        } else if (i + 1 < *argc) {
            *value = argv[++i];
        } else {
            good = false;
        }
    }
    *argc = kept;
    if (!good) {
        (void)complain(CLI_USAGE, "%s needs a value", flag);
    }
    return good;
}

int cli_no_more(int argc, char **argv, const char *const *flags)
{
    assert(argc >= 0);
    if (argc == 0) {
        return CLI_OK;
    }
    struct suggest suggest = {.word = argv[0]};
    for (const char *const *flag = flags; *flag; flag++) {
        suggest_offer(&suggest, *flag);
    }
    if (suggest.nearest) {
        return complain_unknown(&suggest, "flag", "", "taskhold help");
    }
    return complain(CLI_USAGE, "unexpected argument %s; see taskhold help", argv[0]);
}

int cli_with_file(int argc, char **argv, const char *purpose,
                  int (*run)(const char *url, const char *file, const void *options),
                  const void *options)
{
    struct settings settings = {0};
    char **rest = NULL;
    int rest_count = 0;
    int status = settings_load(&settings, argc, argv, &rest, &rest_count);

    if (status != CLI_OK) {
        return status;
    }
    if (rest_count != 1) {
        status = complain(CLI_USAGE, "give one FILE to %s", purpose);
    } else {
        status = run(settings.database_url, rest[0], options);
    }
    settings_finish(&settings);
    return status;
}

/* ---- output ---- */

struct json_writer *cli_json_begin(struct cli_json *json)
{
    buffer_init(&json->text, JSON_MOST);
    json_writer_init(&json->writer, &json->text);
    return &json->writer;
}

int cli_json_print(struct cli_json *json, FILE *out)
{
    int status = CLI_OK;

    assert(json->writer.depth == 0);
    buffer_add_char(&json->text, '\n');
    if (json->text.failed) {
        status = complain(CLI_FAILED, "out of memory for what is to be printed");
    } else {
        (void)fwrite(json->text.data, 1, json->text.len, out); /* main asks ferror */
    }
    buffer_finish(&json->text);
    return status;
}

void cli_json_text(struct json_writer *w, const char *name, const char *text)
{
    jw_name(w, slice_of(name));
    if (text) {
        jw_text(w, slice_of(text));
    } else {
        jw_null(w);
    }
}

void cli_json_number(struct json_writer *w, const char *name, int64_t number)
{
    jw_name(w, slice_of(name));
    jw_i64(w, number);
}

void cli_json_bool(struct json_writer *w, const char *name, bool value)
{
    jw_name(w, slice_of(name));
    jw_bool(w, value);
}

/* ---- what several commands need ---- */

struct store_options cli_store_options(const struct settings *settings)
{
    assert(settings->database_url && settings->database_prepared);
    return (struct store_options){
        .url = settings->database_url,
        .user_tasks_most = settings->user_tasks_most,
        .user_bytes_most = settings->user_bytes_most,
        .keep_seconds = settings->keep_seconds,
        .pool = (unsigned)settings->database_pool,
        .timeout_ms = (unsigned)settings->database_timeout_ms,
        .unprepared = strcmp(settings->database_prepared, "off") == 0,
    };
}

struct zones *cli_zones_create(const struct settings *settings)
{
    assert(settings);
    return zones_create(settings->tzdir, ZONES_MOST, ZONES_BYTES);
}

const char *cli_local_host(const char *host)
{
    if (strcmp(host, "0.0.0.0") == 0) {
        return "127.0.0.1";
    }
    return strcmp(host, "::") == 0 ? "::1" : host;
}

void cli_write_authority(const char *host, unsigned port, char *out, size_t size)
{
    assert(host[0] != '[' && port <= UINT16_MAX);
    (void)snprintf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

const volatile sig_atomic_t *cli_interrupt_watch(int flags)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    const struct sigaction stop = {.sa_handler = on_interrupt, .sa_flags = flags};
    struct sigaction before = {0};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (sigaction(numbers[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
            sigaction(numbers[i], &stop, NULL);
        }
    }
    return &interrupted;
}
