#ifndef TASKHOLD_BASE_SETTINGS_TABLE_H
#define TASKHOLD_BASE_SETTINGS_TABLE_H

#include <stddef.h>

#include "base/settings.h"

/* What the parts of the settings module share; not for others. */

/* Exit statuses of the command line. */
#define SETTINGS_USAGE         2
#define SETTINGS_CONFIGURATION 78

/* A row of SETTINGS_LIST as data. */
struct setting_row {
    const char *name;
    const char *flag; /* NULL: never a flag */
    const char *help;
    const char *fallback_text; /* of texts; NULL: absent */
    int64_t fallback;          /* of numbers, as the next two */
    int64_t least;
    int64_t most;
    size_t offset; /* of the member in struct settings */
    bool is_number;
    bool secret;
};

extern const struct setting_row setting_rows[SETTING_COUNT];

static inline char **setting_text(const struct settings *settings, enum setting_id id)
{
    return (char **)(void *)((char *)(uintptr_t)settings + setting_rows[id].offset);
}

static inline int64_t *setting_number(const struct settings *settings, enum setting_id id)
{
    return (int64_t *)(void *)((char *)(uintptr_t)settings + setting_rows[id].offset);
}

/* What one source says, by setting; NULL where it says nothing. The texts belong to the source. */
struct settings_source {
    const char *values[SETTING_COUNT];
    const char *files[SETTING_COUNT]; /* of NAME_FILE */
};

/* Returns 0 or SETTINGS_USAGE. See settings_load for `rest`. */
int settings_read_flags(struct settings_source *source, int argc, char **argv, char ***rest,
                        int *rest_count);

void settings_read_environment(struct settings_source *source);

/* Finds the secrets that systemd hands over as files (LoadCredential=): $CREDENTIALS_DIRECTORY/ and
 * the setting's name in lower case. Their paths are put into `*paths` for the caller to free.
 * Returns 0 or 1, out of memory. */
int settings_read_credentials(struct settings_source *source, char **paths);

/* Reads `.env`, whose text is put into `*text` for the caller to free; no file is an empty one.
 * Returns 0 or SETTINGS_CONFIGURATION. */
int settings_read_dotenv(struct settings_source *source, char **text);

/* The content of a small file, ended by NUL, without the line breaks at its end; or NULL with the
 * reason in `*why`. Owned by the caller. */
char *settings_read_file(const char *path, const char **why);

/* Checks what the range of a number and the table cannot tell: texts, and texts together. Returns 0
 * or SETTINGS_CONFIGURATION. */
int settings_check(const struct settings *settings);

/* `PORT`, or `--port` when the value came from there: what the operator should look at. */
const char *settings_label(enum setting_id id, enum settings_origin origin, char *out, size_t size);

/* Prints `taskhold: ` and one line; returns `status`. */
int settings_complain(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
