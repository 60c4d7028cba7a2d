// SPDX-License-Identifier: MIT
#include "cli/control.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/aux_server.h"
#include "cli/cli.h"
#include "http/unix_socket.h"

/* While a server starts or stops, it has the lock and no socket: that is waited for. */
#define TRIES      40
#define PAUSE_MS   50
#define REASON_LEN 512

struct control_desk {
    const struct settings *settings;
    const struct store_engine *engine;
    char *path;   /* of the socket */
    uid_t owner;  /* of the database */
    char *folder; /* only ours, when the database is no file */

    /* When no server runs: */
    struct revocations *revocations;
    struct api_notices notices;
    struct zones *zones;
    struct store *store;
    struct api *api;
    struct aux_server *server;
};

/* The file has to be there by now. */
static bool locate_socket(struct control_desk *desk)
{
    struct stat status;
    const char *named = desk->engine->url_file(desk->settings->database_url);
    char *file = named ? realpath(named, NULL) : NULL;
    bool found = file && stat(file, &status) == 0;

    if (found && !desk->path) {
        desk->path = aux_server_control_path(file);
        desk->owner = status.st_uid;
    }
    free(file);
    return found && desk->path;
}

/* Beside a database that is no file there is no place for a socket: it gets a folder that only this
 * process uses. Answers the name that the socket stands beside, to be freed. */
static char *make_socket_place(struct control_desk *desk)
{
    const char *given = secure_getenv("TMPDIR");
    char *name = NULL;

    signal(SIGPIPE, SIG_IGN); /* or `| head` would leave the folder behind */
    if (asprintf(&desk->folder, "%s/taskhold-XXXXXX", given && *given ? given : "/tmp") < 0) {
        desk->folder = NULL;
    } else if (!mkdtemp(desk->folder)) {
        free(desk->folder);
        desk->folder = NULL;
    }
    if (!desk->folder || asprintf(&name, "%s/accounts", desk->folder) < 0) {
        return NULL;
    }
    desk->path = aux_server_control_path(name);
    desk->owner = geteuid();
    return name;
}

/* The way without a server: this process is the one that writes. */
static int serve_myself(struct control_desk *desk)
{
    const char *why = "out of memory or threads";
    const char *file = desk->engine->file(desk->store);
    const struct api_options options = {
        .engine = desk->engine,
        .store = desk->store,
        .settings = desk->settings,
        .zones = desk->zones,
        .revocations = desk->revocations,
        .version = TASKHOLD_VERSION,
    };

    (void)log_start(LOG_ERROR, !isatty(STDERR_FILENO));
    desk->api = api_create(&options);
    if (desk->api && file) {
        const bool found = locate_socket(desk);
        desk->server = found ? aux_server_control(desk->api, file, &why) : NULL;
    } else if (desk->api) {
        char *made = make_socket_place(desk);
        why = "no folder can be created in it; set TMPDIR to a folder that can be written";
        desk->server = made ? aux_server_control(desk->api, made, &why) : NULL;
        free(made);
    }
    if (desk->server) {
        return CLI_OK;
    }
    return complain(CLI_FAILED, "%s: %s", desk->path ? desk->path : "the command cannot start",
                    why);
}

/* Takes the database, or finds who has it. */
static int find_writer(struct control_desk *desk)
{
    const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    char reason[REASON_LEN] = "";
    const char *why = NULL;
    struct store_options options = cli_store_options(desk->settings);

    options.impatient = true; /* somebody waits */
    desk->notices.revocations = desk->revocations;
    api_take_notices(&options, &desk->notices);
    options.zones = desk->zones;
    for (unsigned i = 0; i < TRIES; i++) {
        desk->store = desk->engine->open(&options, reason, sizeof reason);
        if (desk->store) {
            return serve_myself(desk);
        }
        if (desk->engine->shared) {
            return complain(CLI_FAILED, "%s", reason);
        }
        enum unix_socket_connected verdict = UNIX_SOCKET_NOBODY;
        int fd = -1;
        if (locate_socket(desk)) {
            verdict = unix_socket_connect(desk->path, desk->owner, &fd, &why);
        }
        if (verdict == UNIX_SOCKET_CONNECTED) {
            close(fd);
            return CLI_OK;
        }
        if (verdict == UNIX_SOCKET_REFUSED) {
            return complain(CLI_FAILED, "%s: %s", desk->path, why);
        }
        nanosleep(&pause, NULL);
    }
    return complain(CLI_FAILED,
                    "%s; no server answers at its control socket either: stop the process that "
                    "uses it, or run this as the server's user",
                    reason);
}

int control_open(struct control_desk **out, const struct settings *settings, bool make)
{
    assert(!settings_fault(settings));
    struct control_desk *desk = calloc(1, sizeof *desk);
    int status = CLI_OK;

    *out = desk;
    if (!desk) {
        return complain(CLI_FAILED, "out of memory");
    }
    desk->settings = settings;
    desk->engine = store_engine_for(settings->database_url);
    assert(desk->engine); /* the settings were checked */
    desk->revocations = revocations_create();
    desk->zones = cli_zones_create(settings);
    const char *file = desk->engine->url_file(settings->database_url);
    if (!desk->revocations || !desk->zones) {
        status = complain(CLI_FAILED, "out of memory");
    } else if (!make && file && access(file, F_OK) != 0 && errno == ENOENT) {
        /* A mistyped path is no wish for an empty database. */
        status = complain(CLI_FAILED, "there is no database %s; name one with --database", file);
    } else {
        status = find_writer(desk);
    }
    if (status != CLI_OK) {
        control_close(out);
    }
    return status;
}

void control_close(struct control_desk **out)
{
    struct control_desk *desk = *out;

    if (!desk) {
        return;
    }
    aux_server_stop(desk->server);
    api_destroy(&desk->api);
    if (desk->store) {
        desk->engine->close(&desk->store);
    }
    aux_server_destroy(&desk->server);
    if (desk->folder) {
        (void)rmdir(desk->folder);
    }
    zones_destroy(&desk->zones);
    revocations_destroy(&desk->revocations);
    log_stop();
    free(desk->folder);
    free(desk->path);
    free(desk);
    *out = NULL;
}

int control_ask(struct control_desk *desk, const char *path, struct slice body,
                struct client_answer *answer)
{
    int fd = -1;
    const char *why = NULL;

    assert(desk && desk->path && path[0] == '/');
    *answer = (struct client_answer){0};
    if (unix_socket_connect(desk->path, desk->owner, &fd, &why) != UNIX_SOCKET_CONNECTED) {
        return complain(CLI_FAILED, "%s: %s", desk->path, why);
    }
    const bool good = client_send(fd, "localhost", path, body) && client_receive(fd, answer);
    close(fd);
    return good
               ? CLI_OK
               : complain(CLI_FAILED,
                          "the server ended before it answered; check whether it was done, and run "
                          "this again if it was not");
}
