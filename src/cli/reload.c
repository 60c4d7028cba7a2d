// SPDX-License-Identifier: MIT
#include "cli/reload.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "api/api.h"
#include "base/disk.h"
#include "base/log.h"

#define WHY_SIZE     512
#define CHANGED_MOST 4096

struct keys *reload_keys(const struct settings *settings, const char *file, bool make, char *why,
                         size_t why_size)
{
    char *beside = NULL; /* the secret that stands beside the database */
    char *name = NULL;
    struct keys *keys = NULL;

    assert(why_size > 0);
    if (!settings->jwt_secret && !file) {
        (void)snprintf(why, why_size, "set JWT_SECRET: every node needs the same one");
        return NULL;
    }
    if (!settings->jwt_secret) {
        const bool there =
            make || (asprintf(&name, "%s" BESIDE_SECRET, file) >= 0 && access(name, F_OK) == 0);
        free(name);
        if (!there) {
            (void)snprintf(why, why_size, "the secret beside the database cannot be found");
            return NULL;
        }
        beside = keys_secret_file(file, why, why_size);
        if (!beside) {
            return NULL;
        }
    }
    keys = keys_create(slice_of(beside ? beside : settings->jwt_secret),
                       slice_of(settings->jwt_secret_previous));
    if (!keys) {
        (void)snprintf(why, why_size, "out of memory for the keys");
    }
    if (beside) {
        sodium_memzero(beside, strlen(beside));
        free(beside);
    }
    return keys;
}

/* ---- taking over ---- */

/* What is taken over while the server runs. */
static const enum setting_id policy_ids[] = {SETTING_cors_origins, SETTING_trusted_proxies,
                                             SETTING_client_address_header};
static const enum setting_id secret_ids[] = {SETTING_jwt_secret, SETTING_jwt_secret_previous};

#define POLICY_COUNT (sizeof policy_ids / sizeof *policy_ids)
#define SECRET_COUNT (sizeof secret_ids / sizeof *secret_ids)

static void add_changed_name(struct buffer *changed, const char *name)
{
    buffer_add_text(changed, changed->len > 0 ? ", " : "");
    buffer_add_text(changed, name);
}

static void refuse_reload(const char *why)
{
    log_message(LOG_ERROR, "reload_refused", "%s; the old value stays", why);
}

/* Whether a value is there to be taken: another one, and a good one. */
static bool is_setting_new(const struct reload *reload, const struct settings *fresh,
                           enum setting_id id)
{
    if (fresh->faults[id]) {
        refuse_reload(fresh->faults[id]);
        return false;
    }
    return !settings_same(reload->settings, fresh, id);
}

/* The three belong together: a bad one keeps all of the old. */
static void take_policy(struct reload *reload, struct settings *fresh, struct buffer *changed)
{
    const char *why = NULL;
    bool bad = false;
    bool news = false;

    for (size_t i = 0; i < POLICY_COUNT; i++) {
        news = is_setting_new(reload, fresh, policy_ids[i]) || news;
        bad = bad || fresh->faults[policy_ids[i]];
    }
    if (bad || !news) {
        return;
    }
    if (!http_server_reload(reload->server, fresh->cors_origins, fresh->trusted_proxies,
                            fresh->client_address_header, &why)) {
        refuse_reload(why);
        return;
    }
    for (size_t i = 0; i < POLICY_COUNT; i++) {
        if (!settings_same(reload->settings, fresh, policy_ids[i])) {
            settings_exchange(reload->settings, fresh, policy_ids[i]);
            add_changed_name(changed, setting_rows[policy_ids[i]].name);
        }
    }
}

static void swap_keys(struct http_loop *loop, void *keys)
{
    api_take_keys(loop, keys);
}

static void drop_keys(void *keys)
{
    keys_destroy((struct keys **)&keys);
}

static void take_keys(struct reload *reload, struct settings *fresh, struct buffer *changed)
{
    char why[WHY_SIZE];
    struct keys *keys = NULL;

    for (size_t i = 0; i < SECRET_COUNT; i++) {
        if (fresh->faults[secret_ids[i]]) {
            refuse_reload(fresh->faults[secret_ids[i]]);
            return;
        }
    }
    keys = reload_keys(fresh, reload->file, false, why, sizeof why);
    if (!keys) {
        refuse_reload(why);
        return;
    }
    if (slice_eq(keys_kid(keys, 0), keys_kid(*reload->keys, 0)) &&
        slice_eq(keys_kid(keys, 1), keys_kid(*reload->keys, 1))) {
        keys_destroy(&keys);
        return;
    }
    if (!http_server_tell(reload->server, swap_keys, keys, drop_keys, *reload->keys)) {
        keys_destroy(&keys);
        refuse_reload("out of memory for the keys");
        return;
    }
    *reload->keys = keys;
    for (size_t i = 0; i < SECRET_COUNT; i++) {
        settings_exchange(reload->settings, fresh, secret_ids[i]);
    }
    add_changed_name(changed, "the secrets");
}

/* ---- all of it ---- */

/* What only the next start takes. */
static void tell_of_others(const struct reload *reload, const struct settings *fresh)
{
    bool taken[SETTING_COUNT] = {[SETTING_log_level] = true};

    for (size_t i = 0; i < POLICY_COUNT; i++) {
        taken[policy_ids[i]] = true;
    }
    for (size_t i = 0; i < SECRET_COUNT; i++) {
        taken[secret_ids[i]] = true;
    }
    for (unsigned id = 0; id < SETTING_COUNT; id++) {
        if (!taken[id] && is_setting_new(reload, fresh, (enum setting_id)id)) {
            log_message(LOG_WARN, "reload_needs_restart", "%s has changed: restart to use it",
                        setting_rows[id].name);
        }
    }
}

void reload_run(struct reload *reload)
{
    struct settings fresh = {0};
    struct buffer changed;

    assert(reload->server && reload->keys && *reload->keys && reload->settings);
    if (settings_read(&fresh, reload->argc, reload->argv, NULL, NULL) != 0) {
        refuse_reload("the settings cannot be read");
        return;
    }
    if (fresh.faults[SETTING_COUNT]) {
        /* Half of a file says nothing about what its other half took away. */
        refuse_reload(fresh.faults[SETTING_COUNT]);
        settings_finish(&fresh);
        return;
    }
    settings_need_secret(&fresh);
    buffer_init(&changed, CHANGED_MOST);
    if (is_setting_new(reload, &fresh, SETTING_log_level)) {
        log_set_level(log_level_of(fresh.log_level));
        settings_exchange(reload->settings, &fresh, SETTING_log_level);
        add_changed_name(&changed, "LOG_LEVEL");
    }
    take_policy(reload, &fresh, &changed);
    take_keys(reload, &fresh, &changed);
    tell_of_others(reload, &fresh);
    log_write(
        LOG_INFO, "reloaded",
        LOG_FIELDS(LOG_T("changed", changed.len > 0 ? buffer_slice(&changed) : SLICE("nothing"))));
    buffer_finish(&changed);
    settings_finish(&fresh);
}
