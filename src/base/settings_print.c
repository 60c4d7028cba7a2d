// SPDX-License-Identifier: MIT
#include <assert.h>
#include <string.h>

#include "base/json_writer.h"
#include "base/machine.h"
#include "base/settings_table.h"

#define MASK "********"

/* More than all settings with the longest values that make sense. */
#define OUTPUT_MOST (1024 * 1024)

static const char *origin_name(const struct settings *settings, enum setting_id id)
{
    const enum settings_origin origin = settings->origins[id];
    static const char *const names[] = {
        [SETTINGS_DEFAULT] = "default",   [SETTINGS_DOTENV] = ".env",
        [SETTINGS_ENV_FILE] = "env-file", [SETTINGS_ENVIRONMENT] = "environment",
        [SETTINGS_FILE] = "file",         [SETTINGS_FLAG] = "flag"};
    return origin == SETTINGS_ENV_FILE ? settings->env_file : names[origin];
}

/* The end of the password in the authority of a URL, where `at` is after the scheme: the last `@`
 * before the path, for passwords are not always encoded. */
static const char *authority_end(const char *at)
{
    const char *end = at + strcspn(at, "/?#");
    const char *last = NULL;

    for (const char *c = at; c < end; c++) {
        last = *c == '@' ? c : last;
    }
    return last;
}

/* Appends a query with the values of `password=` masked. */
static void add_query(struct buffer *out, struct slice query)
{
    while (query.ptr) {
        const struct slice pair = slice_next(&query, '&');
        struct slice value = pair;
        const struct slice name = slice_next(&value, '=');
        if (value.ptr && (slice_eq_nocase(name, SLICE("password")) ||
                          slice_eq_nocase(name, SLICE("sslpassword")))) {
            buffer_add(out, name);
            buffer_add_text(out, "=" MASK);
        } else {
            buffer_add(out, pair);
        }
        buffer_add(out, query.ptr ? SLICE("&") : SLICE(""));
    }
}

void settings_add_url(struct buffer *out, const char *url)
{
    assert(url);
    const char *scheme = strstr(url, "://");
    const char *start = scheme ? scheme + 3 : url;
    const char *at = scheme ? authority_end(start) : NULL;
    const char *colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
    struct slice rest = slice_of(url);

    if (colon) {
        buffer_add(out, (struct slice){url, (size_t)(colon + 1 - url)});
        buffer_add_text(out, MASK);
        rest = slice_of(at);
    }
    if (!scheme) {
        buffer_add(out, rest);
        return;
    }
    buffer_add(out, slice_next(&rest, '?'));
    if (rest.ptr) {
        buffer_add_char(out, '?');
        add_query(out, rest);
    }
}

/* The value as it may be shown. False: there is none. */
static bool add_value(struct buffer *out, const struct settings *settings, enum setting_id id)
{
    const bool is_number = setting_rows[id].is_number;
    const char *text =
        settings->given[id] || is_number ? settings->given[id] : *setting_text(settings, id);

    if (!text && is_number) {
        buffer_add_i64(out, *setting_number(settings, id));
    } else if (!text) {
        return false;
    } else if (id == SETTING_database_url) {
        settings_add_url(out, text);
    } else {
        buffer_add_text(out, setting_rows[id].secret ? MASK : text);
    }
    return true;
}

static void add_line(struct buffer *out, const struct settings *settings, enum setting_id id)
{
    buffer_add_format(out, "%-21s ", setting_rows[id].name);
    if (!add_value(out, settings, id)) {
        buffer_add_char(out, '-');
    }
    buffer_add_format(out, "  (%s)", origin_name(settings, id));
    if (settings->faults[id]) {
        buffer_add_format(out, "  WRONG: %s", settings->faults[id]);
    }
    buffer_add_char(out, '\n');
}

static void write_setting(struct json_writer *w, const struct settings *settings,
                          enum setting_id id)
{
    const struct setting_row *row = &setting_rows[id];
    struct buffer shown;

    buffer_init(&shown, OUTPUT_MOST);
    jw_open_object(w);
    jw_name(w, SLICE("name"));
    jw_text(w, slice_of(row->name));
    jw_name(w, SLICE("value"));
    if (row->is_number && !settings->given[id]) {
        jw_i64(w, *setting_number(settings, id));
    } else if (add_value(&shown, settings, id)) {
        jw_text(w, buffer_slice(&shown));
    } else {
        jw_null(w);
    }
    jw_name(w, SLICE("origin"));
    jw_text(w, slice_of(origin_name(settings, id)));
    jw_name(w, SLICE("secret"));
    jw_bool(w, row->secret);
    if (settings->faults[id]) {
        jw_name(w, SLICE("error"));
        jw_text(w, slice_of(settings->faults[id]));
    }
    jw_close_object(w);
    buffer_finish(&shown);
}

static void write_use(struct json_writer *w, struct slice name, unsigned count, const char *why)
{
    jw_name(w, name);
    jw_open_object(w);
    jw_name(w, SLICE("count"));
    jw_i64(w, count);
    jw_name(w, SLICE("why"));
    jw_text(w, slice_of(why));
    jw_close_object(w);
}

static void add_json(struct buffer *out, const struct settings *settings)
{
    const struct machine_use use = machine_use_of((unsigned)settings->threads);
    struct json_writer w;

    json_writer_init(&w, out);
    jw_open_object(&w);
    jw_name(&w, SLICE("settings"));
    jw_open_array(&w);
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        write_setting(&w, settings, (enum setting_id)id);
    }
    jw_close_array(&w);
    if (settings->faults[SETTING_COUNT]) {
        jw_name(&w, SLICE("error"));
        jw_text(&w, slice_of(settings->faults[SETTING_COUNT]));
    }
    jw_name(&w, SLICE("uses"));
    jw_open_object(&w);
    write_use(&w, SLICE("event_loops"), use.loops, use.loops_why);
    write_use(&w, SLICE("password_hashers"), use.hashers, use.hashers_why);
    jw_close_object(&w);
    jw_close_object(&w);
    buffer_add_char(out, '\n');
}

bool settings_print(const struct settings *settings, FILE *out, bool json)
{
    assert(settings && out);
    struct buffer text;

    buffer_init(&text, OUTPUT_MOST);
    if (json) {
        add_json(&text, settings);
    } else {
        for (unsigned id = 0; id < SETTING_COUNT; id++) {
            add_line(&text, settings, (enum setting_id)id);
        }
        if (settings->faults[SETTING_COUNT]) {
            buffer_add_format(&text, "WRONG: %s\n", settings->faults[SETTING_COUNT]);
        }
        const struct machine_use use = machine_use_of((unsigned)settings->threads);
        buffer_add_format(&text, "event loops: %u, %s\npassword hashers: %u, %s\n", use.loops,
                          use.loops_why, use.hashers, use.hashers_why);
    }
    const bool good = !text.failed && fwrite(text.data, 1, text.len, out) == text.len;
    buffer_finish(&text);
    return good;
}

/* A cell in code type; a dash where there is nothing to say. */
static void print_code(FILE *out, const char *before, const char *text)
{
    if (text && *text != '\0') {
        fprintf(out, "`%s%s` | ", before, text);
    } else {
        fputs("– | ", out);
    }
}

/* The names, each in code type. */
static void print_names(FILE *out, const char *names)
{
    struct slice rest = slice_of(names);

    fputs("| ", out);
    while (rest.ptr) {
        const struct slice name = slice_trim(slice_next(&rest, ','));
        fprintf(out, slice_eq(name, SLICE("...")) ? "%.*s" : "`%.*s`", (int)name.len, name.ptr);
        fputs(rest.ptr ? ", " : " | ", out);
    }
}

void settings_print_markdown(FILE *out)
{
    assert(out);
    fputs("| environment | flag | default | meaning |\n| --- | --- | --- | --- |\n", out);
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        const struct setting_row *row = &setting_rows[id];
        char number[24];
        (void)snprintf(number, sizeof number, "%lld", (long long)row->fallback);
        fprintf(out, "| `%s`%s | ", row->name, row->secret ? " or its `_FILE`" : "");
        print_code(out, "--", row->flag);
        print_code(out, "", row->is_number ? number : row->fallback_text);
        fputs(row->help, out);
        if (row->is_number) {
            fprintf(out, " (%lld to %lld)", (long long)row->least, (long long)row->most);
        }
        fputs(" |\n", out);
    }

    fputs("\n| environment | meaning |\n| --- | --- |\n", out);
#define PRINT_VARIABLE(names, help)                                                                \
    print_names(out, names);                                                                       \
    fputs(help " |\n", out);
    SETTINGS_VARIABLES(PRINT_VARIABLE)
#undef PRINT_VARIABLE
}
