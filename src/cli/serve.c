#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "api/api.h"
#include "api/routes.h"
#include "auth/keys.h"
#include "auth/revocations.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/notify.h"
#include "base/settings.h"
#include "cli/cli.h"
#include "cli/control_server.h"
#include "cli/metrics_listener.h"
#include "cli/store_options.h"
#include "http/server.h"
#include "store/store.h"

/* Everything one `serve` owns, made from top to bottom and ended from bottom to top. */
struct service {
    struct settings settings;
    bool logging;
    struct revocations *revocations;
    const struct store_engine *engine;
    struct store *store;
    struct keys *keys;
    struct api *api;
    struct http_server *server;
    struct metrics_listener *metrics;
    struct control_server *control;
};

/* A signal may come to any thread at any time: the server is destroyed when no handler has it. */
static struct http_server *_Atomic signalled_server;
static atomic_uint handlers_running;

static void on_stop_signal(int number)
{
    (void)number;
    notify_send("STOPPING=1");
    atomic_fetch_add(&handlers_running, 1);
    struct http_server *server = atomic_load(&signalled_server);
    if (server) {
        http_server_stop(server);
    }
    atomic_fetch_sub(&handlers_running, 1);
}

static void hide_from_signals(void)
{
    atomic_store(&signalled_server, NULL);
    while (atomic_load(&handlers_running) > 0) {
        (void)sched_yield();
    }
}

/* The last word of a crash: one line without allocation, then the default action. */
static void on_crash_signal(int number)
{
    static const char line[] = "taskhold: crashed; the supervisor should start it again\n";
    ssize_t written = write(STDERR_FILENO, line, sizeof line - 1);
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

static void handle_signals(struct http_server *server)
{
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction stop = {.sa_handler = on_stop_signal};
    struct sigaction crash = {.sa_handler = on_crash_signal, .sa_flags = (int)SA_RESETHAND};

    atomic_store(&signalled_server, server);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGINT, &stop, NULL);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        sigaction(crashes[i], &crash, NULL);
    }
}

/* What a server that holds secrets gives up for good: new privileges, core files, a readable
 * memory, files that others may read. */
static void harden(void)
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

static int complain(int status, const char *why)
{
    fprintf(stderr, "taskhold: %s\n", why);
    return status;
}

static int start_log(struct service *service)
{
    static const char *const levels[] = {"debug", "info", "warn", "error", "off"};
    const struct settings *settings = &service->settings;
    const bool json = strcmp(settings->log_format, "json") == 0 ||
                      (strcmp(settings->log_format, "auto") == 0 && !isatty(STDERR_FILENO));

    for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(settings->log_level, levels[i]) == 0) {
            service->logging = log_start((enum log_level)i, json);
        }
    }
    return service->logging ? CLI_OK : complain(CLI_FAILED, "the log's thread cannot start");
}

static int open_store(struct service *service)
{
    char why[512];
    struct store_options options = cli_store_options(&service->settings);

    service->engine = store_engine_for(options.url);
    if (!service->engine) {
        return complain(CLI_CONFIGURATION, "DATABASE_URL names no engine that is built in");
    }
    service->revocations = revocations_create();
    if (!service->revocations) {
        return complain(CLI_FAILED, "out of memory");
    }
    options.sessions_ended = api_sessions_ended;
    options.context = service->revocations;
    service->store = service->engine->open(&options, why, sizeof why);
    return service->store ? CLI_OK : complain(CLI_FAILED, why);
}

/* The secret of the settings, or the one kept beside the database file. */
static int load_keys(struct service *service)
{
    char why[256];
    const struct settings *settings = &service->settings;
    const char *file = service->engine->file(service->store);
    char *made = NULL;
    struct slice secret = slice_of(settings->jwt_secret);

    if (!settings->jwt_secret && !file) {
        return complain(CLI_CONFIGURATION, "set JWT_SECRET: every node needs the same one");
    }
    if (!settings->jwt_secret) {
        made = keys_secret_file(file, why, sizeof why);
        if (!made) {
            return complain(CLI_CONFIGURATION, why);
        }
        secret = slice_of(made);
    }
    service->keys = keys_create(secret, slice_of(settings->jwt_secret_previous));
    if (made) {
        sodium_memzero(made, strlen(made));
        free(made);
    }
    return service->keys ? CLI_OK : complain(CLI_FAILED, "out of memory");
}

static bool draining(void *context)
{
    const struct service *service = context;
    return service->server && http_server_draining(service->server);
}

static int create_api(struct service *service)
{
    const struct api_options options = {
        .engine = service->engine,
        .store = service->store,
        .keys = service->keys,
        .revocations = service->revocations,
        .settings = &service->settings,
        .version = TASKHOLD_VERSION,
        .draining = draining,
        .context = service,
    };

    service->api = api_create(&options);
    return service->api ? CLI_OK : complain(CLI_FAILED, "out of memory or threads");
}

static void tell_alive(void)
{
    notify_send("WATCHDOG=1");
}

static int create_server(struct service *service)
{
    const struct settings *settings = &service->settings;
    const char *why = "the server cannot start";
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct http_server_options options = {
        .host = settings->host,
        .port = (uint16_t)settings->port,
        .threads =
            settings->threads ? (unsigned)settings->threads : (unsigned)(cores > 0 ? cores : 1),
        .body_most = (size_t)settings->max_body_bytes,
        .cors_origins = settings->cors_origins,
        .trusted_proxies = settings->trusted_proxies,
        .client_address_header = settings->client_address_header,
        .drain_delay_seconds = (unsigned)settings->drain_delay_seconds,
        .drain_seconds = (unsigned)settings->drain_seconds,
        .counted = settings->metrics_addr != NULL,
        .hooks = api_hooks(service->api),
        .inherit = true,
        .beat = tell_alive,
        /* Three in the time that one may take: one may come late. */
        .beat_ms = notify_watchdog_ms() / 3,
    };

    options.routes = api_routes(&options.route_count);
    service->server = http_server_create(&options, &why);
    return service->server ? CLI_OK : complain(CLI_FAILED, why);
}

/* For the commands that write beside a running server. Without it, all else still works. */
static int start_control(struct service *service)
{
    const char *file = service->engine->file(service->store);
    const char *why = NULL;

    service->control = file ? control_server_start(service->api, file, &why) : NULL;
    if (file && !service->control) {
        log_message(LOG_WARN, "control_refused", "no control socket beside the database: %s", why);
    }
    return CLI_OK;
}

/* Where to look first. On standard error, because a log may want standard output for itself. */
static void greet(void *owner)
{
    const struct service *service = owner;
    const char *host = service->settings.host;
    const unsigned port = http_server_port(service->server);
    const bool v6 = strchr(host, ':') != NULL;

    notify_send("READY=1");
    fprintf(stderr, "listening on http://%s%s%s:%u\n", v6 ? "[" : "", host, v6 ? "]" : "", port);
    if (service->metrics) {
        fprintf(stderr, "metrics on %s\n", metrics_listener_url(service->metrics));
    }
    if (!isatty(STDERR_FILENO)) {
        return;
    }
    fprintf(stderr,
            "  documentation  http://%s%s%s:%u/docs\n"
            "  try            curl -sS http://%s%s%s:%u/v1/auth/register"
            " --json '{\"email\":\"me@example.com\",\"password\":\"a long pass phrase\"}'\n",
            v6 ? "[" : "", host, v6 ? "]" : "", port, v6 ? "[" : "", host, v6 ? "]" : "", port);
}

/* Behind the server: its routes are counted. */
static int open_metrics(struct service *service)
{
    char why[512];
    const char *address = service->settings.metrics_addr;

    if (!address) {
        return CLI_OK;
    }
    service->metrics = metrics_listener_open(address, service->api, why, sizeof why);
    return service->metrics ? CLI_OK : complain(CLI_CONFIGURATION, why);
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
            fprintf(stderr,
                    "taskhold: DATABASE_URL: %s is set, so this host forgets its disk and SQLite "
                    "would lose everything; use postgres://, or set ALLOW_EPHEMERAL=1\n",
                    names[i]);
            return CLI_CONFIGURATION;
        }
    }
    return CLI_OK;
}

static int start(struct service *service)
{
    static int (*const steps[])(struct service *) = {
        refuse_ephemeral, start_log,     open_store,   load_keys,
        create_api,       create_server, open_metrics, start_control,
    };
    int status = CLI_OK;

    if (!notify_open()) {
        return complain(CLI_FAILED, "NOTIFY_SOCKET: the service manager cannot be reached there");
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == CLI_OK; i++) {
        status = steps[i](service);
    }
    return status;
}

/* The servers last: their loops own the inboxes and arenas that hashers and the writer answer into,
 * and a drain that ran out of time leaves some of their work under way. */
static void finish(struct service *service)
{
    metrics_listener_close(&service->metrics);
    control_server_stop(service->control);
    api_destroy(&service->api);
    keys_destroy(&service->keys);
    if (service->store) {
        service->engine->close(&service->store);
    }
    http_server_destroy(&service->server);
    control_server_destroy(&service->control);
    revocations_destroy(&service->revocations);
    if (service->logging) {
        log_stop();
    }
    settings_finish(&service->settings);
}

int cli_serve(int argc, char **argv)
{
    struct service service = {0};
    int status = settings_load(&service.settings, argc, argv, NULL, NULL);

    if (status != CLI_OK) {
        return status;
    }
    settings_need_secret(&service.settings);
    if (settings_fault(&service.settings)) {
        status = complain(CLI_CONFIGURATION, settings_fault(&service.settings));
        settings_finish(&service.settings);
        return status;
    }
    if (service.settings.metrics_addr) {
        metrics_start();
    }
    harden();
    status = start(&service);
    if (status == CLI_OK) {
        handle_signals(service.server);
        status = http_server_run(service.server, greet, &service) == 0 ? CLI_OK : CLI_FAILED;
        hide_from_signals();
    }
    finish(&service);
    return status;
}
