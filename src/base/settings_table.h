// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_SETTINGS_TABLE_H
#define TASKHOLD_BASE_SETTINGS_TABLE_H

#include "base/complain.h"
#include "base/settings.h"

/* What the parts of the settings module share; not for others. */

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
    const char *env_file;             /* of the flag --env-file */
};

/* Returns CLI_OK or CLI_USAGE. See settings_read for `rest`. */
int settings_read_flags(struct settings_source *source, int argc, char **argv, char ***rest,
                        int *rest_count);

void settings_read_environment(struct settings_source *source);

/* Finds the secrets that systemd hands over as files (LoadCredential=): $CREDENTIALS_DIRECTORY/ and
 * the setting's name in lower case. Their paths are put into `*paths` for the caller to free.
 * False: out of memory. */
bool settings_read_credentials(struct settings_source *source, char **paths);

/* Takes in the text of a file of settings, which is written to and must outlive the source: a line
 * is NAME=VALUE, with or without `export` and quotes, a comment (# or ;) or nothing. `path`: what
 * faults and remarks call it. */
void settings_parse_env(struct settings *settings, struct settings_source *source, const char *path,
                        char *text);

/* Takes in what a file of settings says (`.env`, or that of --env-file), whose text is put into
 * `*text` for the caller to free. Faults and remarks go into `settings`. `optional`: no file is an
 * empty one. */
void settings_read_env_file(struct settings *settings, struct settings_source *source,
                            const char *path, bool optional, char **text);

/* The file of settings of the packaged service, and the database that its unit sets; NULL: this
 * user is neither root nor the service's, or there is no such file. */
const char *settings_service_file(const char **database);

/* The content of a small file, ended by NUL; or NULL with the reason in `*why`. Owned by the
 * caller.
 */
char *settings_read_file(const char *path, const char **why);

/* Wipes and frees the text of a file; NULL is ignored. */
void settings_free_file(char *text);

/* Checks what the range of a number cannot tell. Finds faults. */
void settings_check(struct settings *settings);

/* Notes what is wrong with a setting, or with a file of settings (SETTING_COUNT); the first of each
 * stays. Out of memory it is a shorter word. */
void settings_blame(struct settings *settings, enum setting_id id, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void settings_remark(struct settings *settings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `PORT`, or `--port` when the value came from there: what the operator should look at. */
const char *settings_label(const struct settings *settings, enum setting_id id, char *out,
                           size_t size);

#endif
