// SPDX-License-Identifier: MIT
#include <assert.h>
#include <libpq-fe.h>
#include <sodium.h>
#include <sqlite3.h>

#include "api/routes.h"
#include "cli/cli.h"
#include "model/scope.h"

/* The commands that say what the program is: its version, its settings, its calls. */

/* ---- version ---- */

int cli_version(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const int status = cli_no_more(argc, argv, (const char *const[]){"--json", NULL});
    /* The libraries that decide how data is kept and passwords are hashed, as they are loaded. */
    const char *sqlite = sqlite3_libversion();
    const char *sodium = sodium_version_string();
    const int pq_number = PQlibVersion(); /* 150008 is 15.8 */
    char pq[32];

    assert(argc == 0 || argv);
    if (status != CLI_OK) {
        return status;
    }
    (void)snprintf(pq, sizeof pq, "%d.%d", pq_number / 10000, pq_number % 10000);
    if (!json) {
        printf("taskhold " TASKHOLD_VERSION "%s%s%s\nSQLite %s, libpq %s, libsodium %s\n",
               *cli_commit ? " (commit " : "", cli_commit, *cli_commit ? ")" : "", sqlite, pq,
               sodium);
        return CLI_OK;
    }
    struct cli_json out;
    struct json_writer *w = cli_json_begin(&out);
    jw_open_object(w);
    cli_json_text(w, "name", "taskhold");
    cli_json_text(w, "version", TASKHOLD_VERSION);
    cli_json_text(w, "commit", *cli_commit ? cli_commit : NULL);
    jw_name(w, SLICE("libraries"));
    jw_open_object(w);
    cli_json_text(w, "sqlite", sqlite);
    cli_json_text(w, "libpq", pq);
    cli_json_text(w, "libsodium", sodium);
    jw_close_object(w);
    jw_close_object(w);
    return cli_json_print(&out, stdout);
}

/* ---- config ---- */

int cli_config(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const bool markdown = cli_take_flag(&argc, argv, "--markdown");
    struct settings settings = {0};
    int status = CLI_OK;

    if (markdown) {
        /* The tables of docs/configuration.md: nothing of this machine is in it. */
        status = cli_no_more(argc, argv, (const char *const[]){"--json", "--markdown", NULL});
        if (status == CLI_OK) {
            settings_print_markdown(stdout);
        }
        return status;
    }
    status = settings_read(&settings, argc, argv, NULL, NULL);
    if (status != CLI_OK) {
        return status;
    }
    settings_need_secret(&settings); /* as the server will */
    if (settings.remarks) {
        fputs(settings.remarks, stderr);
    }
    if (!settings_print(&settings, stdout, json)) {
        status = CLI_FAILED;
    } else if (settings_fault(&settings)) {
        status = complain(CLI_CONFIGURATION, "%s", settings_fault(&settings));
    }
    settings_finish(&settings);
    return status;
}

/* ---- routes ---- */

static const char *access_name(const struct http_route *route)
{
    switch (route->access) {
    case HTTP_ACCESS_PUBLIC: return "public";
    case HTTP_ACCESS_EITHER: return "either";
    default: return "token";
    }
}

int cli_routes(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const int status = cli_no_more(argc, argv, (const char *const[]){"--json", NULL});
    size_t count = 0;
    const struct http_route *routes = api_routes(&count);

    if (status != CLI_OK) {
        return status;
    }
    if (json) {
        struct cli_json out;
        struct json_writer *w = cli_json_begin(&out);
        jw_open_array(w);
        for (const struct http_route *route = routes; route < routes + count; route++) {
            jw_open_object(w);
            jw_name(w, SLICE("method"));
            jw_text(w, http_method_name(route->method));
            cli_json_text(w, "path", route->path);
            cli_json_text(w, "operation_id", route->operation_id);
            cli_json_text(w, "access", access_name(route));
            char scope[SCOPE_TEXT_MOST];
            jw_name(w, SLICE("scope"));
            if (route->scope) {
                jw_text(w, scope_write(route->scope, scope));
            } else {
                jw_null(w); /* no token of a script, or none is needed */
            }
            if (route->body_most > 0) {
                cli_json_number(w, "max_body_bytes", route->body_most);
            } else {
                cli_json_text(w, "max_body_bytes", NULL); /* MAX_BODY_BYTES decides */
            }
            cli_json_text(w, "quota", api_quota_name(route->quota));
            jw_close_object(w);
        }
        jw_close_array(w);
        return cli_json_print(&out, stdout);
    }
    for (size_t i = 0; i < count; i++) {
        const struct slice method = http_method_name(routes[i].method);
        printf("%-7.*s %-28s %-7s %-5s %s\n", (int)method.len, method.ptr, routes[i].path,
               access_name(&routes[i]), api_quota_name(routes[i].quota), routes[i].operation_id);
    }
    return CLI_OK;
}
