// SPDX-License-Identifier: MIT
#include <libpq-fe.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/json_writer.h"
#include "cli/cli.h"

#define OUTPUT_MOST 4096

/* The libraries that decide how data is kept and passwords are hashed, as they are loaded. */
struct libraries {
    const char *sqlite;
    const char *sodium;
    char pq[32];
};

static void write_text(struct json_writer *w, struct slice name, const char *text)
{
    jw_name(w, name);
    jw_text(w, slice_of(text));
}

static void print_json(const struct libraries *libraries)
{
    struct buffer out;
    struct json_writer w;

    buffer_init(&out, OUTPUT_MOST);
    json_writer_init(&w, &out);
    jw_open_object(&w);
    write_text(&w, SLICE("name"), "taskhold");
    write_text(&w, SLICE("version"), TASKHOLD_VERSION);
    jw_name(&w, SLICE("commit"));
    if (*cli_commit) {
        jw_text(&w, slice_of(cli_commit));
    } else {
        jw_null(&w);
    }
    jw_name(&w, SLICE("libraries"));
    jw_open_object(&w);
    write_text(&w, SLICE("sqlite"), libraries->sqlite);
    write_text(&w, SLICE("libpq"), libraries->pq);
    write_text(&w, SLICE("libsodium"), libraries->sodium);
    jw_close_object(&w);
    jw_close_object(&w);
    printf("%.*s\n", (int)out.len, out.data ? out.data : "");
    buffer_finish(&out);
}

int cli_version(int argc, char **argv)
{
    const bool json = cli_take_flag(&argc, argv, "--json");
    const int status = cli_no_more(argc, argv, (const char *const[]){"--json", NULL});
    struct libraries libraries = {sqlite3_libversion(), sodium_version_string(), ""};
    const int pq = PQlibVersion(); /* 150008 is 15.8 */

    (void)snprintf(libraries.pq, sizeof libraries.pq, "%d.%d", pq / 10000, pq % 10000);
    if (status != CLI_OK) {
        return status;
    }
    if (json) {
        print_json(&libraries);
    } else {
        printf("taskhold " TASKHOLD_VERSION "%s%s%s\nSQLite %s, libpq %s, libsodium %s\n",
               *cli_commit ? " (commit " : "", cli_commit, *cli_commit ? ")" : "", libraries.sqlite,
               libraries.pq, libraries.sodium);
    }
    return CLI_OK;
}
