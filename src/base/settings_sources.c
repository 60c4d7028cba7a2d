// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/settings_table.h"
#include "base/slice.h"

/* Neither a secret nor a page of settings is longer. */
#define FILE_MOST (64 * 1024)
#define FILE_SIZE (FILE_MOST + 2) /* of the memory of each */

#define ENV_FILE_FLAG "env-file"
#define REQUIRE_FLAG  "require-sandbox" /* --sandbox require */

/* The packaged service: the user that it runs as, the database that its unit names, and where its
 * settings stand (that of the Debian package, that of docs/deploy.md). */
#define SERVICE_USER     "taskhold"
#define SERVICE_DATABASE "sqlite:/var/lib/taskhold/taskhold.db"
static const char *const service_files[] = {"/etc/default/taskhold", "/etc/taskhold/taskhold.env"};

static int refuse_flag(struct slice name)
{
    char typed[256] = "";
    struct suggest suggest = {.word = typed};

    (void)snprintf(typed, sizeof typed, "%.*s", (int)name.len, name.ptr);
    suggest_offer(&suggest, ENV_FILE_FLAG);
    suggest_offer(&suggest, REQUIRE_FLAG);
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        if (setting_rows[id].flag) {
            suggest_offer(&suggest, setting_rows[id].flag);
        }
    }
    return complain_unknown(&suggest, "flag", "--", "taskhold help");
}

/* Reads the flag at argv[*at], and its value, which may be the next argument. */
static int read_flag(struct settings_source *source, int argc, char **argv, int *at)
{
    struct slice value = slice_of(argv[*at] + 2);
    const struct slice name = slice_next(&value, '=');
    const bool is_file = slice_eq(name, SLICE(ENV_FILE_FLAG));
    unsigned id = 0;

    if (slice_eq(name, SLICE(REQUIRE_FLAG)) && !value.ptr) {
        source->values[SETTING_sandbox] = "require";
        return 0;
    }
    while (id < SETTING_COUNT &&
           !(setting_rows[id].flag && slice_eq(name, slice_of(setting_rows[id].flag)))) {
        id++;
    }
    if (id == SETTING_COUNT && !is_file) {
        return refuse_flag(name);
    }
    if (!value.ptr) {
        if (*at + 1 == argc) {
            return complain(CLI_USAGE, "--%.*s needs a value", (int)name.len, name.ptr);
        }
        value = slice_of(argv[++*at]);
    }
    if (is_file && value.len == 0) {
        return complain(CLI_USAGE, "--" ENV_FILE_FLAG " needs the name of a file");
    }
    if (is_file) {
        source->env_file = value.ptr;
    } else {
        source->values[id] = value.ptr;
    }
    return 0;
}

int settings_read_flags(struct settings_source *source, int argc, char **argv, char ***rest,
                        int *rest_count)
{
    bool flags_end = false;
    int kept = 0;
    int status = 0;

    for (int i = 0; i < argc && status == 0; i++) {
        if (!flags_end && strcmp(argv[i], "--") == 0) {
            flags_end = true;
        } else if (!flags_end && strncmp(argv[i], "--", 2) == 0) {
            status = read_flag(source, argc, argv, &i);
        } else if (!flags_end && argv[i][0] == '-' && argv[i][1] != '\0') {
            status = complain(CLI_USAGE, "unknown flag %s; flags begin with two dashes", argv[i]);
        } else if (!rest) {
            status = complain(CLI_USAGE, "unexpected argument %s", argv[i]);
        } else {
            argv[kept++] = argv[i];
        }
    }
    if (rest) {
        *rest = argv;
        *rest_count = kept;
    }
    return status;
}

/* The name of a file that is set to nothing counts as not set. */
static const char *or_null(const char *file)
{
    return file && *file != '\0' ? file : NULL;
}

void settings_read_environment(struct settings_source *source)
{
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        char name[64];
        source->values[id] = getenv(setting_rows[id].name);
        if (setting_rows[id].secret) {
            (void)snprintf(name, sizeof name, "%s_FILE", setting_rows[id].name);
            source->files[id] = or_null(getenv(name));
        }
    }
}

bool settings_read_credentials(struct settings_source *source, char **paths)
{
    const char *folder = or_null(getenv("CREDENTIALS_DIRECTORY"));
    const size_t room = folder ? strlen(folder) + 64 : 0;

    *paths = folder ? calloc(SETTING_COUNT, room) : NULL;
    if (folder && !*paths) {
        return false;
    }
    for (unsigned id = 0; id < SETTING_COUNT && folder; id++) {
        char *path = *paths + id * room;
        const size_t start = strlen(folder) + 1;
        (void)snprintf(path, room, "%s/%s", folder, setting_rows[id].name);
        (void)slice_lower(slice_of(path + start), path + start);
        if (setting_rows[id].secret && access(path, F_OK) == 0) {
            source->files[id] = path;
        }
    }
    return true;
}

const char *settings_service_file(const char **database)
{
    const struct passwd *user = geteuid() == 0 ? NULL : getpwuid(geteuid());

    if (geteuid() != 0 && (!user || strcmp(user->pw_name, SERVICE_USER) != 0)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof service_files / sizeof *service_files; i++) {
        if (access(service_files[i], F_OK) == 0) {
            *database = SERVICE_DATABASE;
            return service_files[i];
        }
    }
    return NULL;
}

/* All of it: a NUL ends each line that was read. */
void settings_free_file(char *text)
{
    if (text) {
        explicit_bzero(text, FILE_SIZE);
    }
    free(text);
}

/* Up to FILE_MOST bytes and a NUL; fails on more and on a NUL inside. `*error` is 0 or of errno.h;
 * EFBIG and EILSEQ stand for these two. */
static char *read_whole_file(const char *path, int *error)
{
    char *text = malloc(FILE_SIZE);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len = 0;

    *error = !text ? ENOMEM : fd < 0 ? errno : 0;
    if (*error == 0) {
        len = disk_read(fd, text, FILE_MOST + 1);
        *error = len < 0 ? errno : len > FILE_MOST ? EFBIG : 0;
    }
    if (*error == 0 && memchr(text, '\0', (size_t)len)) {
        *error = EILSEQ;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (*error != 0) {
        settings_free_file(text);
        return NULL;
    }
    text[len] = '\0';
    return text;
}

static const char *explain_unreadable(int error)
{
    switch (error) {
    case EFBIG: return "is larger than 64 KiB";
    case EILSEQ: return "contains a NUL byte";
    case ENOENT: return "does not exist";
    case EACCES: return "may not be read by this user";
    case EISDIR: return "is a folder";
    default: return "cannot be read";
    }
}

char *settings_read_file(const char *path, const char **why)
{
    int error = 0;
    char *text = read_whole_file(path, &error);

    *why = explain_unreadable(error);
    return text;
}

/* The value after `=`: quoted, or up to a `#` after a blank. Ended by NUL in its place. Returns
 * NULL when a quote is not closed or something stands after it. */
static char *dotenv_value(char *text)
{
    struct slice value = slice_trim(slice_of(text));
    char *start = text + (value.ptr - text);
    char *end = NULL;

    if (value.len > 0 && (*start == '"' || *start == '\'')) {
        end = memchr(start + 1, *start, value.len - 1);
        if (!end) {
            return NULL;
        }
        *end = '\0';
        value = slice_trim(slice_of(end + 1));
        return value.len == 0 || value.ptr[0] == '#' ? start + 1 : NULL;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (start[i] == '#' && (i == 0 || start[i - 1] == ' ' || start[i - 1] == '\t')) {
            value = slice_trim((struct slice){start, i});
        }
    }
    start[value.len] = '\0';
    return start;
}

/* A file of settings that is being read. */
struct env_file {
    struct settings *settings;
    struct settings_source *source;
    const char *path;
    unsigned line;
};

/* Keeps what is a setting of ours. The file may hold names of others; but one that is nearly one of
 * ours is probably a slip. */
static void keep_env_value(const struct env_file *file, struct slice name, const char *value)
{
    char typed[64] = "";
    struct suggest suggest = {.word = typed};

    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        const struct slice known = slice_of(setting_rows[id].name);
        if (slice_eq(name, known)) {
            file->source->values[id] = value;
            return;
        }
        if (setting_rows[id].secret && name.len == known.len + strlen("_FILE") &&
            slice_starts(name, known) && slice_ends(name, SLICE("_FILE"))) {
            file->source->files[id] = or_null(value);
            return;
        }
    }
    (void)snprintf(typed, sizeof typed, "%.*s", (int)name.len, name.ptr);
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        suggest_offer(&suggest, setting_rows[id].name);
    }
    if (suggest.nearest) {
        settings_remark(file->settings, "%s line %u: %s is not a setting; did you mean %s?",
                        file->path, file->line, typed, suggest.nearest);
    }
}

/* One line, ended by NUL. Returns false when it is none of KEY=VALUE, a comment and nothing. */
static bool read_env_line(const struct env_file *file, char *line)
{
    struct slice name = slice_trim(slice_of(line));
    char *equals = strchr(line, '=');
    const char *value = NULL;

    if (name.len == 0 || name.ptr[0] == '#' || name.ptr[0] == ';') {
        return true;
    }
    if (!equals) {
        return false;
    }
    name = slice_trim((struct slice){line, (size_t)(equals - line)});
    if (slice_starts(name, SLICE("export "))) {
        name = slice_trim(slice_from(name, 7));
    }
    value = dotenv_value(equals + 1);
    if (name.len == 0 || !value) {
        return false;
    }
    keep_env_value(file, name, value);
    return true;
}

void settings_parse_env(struct settings *settings, struct settings_source *source, const char *path,
                        char *text)
{
    struct env_file file = {.settings = settings, .source = source, .path = path};
    char *next = NULL;

    for (char *line = text; line; line = next) {
        char *end = strchr(line, '\n');
        file.line++;
        next = end ? end + 1 : NULL;
        if (end) {
            *end = '\0';
        }
        if (end && end > line && end[-1] == '\r') {
            end[-1] = '\0';
        }
        if (!read_env_line(&file, line)) {
            settings_blame(settings, SETTING_COUNT,
                           "%s line %u is not NAME=VALUE; correct it or put # before it", path,
                           file.line);
        }
    }
}

void settings_read_env_file(struct settings *settings, struct settings_source *source,
                            const char *path, bool optional, char **text)
{
    int error = 0;

    *text = read_whole_file(path, &error);
    if (*text) {
        settings_parse_env(settings, source, path, *text);
    } else if (!optional || error != ENOENT) {
        settings_blame(settings, SETTING_COUNT, "%s %s; make it readable, or %s", path,
                       explain_unreadable(error),
                       optional ? "remove it" : "name another with --env-file");
    }
}
