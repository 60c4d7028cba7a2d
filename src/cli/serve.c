// SPDX-License-Identifier: MIT
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/api.h"
#include "api/routes.h"
#include "api/subscribers.h"
#include "auth/keys.h"
#include "auth/token_cache.h"
#include "base/log.h"
#include "base/machine.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/owner.h"
#include "base/thread.h"
#include "base/weburl.h"
#include "cli/aux_server.h"
#include "cli/cli.h"
#include "cli/confine.h"
#include "cli/holder.h"
#include "cli/reload.h"
#include "http/server.h"
#include "store/sqlite/file.h"

#define DATABASE_SHOWN_MOST 8192
#define URL_MOST            320

#define SERVICE_MAGIC 0x5e3f1c97u

/* Everything one `serve` owns, made from top to bottom and ended from bottom to top. */
struct service {
    unsigned magic; /* SERVICE_MAGIC */
    struct settings settings;
    sigset_t asked;    /* SIGTERM, SIGINT and SIGHUP */
    pthread_t signals; /* the thread that waits for them */
    bool waiting;      /* it runs */
    atomic_bool ending;
    pthread_mutex_t lock;        /* of the next three */
    struct http_server *serving; /* NULL: not yet, or no more */
    bool reload_asked;           /* during the start */
    bool stopping;               /* a signal asked for the end */
    struct reload reload;
    struct revocations *revocations;
    struct subscriptions *subscriptions;
    struct api_notices notices;
    struct zones *zones;
    const struct store_engine *engine;
    struct store *store;
    const char *file; /* of the store; NULL: it is none */
    struct keys *keys;
    struct api *api;
    struct http_server *server;
    struct aux_server *metrics;
    struct aux_server *control;
    char why[512]; /* it must not serve though it could; empty: it may */
};

/* ---- what is said ---- */

/* Why a start failed, and what goes before it: an event where the log is JSON, else a line as every
 * command writes it. */
static void say_event(enum log_level level, const char *event, struct slice text)
{
    if (log_is_json()) {
        log_always(level, event, LOG_FIELDS(LOG_T("message", text)));
    } else {
        fprintf(stderr, "taskhold: %.*s\n", (int)text.len, text.ptr);
    }
}

static int start_failed(int status, const char *why)
{
    log_stop(); /* what was logged stands before it */
    say_event(LOG_ERROR, "start_failed", slice_of(why));
    return status;
}

/* ---- signals ----
 *
 * SIGTERM, SIGINT and SIGHUP are taken by a thread of their own, which may log, lock and read files
 * as any other; no other thread is interrupted. From the first moment: also as PID 1 of a
 * container, where a signal without a handler is lost, and while the start waits for a database. */

/* The first drains. While it starts, nobody waits for anything: it ends, which is as safe as it is
 * to be killed. SIGTERM again is the same order: hosts send it more than once (Heroku says so, and
 * a wrapper passes on what its whole group was sent), and what is in flight is not theirs to drop.
 * SIGINT again is somebody at a terminal who cannot wait. */
static void stop_service(struct service *service, const char *name)
{
    pthread_mutex_lock(&service->lock);
    struct http_server *server = service->serving;
    const bool again = service->stopping;
    service->stopping = true;
    if (!again) {
        notify_send("STOPPING=1");
        log_write(LOG_INFO, "stopping", LOG_FIELDS(LOG_T("signal", slice_of(name))));
    }
    if (server && (!again || strcmp(name, "SIGINT") == 0)) {
        http_server_stop(server);
    }
    pthread_mutex_unlock(&service->lock);
    if (!server) {
        log_write(LOG_INFO, "stopped", LOG_FIELDS(LOG_T("message", SLICE("before it listened"))));
        log_stop();
        _exit(CLI_OK);
    }
}

static void *signals_main(void *argument)
{
    struct service *service = OWNER_CAST(argument, struct service, SERVICE_MAGIC);
    int number = 0;

    while (!atomic_load(&service->ending)) {
        if (sigwait(&service->asked, &number) != 0 || atomic_load(&service->ending)) {
            continue;
        }
        if (number != SIGHUP) {
            stop_service(service, number == SIGINT ? "SIGINT" : "SIGTERM");
            continue;
        }
        pthread_mutex_lock(&service->lock);
        const bool serving = service->serving != NULL;
        service->reload_asked = !serving; /* during the start: it waits for its end */
        pthread_mutex_unlock(&service->lock);
        if (serving && !http_server_draining(service->server)) {
            notify_reloading();
            reload_run(&service->reload);
            notify_send("READY=1");
        }
    }
    return NULL;
}

static void on_nothing(int number)
{
    (void)number;
}

/* Before any other thread is made: they inherit that these signals are blocked. */
static bool start_signals(struct service *service)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    /* Never run. A signal that is ignored (nohup), or that PID 1 has no handler for, would not even
     * wait for the thread. */
    const struct sigaction nothing = {.sa_handler = on_nothing, .sa_flags = (int)SA_RESTART};

    sigemptyset(&service->asked);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&service->asked, numbers[i]);
    }
    pthread_sigmask(SIG_BLOCK, &service->asked, NULL);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaction(numbers[i], &nothing, NULL);
    }
    signal(SIGPIPE, SIG_IGN);
    service->waiting = thread_start(&service->signals, "signals", 0, signals_main, service);
    return service->waiting;
}

static void end_signals(struct service *service)
{
    if (service->waiting) {
        atomic_store(&service->ending, true);
        pthread_kill(service->signals, SIGHUP);
        pthread_join(service->signals, NULL);
        service->waiting = false;
    }
}

/* What a server that holds secrets gives up for good: new privileges, core files, a readable
 * memory, files that others may read. */
static void harden_process(void)
{
    const struct rlimit none = {0, 0};

    umask(077);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0) {
        metrics_set(METRIC_HARDENING_REFUSED, 1);
        log_message(LOG_WARN, "hardening_refused", "the kernel refused to harden the process");
    }
#ifndef TASKHOLD_SANITIZED /* LeakSanitizer reads its own process */
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* ---- the steps of a start ---- */

/* Whether a person reads along, who is greeted in place of the log's first lines. */
static bool is_watched(void)
{
    return !log_is_json() && isatty(STDERR_FILENO);
}

static int open_service_store(struct service *service)
{
    char why[512];
    struct store_options options = cli_store_options(&service->settings);
    const char *filesystem = NULL;

    if (!log_start(log_level_of(service->settings.log_level), log_is_json())) {
        return start_failed(CLI_FAILED, "the log's thread cannot start");
    }
    service->engine = store_engine_for(options.url);
    assert(service->engine); /* the settings were checked */
    log_write(is_watched() ? LOG_DEBUG : LOG_INFO, "starting",
              LOG_FIELDS(LOG_T("version", SLICE(TASKHOLD_VERSION)), LOG_N("pid", getpid()),
                         LOG_T("engine", slice_of(service->engine->name))));
    service->revocations = revocations_create();
    service->subscriptions = subscriptions_create();
    service->zones = cli_zones_create(&service->settings);
    if (!service->revocations || !service->subscriptions || !service->zones) {
        return start_failed(CLI_FAILED, "out of memory");
    }
    if (!zones_are_there(service->zones)) {
        log_message(LOG_WARN, "tzdata_missing",
                    "no time zones in %s, so UTC is the only one that is known: install tzdata, or "
                    "set TZDIR to its folder",
                    zones_folder(service->zones));
    }
    options.zones = service->zones;
    service->notices = (struct api_notices){service->revocations, service->subscriptions};
    api_take_notices(&options, &service->notices);
    service->store = service->engine->open(&options, why, sizeof why);
    if (!service->store) {
        return start_failed(CLI_FAILED, why);
    }
    service->file = service->engine->file(service->store);
    if (service->file && file_system_of(service->file, &filesystem) != FILE_SYSTEM_GOOD) {
        log_message(LOG_WARN, "filesystem_doubtful",
                    "%s is on %s: taskhold doctor says what that means", service->file, filesystem);
    }
    return CLI_OK;
}

static bool service_draining(void *context)
{
    const struct service *service = OWNER_CAST(context, struct service, SERVICE_MAGIC);
    return service->server && http_server_draining(service->server);
}

static int create_service_api(struct service *service)
{
    char why[512];

    service->keys = reload_keys(&service->settings, service->file, true, why, sizeof why);
    if (!service->keys) {
        return start_failed(CLI_CONFIGURATION, why);
    }
    const struct api_options options = {
        .engine = service->engine,
        .store = service->store,
        .keys = service->keys,
        .revocations = service->revocations,
        .subscriptions = service->subscriptions,
        .zones = service->zones,
        .settings = &service->settings,
        .version = TASKHOLD_VERSION,
        .draining = service_draining,
        .context = service,
    };
    service->api = api_create(&options);
    return service->api ? CLI_OK : start_failed(CLI_FAILED, "out of memory or threads");
}

static void tell_alive(void)
{
    notify_send("WATCHDOG=1");
}

static int create_service_server(struct service *service)
{
    const struct settings *settings = &service->settings;
    const char *why = "the server cannot start";
    struct http_server_options options = {
        .host = settings->host,
        .port = (uint16_t)settings->port,
        .body_most = (size_t)settings->max_body_bytes,
        .cors_origins = settings->cors_origins,
        .trusted_proxies = settings->trusted_proxies,
        .client_address_header = settings->client_address_header,
        .path_prefix = weburl_path(settings->public_url),
        .drain_delay_seconds = (unsigned)settings->drain_delay_seconds,
        .drain_seconds = (unsigned)settings->drain_seconds,
        .idle_ms = (unsigned)settings->idle_seconds * 1000,
        .counted = settings->metrics_addr != NULL,
        .hooks = api_hooks(service->api),
        .inherit = true,
        .beat = tell_alive,
        /* Three in the time that one may take: one may come late. */
        .beat_ms = notify_watchdog_ms() / 3,
    };

    options.threads = machine_use_of((unsigned)settings->threads).loops;
    options.routes = api_routes(&options.route_count);
    service->server = http_server_create(&options, &why);
    if (!service->server) {
        char holder[128];
        char text[512];
        (void)holder_of_port(options.port, holder, sizeof holder);
        (void)snprintf(text, sizeof text, "%s: %s port %u%s%s", why, settings->host,
                       (unsigned)options.port, holder,
                       *holder ? "; choose another with --port 9000" : "");
        return start_failed(CLI_FAILED, text);
    }
    return CLI_OK;
}

/* The URL of the server, for a browser on this machine or as it is listened on. */
static void write_service_url(const struct service *service, bool local, char *out, size_t size)
{
    char authority[300];

    cli_write_authority(local ? cli_local_host(service->settings.host) : service->settings.host,
                        http_server_port(service->server), authority, sizeof authority);
    (void)snprintf(out, size, "http://%s", authority);
}

/* Where to look first, for a person; on standard error, as the log. What is to be pasted fits into
 * 80 columns. */
static void greet_operator(const struct service *service, const char *url)
{
    char local[URL_MOST];
    struct buffer data; /* where it is: the file, or the server without the password */

    buffer_init(&data, DATABASE_SHOWN_MOST);
    if (service->file) {
        buffer_add_text(&data, service->file);
    } else {
        settings_add_url(&data, service->settings.database_url);
    }
    write_service_url(service, true, local, sizeof local);
    fprintf(stderr, "taskhold " TASKHOLD_VERSION ", listening on %s\n\n  documentation  %s/docs\n",
            url, local);
    fprintf(stderr, "  data           %.*s\n", (int)data.len, data.data ? data.data : "");
    buffer_finish(&data);
    if (service->metrics) {
        fprintf(stderr, "  metrics        %s\n", aux_server_url(service->metrics));
    }
    fprintf(stderr, "  stop           Ctrl-C\n\n");
    if (strcmp(service->settings.registration, "open") == 0) {
        fprintf(stderr,
                "Try it in a second terminal:\n\n"
                "  curl -sS %s/v1/auth/register \\\n"
                "    -H 'Content-Type: application/json' \\\n"
                "    -d '{\"email\":\"me@example.com\",\"password\":\"a long pass phrase\"}'\n\n",
                local);
    } else {
        fprintf(stderr, "Accounts are made by invitation, or in a second terminal with:\n\n"
                        "  taskhold user add me@example.com\n\n");
    }
}

static void service_ready(void *owner)
{
    struct service *service = OWNER_CAST(owner, struct service, SERVICE_MAGIC);
    char url[URL_MOST];
    char text[URL_MOST + 32];

    if (!confine_calls(&service->settings, service->file, service->why, sizeof service->why)) {
        http_server_stop(service->server);
        return;
    }
    write_service_url(service, false, url, sizeof url);
    if (is_watched()) {
        greet_operator(service, url);
    } else {
        /* The same for a machine, whatever the level: nobody else tells the port that PORT=0 found.
         */
        const char *metrics = service->metrics ? aux_server_url(service->metrics) : NULL;
        (void)snprintf(text, sizeof text, "listening on %s", url);
        log_always(LOG_INFO, "started",
                   LOG_FIELDS(LOG_T("message", slice_of(text)),
                              LOG_T("version", SLICE(TASKHOLD_VERSION)),
                              LOG_T("address", slice_of(url)),
                              LOG_T("engine", slice_of(service->engine->name)),
                              LOG_N("pid", getpid()), LOG_O("metrics", slice_of(metrics))));
    }
    notify_send("READY=1");

    /* From now on signals are the server's. */
    service->reload.settings = &service->settings;
    service->reload.file = service->file;
    service->reload.server = service->server;
    service->reload.keys = &service->keys;
    pthread_mutex_lock(&service->lock);
    service->serving = service->server;
    const bool asked = service->reload_asked;
    pthread_mutex_unlock(&service->lock);
    if (asked) {
        kill(getpid(), SIGHUP);
    }
}

/* After the server: its routes are counted. Without the control socket, which is for the commands
 * that write beside a running server, all else still works. */
static int start_aux_servers(struct service *service)
{
    char why[512];
    const char *refused = NULL;
    const char *address = service->settings.metrics_addr;

    if (address) {
        service->metrics = aux_server_metrics(service->api, address, why, sizeof why);
        if (!service->metrics) {
            return start_failed(CLI_CONFIGURATION, why);
        }
    }
    if (service->file) {
        service->control = aux_server_control(service->api, service->file, &refused);
        if (!service->control) {
            log_message(LOG_WARN, "control_refused", "no control socket beside the database: %s",
                        refused);
        }
    }
    return CLI_OK;
}

static int confine_service(struct service *service)
{
    char why[512];

    return confine_files(&service->settings, service->file, why, sizeof why)
               ? CLI_OK
               : start_failed(CLI_FAILED, why);
}

/* A host whose disk ends with the process, known by the name that it sets, would lose the file with
 * everything in it. */
static int refuse_ephemeral(struct service *service)
{
    static const char *const names[] = {"K_SERVICE", "DYNO"}; /* Cloud Run, Heroku */
    const char *allowed = getenv("ALLOW_EPHEMERAL");
    const bool file = strncmp(service->settings.database_url, "sqlite:", 7) == 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (file && getenv(names[i]) && (!allowed || strcmp(allowed, "1") != 0)) {
            char why[256];
            (void)snprintf(why, sizeof why,
                           "DATABASE_URL: %s is set, so this host forgets its disk and SQLite "
                           "would lose everything; use postgres://, or set ALLOW_EPHEMERAL=1",
                           names[i]);
            return start_failed(CLI_CONFIGURATION, why);
        }
    }
    return CLI_OK;
}

/* The servers last: their loops own the inboxes and arenas that hashers and the writer answer into,
 * and a drain that ran out of time leaves some of their work under way. */
static void finish_service(struct service *service)
{
    aux_server_stop(service->metrics);
    aux_server_stop(service->control);
    api_destroy(&service->api);
    keys_destroy(&service->keys);
    if (service->store) {
        service->engine->close(&service->store);
    }
    http_server_destroy(&service->server);
    aux_server_destroy(&service->metrics);
    aux_server_destroy(&service->control);
    zones_destroy(&service->zones);
    revocations_destroy(&service->revocations);
    subscriptions_destroy(&service->subscriptions);
    log_stop();
    settings_finish(&service->settings);
}

static int run_service(struct service *service)
{
    static int (*const steps[])(struct service *) = {
        refuse_ephemeral,      open_service_store, create_service_api,
        create_service_server, start_aux_servers,  confine_service,
    };
    int status = CLI_OK;

    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == CLI_OK; i++) {
        status = steps[i](service);
    }
    if (status != CLI_OK) {
        return status;
    }
    const bool good = http_server_run(service->server, service_ready, service) == 0;
    pthread_mutex_lock(&service->lock);
    service->serving = NULL;
    pthread_mutex_unlock(&service->lock);
    end_signals(service);
    if (!good || *service->why) {
        return start_failed(CLI_FAILED, good ? service->why : http_server_why(service->server));
    }
    log_write(LOG_INFO, "stopped", LOG_FIELDS(LOG_N("pid", getpid())));
    return CLI_OK;
}

int cli_serve(int argc, char **argv)
{
    struct service service = {.magic = SERVICE_MAGIC,
                              .lock = PTHREAD_MUTEX_INITIALIZER,
                              .reload = {.argc = argc, .argv = argv}};
    int status = settings_read(&service.settings, argc, argv, NULL, NULL);

    if (status != CLI_OK) {
        return status;
    }
    /* From here on lines have their form. What is wrong with the settings is told in it too, as far
     * as they say which. */
    settings_set_up_log(&service.settings, !isatty(STDERR_FILENO));
    for (struct slice rest = slice_of(service.settings.remarks); rest.len > 0;) {
        say_event(LOG_WARN, "settings_remark", slice_next(&rest, '\n'));
    }
    settings_need_secret(&service.settings);
    if (settings_fault(&service.settings)) {
        status = start_failed(CLI_CONFIGURATION, settings_fault(&service.settings));
    } else if (!notify_open()) {
        status =
            start_failed(CLI_FAILED, "NOTIFY_SOCKET: the service manager cannot be reached there");
    } else {
        if (service.settings.metrics_addr) {
            metrics_start();
        }
        harden_process(); /* a thread that is made before it keeps what it had */
        status = start_signals(&service)
                     ? run_service(&service)
                     : start_failed(CLI_FAILED, "the thread for signals cannot start");
    }
    end_signals(&service);
    finish_service(&service);
    return status;
}
