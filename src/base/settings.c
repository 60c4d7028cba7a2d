#include "base/settings.h"

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
#define ROW_NUMBER(member, name_, flag_, fallback_, least_, most_, help_)                          \
    [SETTING_##member] = {.name = (name_),                                                         \
                          .flag = (flag_),                                                         \
                          .help = (help_),                                                         \
                          .fallback = (fallback_),                                                 \
                          .least = (least_),                                                       \
                          .most = (most_),                                                         \
                          .offset = offsetof(struct settings, member),                             \
                          .is_number = true},

const struct setting_row setting_rows[SETTING_COUNT] = {SETTINGS_LIST(ROW_TEXT, ROW_NUMBER)};

int settings_complain(int status, const char *format, ...)
{
    va_list arguments;

    fputs("taskhold: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return status;
}

const char *settings_label(enum setting_id id, enum settings_origin origin, char *out, size_t size)
{
    const struct setting_row *row = &setting_rows[id];

    if (origin == SETTINGS_FLAG && row->flag) {
        (void)snprintf(out, size, "--%s", row->flag);
    } else {
        (void)snprintf(out, size, "%s%s%s", row->name, origin == SETTINGS_FILE ? "_FILE" : "",
                       origin == SETTINGS_DOTENV ? " in .env" : "");
    }
    return out;
}

/* Gives a setting its value. Takes no ownership of `value`; NULL: the default. */
static int assign(struct settings *settings, enum setting_id id, const char *value,
                  enum settings_origin origin)
{
    const struct setting_row *row = &setting_rows[id];
    const struct slice text = slice_of(value);
    uint64_t number = 0;
    char label[64];

    settings->origins[id] = origin;
    if (!row->is_number) {
        const char *chosen = value ? value : row->fallback_text;
        /* Nothing takes away what has no default; elsewhere it is checked, and refused. */
        if (chosen && (*chosen != '\0' || row->fallback_text)) {
            *setting_text(settings, id) = strdup(chosen);
            return *setting_text(settings, id) ? 0 : settings_complain(1, "out of memory");
        }
        return 0;
    }
    if (!value) {
        *setting_number(settings, id) = row->fallback;
        return 0;
    }
    if (!slice_to_u64(text, (uint64_t)row->most, &number) || (int64_t)number < row->least) {
        return settings_complain(SETTINGS_CONFIGURATION,
                                 "%s is \"%s\"; set it to a whole number from %lld to %lld",
                                 settings_label(id, origin, label, sizeof label), value,
                                 (long long)row->least, (long long)row->most);
    }
    *setting_number(settings, id) = (int64_t)number;
    return 0;
}

/* A secret that stands in a file of its own. */
static int assign_file(struct settings *settings, enum setting_id id, const char *path)
{
    const char *why = NULL;
    char *content = settings_read_file(path, &why);
    int status = 0;

    if (!content || *content == '\0') {
        status = settings_complain(SETTINGS_CONFIGURATION,
                                   "%s_FILE: %s %s; name a file that holds the value, or unset it",
                                   setting_rows[id].name, path, content ? "is empty" : why);
    } else {
        status = assign(settings, id, content, SETTINGS_FILE);
    }
    if (content) {
        explicit_bzero(content, strlen(content));
    }
    free(content);
    return status;
}

struct ranked_source {
    struct settings_source source;
    enum settings_origin origin;
};

/* The first source that knows a setting decides it. */
static int resolve(struct settings *settings, enum setting_id id,
                   const struct ranked_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = sources[i].source.values[id];
        const char *file = sources[i].source.files[id];
        if (value && *value != '\0' && file) {
            return settings_complain(SETTINGS_CONFIGURATION,
                                     "%s and %s_FILE are both set; unset one of them",
                                     setting_rows[id].name, setting_rows[id].name);
        }
        if (file) {
            return assign_file(settings, id, file);
        }
        if (value) {
            return assign(settings, id, value, sources[i].origin);
        }
    }
    return assign(settings, id, NULL, SETTINGS_DEFAULT);
}

int settings_load(struct settings *settings, int argc, char **argv, char ***rest, int *rest_count)
{
    struct ranked_source sources[] = {{.origin = SETTINGS_FLAG},
                                      {.origin = SETTINGS_ENVIRONMENT},
                                      {.origin = SETTINGS_FILE},
                                      {.origin = SETTINGS_DOTENV}};
    char *dotenv = NULL;
    char *credentials = NULL;
    int status = settings_read_flags(&sources[0].source, argc, argv, rest, rest_count);

    memset(settings, 0, sizeof *settings);
    if (status != 0) {
        goto out;
    }
    settings_read_environment(&sources[1].source);
    status = settings_read_credentials(&sources[2].source, &credentials);
    if (status == 0) {
        status = settings_read_dotenv(&sources[3].source, &dotenv);
    }
    for (unsigned id = 0; id < SETTING_COUNT && status == 0; id++) {
        status = resolve(settings, (enum setting_id)id, sources, sizeof sources / sizeof *sources);
    }
    if (status == 0) {
        status = settings_check(settings);
    }
out:
    if (dotenv) {
        explicit_bzero(dotenv, strlen(dotenv));
    }
    free(dotenv);
    free(credentials);
    if (status != 0) {
        settings_finish(settings);
    }
    return status;
}

void settings_finish(struct settings *settings)
{
    for (unsigned i = 0; i < SETTING_COUNT; i++) {
        const enum setting_id id = (enum setting_id)i;
        char *text = setting_rows[id].is_number ? NULL : *setting_text(settings, id);
        if (text && setting_rows[id].secret) {
            explicit_bzero(text, strlen(text));
        }
        free(text);
    }
    memset(settings, 0, sizeof *settings);
}
