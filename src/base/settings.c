// SPDX-License-Identifier: MIT
#include "base/settings.h"
#include "base/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/settings_table.h"
#include "base/slice.h"

#define ROW_TEXT(member, name_, flag_, fallback_, secret_, help_)                                  \
    [SETTING_##member] = {.name = (name_),                                                         \
                          .flag = (flag_),                                                         \
                          .help = (help_),                                                         \
                          .fallback_text = (fallback_),                                            \
                          .offset = offsetof(struct settings, member),                             \
                          .secret = (secret_)},
#define ROW_CHOICE(member, name_, flag_, fallback_, words, help_)                                  \
    [SETTING_##member] = {.name = (name_),                                                         \
                          .flag = (flag_),                                                         \
                          .help = words help_,                                                     \
                          .fallback_text = (fallback_),                                            \
                          .choice = (words),                                                       \
                          .offset = offsetof(struct settings, member)},
#define ROW_NUMBER(member, name_, flag_, fallback_, least_, most_, help_)                          \
    [SETTING_##member] = {.name = (name_),                                                         \
                          .flag = (flag_),                                                         \
                          .help = (help_),                                                         \
                          .fallback = (fallback_),                                                 \
                          .least = (least_),                                                       \
                          .most = (most_),                                                         \
                          .offset = offsetof(struct settings, member),                             \
                          .is_number = true},

const struct setting_row setting_rows[SETTING_COUNT] = {
    SETTINGS_LIST(ROW_TEXT, ROW_CHOICE, ROW_NUMBER)};

const char *settings_label(const struct settings *settings, enum setting_id id, char *out,
                           size_t size)
{
    const struct setting_row *row = &setting_rows[id];
    const enum settings_origin origin = settings->origins[id];

    if (origin == SETTINGS_FLAG && row->flag) {
        (void)snprintf(out, size, "--%s", row->flag);
    } else if (origin == SETTINGS_ENV_FILE) {
        (void)snprintf(out, size, "%s in %s", row->name, settings->env_file);
    } else {
        (void)snprintf(out, size, "%s%s%s", row->name, origin == SETTINGS_FILE ? "_FILE" : "",
                       origin == SETTINGS_DOTENV ? " in .env" : "");
    }
    return out;
}

void settings_blame(struct settings *settings, enum setting_id id, const char *format, ...)
{
    va_list arguments;

    assert(id <= SETTING_COUNT);
    if (settings->faults[id]) {
        return;
    }
    va_start(arguments, format);
    if (vasprintf(&settings->faults[id], format, arguments) < 0) {
        settings->faults[id] = strdup("out of memory");
    }
    va_end(arguments);
}

void settings_remark(struct settings *settings, const char *format, ...)
{
    char *line = NULL;
    char *both = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0) {
        line = NULL;
    }
    va_end(arguments);
    if (line && asprintf(&both, "%s%s\n", settings->remarks ? settings->remarks : "", line) >= 0) {
        free(settings->remarks);
        settings->remarks = both;
    }
    free(line);
}

/* NULL is ignored. */
static void free_secret(char *text)
{
    if (text) {
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

/* ---- one value ---- */

/* Gives a setting its value. Takes no ownership of `value`; NULL: the default. False: out of
 * memory. */
static bool assign_setting(struct settings *settings, enum setting_id id, const char *value,
                           enum settings_origin origin)
{
    const struct setting_row *row = &setting_rows[id];
    const struct slice text = slice_strip(slice_of(value ? value : row->fallback_text));
    char label[4200];

    settings->origins[id] = origin;
    if (slice_has_control(text)) {
        settings_blame(
            settings, id,
            "%s contains a control character, such as a line end; write it again (printf "
            "%%s, not echo, keeps line ends out of a file)",
            settings_label(settings, id, label, sizeof label));
    }
    if (row->is_number) {
        uint64_t number = (uint64_t)row->fallback;
        const bool good = !value || (slice_to_u64(text, (uint64_t)row->most, &number) &&
                                     (int64_t)number >= row->least);
        *setting_number(settings, id) = good ? (int64_t)number : row->fallback;
        if (good) {
            return true;
        }
        settings->given[id] = strndup(text.ptr, text.len);
        settings_blame(settings, id, "%s is \"%.*s\"; set it to a whole number from %lld to %lld",
                       settings_label(settings, id, label, sizeof label), (int)text.len, text.ptr,
                       (long long)row->least, (long long)row->most);
        return settings->given[id] != NULL;
    }
    /* Nothing takes away what has no default; elsewhere it is checked, and refused. */
    if (text.len == 0 && !row->fallback_text) {
        return true;
    }
    *setting_text(settings, id) = strndup(text.ptr ? text.ptr : "", text.len);
    return *setting_text(settings, id) != NULL;
}

/* A secret that stands in a file of its own. */
static bool assign_setting_file(struct settings *settings, enum setting_id id, const char *path)
{
    const char *why = NULL;
    char *content = settings_read_file(path, &why);
    bool good = true;

    settings->origins[id] = SETTINGS_FILE;
    settings->files[id] = strdup(path);
    if (!content || slice_strip(slice_of(content)).len == 0) {
        settings_blame(settings, id,
                       "%s_FILE: %s %s; name a file that holds the value, or unset it",
                       setting_rows[id].name, path, content ? "is empty" : why);
    } else {
        good = assign_setting(settings, id, content, SETTINGS_FILE);
    }
    settings_free_file(content);
    return good;
}

/* ---- the sources ---- */

struct ranked_source {
    struct settings_source source;
    enum settings_origin origin;
};

/* From the nearest to the farthest. */
enum rank { RANK_FLAGS, RANK_ENVIRONMENT, RANK_CREDENTIALS, RANK_ENV_FILE, RANK_DOTENV, RANKS };

struct sources {
    struct ranked_source ranked[RANKS];
    char *env_text;
    char *dotenv_text;
    char *credentials;
};

/* The first source that knows a setting decides it. False: out of memory. */
static bool resolve_setting(struct settings *settings, enum setting_id id,
                            const struct sources *sources)
{
    for (size_t i = 0; i < RANKS; i++) {
        const char *value = sources->ranked[i].source.values[id];
        const char *file = sources->ranked[i].source.files[id];
        if (value && *value != '\0' && file) {
            settings->origins[id] = sources->ranked[i].origin;
            settings_blame(settings, id, "%s and %s_FILE are both set; unset one of them",
                           setting_rows[id].name, setting_rows[id].name);
            return true;
        }
        if (file) {
            return assign_setting_file(settings, id, file);
        }
        if (value) {
            return assign_setting(settings, id, value, sources->ranked[i].origin);
        }
    }
    return assign_setting(settings, id, NULL, SETTINGS_DEFAULT);
}

/* Whoever manages the packaged service means its database, and not one in the working folder. */
static bool read_env_file(struct settings *settings, struct sources *sources)
{
    const char *path = sources->ranked[RANK_FLAGS].source.env_file;
    const char *database = NULL;
    struct settings_source *source = &sources->ranked[RANK_ENV_FILE].source;
    bool named = false; /* the database, by any source */

    for (size_t i = 0; i < RANKS; i++) {
        const struct settings_source *each = &sources->ranked[i].source;
        named |= each->values[SETTING_database_url] || each->files[SETTING_database_url];
    }
    if (!path && !named) {
        path = settings_service_file(&database);
    }
    if (!path) {
        return true;
    }
    settings->env_file = strdup(path);
    if (!settings->env_file) {
        return false;
    }
    settings_read_env_file(settings, source, path, false, &sources->env_text);
    if (database) {
        settings_remark(
            settings, "settings of the service: %s (--env-file or --database names another)", path);
        if (!source->values[SETTING_database_url] && !source->files[SETTING_database_url]) {
            source->values[SETTING_database_url] = database;
        }
    }
    return true;
}

int settings_read(struct settings *settings, int argc, char **argv, char ***rest, int *rest_count)
{
    struct sources sources = {.ranked = {[RANK_FLAGS] = {.origin = SETTINGS_FLAG},
                                         [RANK_ENVIRONMENT] = {.origin = SETTINGS_ENVIRONMENT},
                                         [RANK_CREDENTIALS] = {.origin = SETTINGS_FILE},
                                         [RANK_ENV_FILE] = {.origin = SETTINGS_ENV_FILE},
                                         [RANK_DOTENV] = {.origin = SETTINGS_DOTENV}}};
    struct ranked_source *ranked = sources.ranked;
    int status = settings_read_flags(&ranked[RANK_FLAGS].source, argc, argv, rest, rest_count);
    bool memory = true;

    assert(settings && argc >= 0 && (rest == NULL) == (rest_count == NULL));
    memset(settings, 0, sizeof *settings);
    if (status != 0) {
        return status;
    }
    settings_read_environment(&ranked[RANK_ENVIRONMENT].source);
    memory = settings_read_credentials(&ranked[RANK_CREDENTIALS].source, &sources.credentials);
    settings_read_env_file(settings, &ranked[RANK_DOTENV].source, ".env", true,
                           &sources.dotenv_text);
    memory = memory && read_env_file(settings, &sources);
    for (unsigned id = 0; id < SETTING_COUNT && memory; id++) {
        memory = resolve_setting(settings, (enum setting_id)id, &sources);
    }
    settings_free_file(sources.env_text);
    settings_free_file(sources.dotenv_text);
    free(sources.credentials);
    if (!memory) {
        settings_finish(settings);
        return complain(CLI_FAILED, "out of memory");
    }
    settings_check(settings);
    return 0;
}

const char *settings_fault(const struct settings *settings)
{
    assert(settings);
    unsigned id = 0;

    while (id < SETTING_COUNT && !settings->faults[id]) {
        id++;
    }
    return settings->faults[id];
}

int settings_load(struct settings *settings, int argc, char **argv, char ***rest, int *rest_count)
{
    assert(settings && argv);
    int status = settings_read(settings, argc, argv, rest, rest_count);
    struct slice remarks = slice_of(settings->remarks);
    const char *fault = status == 0 ? settings_fault(settings) : NULL;

    while (remarks.len > 0) {
        const struct slice line = slice_next(&remarks, '\n');
        (void)complain(CLI_OK, "%.*s", (int)line.len, line.ptr);
    }
    if (fault) {
        status = complain(CLI_CONFIGURATION, "%s", fault);
    }
    if (status != 0) {
        settings_finish(settings);
    } else {
        settings_set_up_log(settings, false);
    }
    return status;
}

void settings_set_up_log(const struct settings *settings, bool json_if_auto)
{
    assert(settings);
    const bool known = !settings->faults[SETTING_log_format];
    const bool json = known && strcmp(settings->log_format, "auto") != 0
                          ? strcmp(settings->log_format, "json") == 0
                          : json_if_auto;

    log_setup(settings->faults[SETTING_log_level] ? LOG_INFO : log_level_of(settings->log_level),
              json);
}

bool settings_same(const struct settings *a, const struct settings *b, enum setting_id id)
{
    assert(id < SETTING_COUNT);
    if (setting_rows[id].is_number) {
        return *setting_number(a, id) == *setting_number(b, id);
    }
    const char *first = *setting_text(a, id);
    const char *second = *setting_text(b, id);
    return first && second ? strcmp(first, second) == 0 : first == second;
}

void settings_exchange(struct settings *a, struct settings *b, enum setting_id id)
{
    assert(id < SETTING_COUNT && a != b && !a->faults[id] && !b->faults[id]);
    const enum settings_origin origin = a->origins[id];

    a->origins[id] = b->origins[id];
    b->origins[id] = origin;
    if (setting_rows[id].is_number) {
        const int64_t number = *setting_number(a, id);
        *setting_number(a, id) = *setting_number(b, id);
        *setting_number(b, id) = number;
    } else {
        char *text = *setting_text(a, id);
        *setting_text(a, id) = *setting_text(b, id);
        *setting_text(b, id) = text;
    }
}

void settings_finish(struct settings *settings)
{
    assert(settings);
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const enum setting_id id = (enum setting_id)i;
        free_secret(setting_rows[id].is_number ? NULL : *setting_text(settings, id));
        free(settings->files[i]);
        free(settings->given[i]);
        free(settings->faults[i]);
    }
    free(settings->faults[SETTING_COUNT]);
    free(settings->env_file);
    free(settings->remarks);
    memset(settings, 0, sizeof *settings);
}
