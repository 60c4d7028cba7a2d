// SPDX-License-Identifier: MIT
#include "api/routes.h"

#include <assert.h>

#include "api/handlers.h"
#include "model/scope.h"
#include "model/task.h"
#include "model/task_list.h"

#define JSON "application/json"
#define HTML "text/html"
#define YAML "application/yaml"
#define SSE  "text/event-stream"
#define PROM "text/plain; version=0.0.4; charset=utf-8"

/* What a call reads. */
#define NOTHING HTTP_CONSUMES_NOTHING
#define BODY    HTTP_CONSUMES_JSON
#define PATCHES (HTTP_CONSUMES_JSON | HTTP_CONSUMES_MERGE_PATCH)

/* What a token of a script must be good for; a session may make every call. */
#define NOT   0 /* no such token may */
#define READ  SCOPE_TASKS_READ
#define WRITE SCOPE_TASKS_WRITE
#define SELF  SCOPE_ACCOUNT_READ
#define BOTH  (SCOPE_TASKS_READ | SCOPE_ACCOUNT_READ)

/* The most bytes of a body: calls about accounts need few; 0 is MAX_BODY_BYTES. */
#define SMALL 4096
#define ORDER 8192 /* of an operator */
#define ITEMS API_CONTROL_IMPORT_BYTES

#define ANY_QUERY .query_ignored = true
#define ALWAYS    .always = true

#define ROW(verb, where, operation, function, answer, reads, who, scopes, limit, most, ...)        \
    {                                                                                              \
        .method = HTTP_##verb, .path = (where), .operation_id = #operation, .handler = (function), \
        .produces = (answer), .consumes = (reads), .access = HTTP_ACCESS_##who, .scope = (scopes), \
        .quota = API_QUOTA_##limit, .body_most = (most), __VA_ARGS__                               \
    }

#ifdef API_MORE_RESOURCES
extern const struct resource API_MORE_RESOURCES;
#endif

/* One line a call: that is what makes it a table. */
/* clang-format off */
static const struct http_route routes[] = {
    /*  METHOD  PATH                    OPERATION             HANDLER                 GIVES READS    WHO     SCOPE  QUOTA BYTES */
    ROW(GET,    "/",                    getRoot,              service_root,           JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/livez",               getLiveness,          service_live,           JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
    ROW(GET,    "/healthz",             getHealthz,           service_live,           JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
    ROW(GET,    "/health",              getHealth,            service_live,           JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
    ROW(GET,    "/readyz",              getReadiness,         service_ready,          JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
    ROW(GET,    "/openapi.json",        getOpenapiJson,       documents_get,          JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/openapi-3.0.json",    getOpenapi30Json,     documents_get,          JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/openapi.yaml",        getOpenapiYaml,       documents_get,          YAML, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/postman.json",        getPostmanCollection, documents_get,          JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/docs",                getDocs,              documents_get,          HTML, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/docs/{file}",         getDocsFile,          documents_get_file,     NULL, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),
    ROW(GET,    "/problems/{code}",     getProblem,           documents_get_problem,  HTML, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY),

    ROW(POST,   "/v1/auth/register",    registerUser,         auth_register,          JSON, BODY,    PUBLIC, NOT,   AUTH, SMALL),
    ROW(POST,   "/v1/auth/login",       login,                auth_login,             JSON, BODY,    PUBLIC, NOT,   AUTH, SMALL),
    ROW(POST,   "/v1/auth/refresh",     refreshTokens,        auth_refresh,           JSON, BODY,    PUBLIC, NOT,   AUTH, SMALL),
    ROW(POST,   "/v1/auth/logout",      logout,               auth_logout,            NULL, BODY,    EITHER, NOT,   API,  SMALL),

    ROW(GET,    "/v1/me",               getMe,                me_get,                 JSON, NOTHING, TOKEN,  SELF,  API,  SMALL, .values = conditions_values),
    ROW(PATCH,  "/v1/me",               updateMe,             me_patch,               JSON, PATCHES, TOKEN,  NOT,   API,  SMALL),
    ROW(PUT,    "/v1/me/password",      changePassword,       me_put_password,        NULL, BODY,    TOKEN,  NOT,   AUTH, SMALL),
    ROW(PUT,    "/v1/me/email",         changeEmail,          me_put_email,           JSON, BODY,    TOKEN,  NOT,   AUTH, SMALL),
    ROW(POST,   "/v1/me/deletion",      deleteAccount,        me_delete,              NULL, BODY,    TOKEN,  NOT,   AUTH, SMALL),
    ROW(GET,    "/v1/me/export",        exportMe,             me_export,              JSON, NOTHING, TOKEN,  BOTH,  API,  SMALL),
    ROW(GET,    "/v1/me/sessions",      listSessions,         auth_list_sessions,     JSON, NOTHING, TOKEN,  NOT,   API,  SMALL),
    ROW(DELETE, "/v1/me/sessions",      endOtherSessions,     auth_end_other_sessions,NULL, NOTHING, TOKEN,  NOT,   API,  SMALL),
    ROW(DELETE, "/v1/me/sessions/{id}", endSession,           auth_end_session,       NULL, NOTHING, TOKEN,  NOT,   API,  SMALL),

    ROW(POST,   "/v1/me/tokens",        makeToken,            script_tokens_make,     JSON, BODY,    TOKEN,  NOT,   AUTH, SMALL),
    ROW(GET,    "/v1/me/tokens",        listTokens,           script_tokens_list,     JSON, NOTHING, TOKEN,  NOT,   API,  SMALL),
    ROW(DELETE, "/v1/me/tokens/{id}",   endToken,             script_tokens_end,      NULL, NOTHING, TOKEN,  NOT,   API,  SMALL),

    ROW(GET,    "/v1/lists",            listLists,            items_list,             JSON, NOTHING, TOKEN,  READ,  API,  0,     .subject = &list_resource, .query = true, .values = items_list_values),
    ROW(POST,   "/v1/lists",            createList,           items_write,            JSON, BODY,    TOKEN,  WRITE, API,  0,     .subject = &list_resource),
    ROW(GET,    "/v1/lists/{id}",       getList,              items_get,              JSON, NOTHING, TOKEN,  READ,  API,  0,     .subject = &list_resource, .values = conditions_values),
    ROW(PUT,    "/v1/lists/{id}",       replaceList,          items_write,            JSON, BODY,    TOKEN,  WRITE, API,  0,     .subject = &list_resource),
    ROW(PATCH,  "/v1/lists/{id}",       updateList,           items_write,            JSON, PATCHES, TOKEN,  WRITE, API,  0,     .subject = &list_resource),
    ROW(DELETE, "/v1/lists/{id}",       deleteList,           lists_delete,           NULL, NOTHING, TOKEN,  WRITE, API,  0,     .subject = &list_resource, .query = true, .values = lists_delete_values),
    ROW(POST,   "/v1/lists/{id}/move",  moveList,             items_move,             JSON, BODY,    TOKEN,  WRITE, API,  SMALL, .subject = &list_resource),

    ROW(GET,    "/v1/tasks",            listTasks,            items_list,             JSON, NOTHING, TOKEN,  READ,  API,  0,     .subject = &task_resource, .query = true, .values = items_list_values),
    ROW(POST,   "/v1/tasks",            createTask,           items_write,            JSON, BODY,    TOKEN,  WRITE, API,  0,     .subject = &task_resource),
    ROW(PATCH,  "/v1/tasks",            updateTasks,          bulk_write,             JSON, PATCHES, TOKEN,  WRITE, API,  0,     .subject = &task_resource, .query = true),
    ROW(DELETE, "/v1/tasks",            deleteTasks,          bulk_write,             JSON, NOTHING, TOKEN,  WRITE, API,  0,     .subject = &task_resource, .query = true, .values = bulk_values),
    ROW(POST,   "/v1/tasks/batch",      batchTasks,           batch_write,            JSON, BODY,    TOKEN,  WRITE, API,  0,     .subject = &task_resource),
    ROW(GET,    "/v1/tasks/{id}",       getTask,              items_get,              JSON, NOTHING, TOKEN,  READ,  API,  0,     .subject = &task_resource, .values = conditions_values),
    ROW(PUT,    "/v1/tasks/{id}",       replaceTask,          items_write,            JSON, BODY,    TOKEN,  WRITE, API,  0,     .subject = &task_resource),
    ROW(PATCH,  "/v1/tasks/{id}",       updateTask,           items_write,            JSON, PATCHES, TOKEN,  WRITE, API,  0,     .subject = &task_resource),
    ROW(DELETE, "/v1/tasks/{id}",       deleteTask,           items_write,            NULL, NOTHING, TOKEN,  WRITE, API,  0,     .subject = &task_resource, .values = items_delete_values),
    ROW(GET,    "/v1/tasks/{id}/occurrences", listOccurrences, occurrences_list,    JSON, NOTHING, TOKEN,  READ,  API,  0,     .subject = &task_resource, .query = true, .values = occurrences_values),
    ROW(POST,   "/v1/tasks/{id}/skip",  skipTask,             occurrences_skip,       JSON, BODY,    TOKEN,  WRITE, API,  SMALL, .subject = &task_resource),
    ROW(GET,    "/v1/tasks/{id}/history", listHistory,        history_list,           JSON, NOTHING, TOKEN,  READ,  API,  0,     .subject = &task_resource, .query = true, .values = history_values),
    ROW(POST,   "/v1/tasks/{id}/undo",  undoTask,             undo_task,              JSON, BODY,    TOKEN,  WRITE, API,  SMALL, .subject = &task_resource),
    ROW(POST,   "/v1/tasks/{id}/move",  moveTask,             items_move,             JSON, BODY,    TOKEN,  WRITE, API,  SMALL, .subject = &task_resource),

    ROW(GET,    "/v1/trash",            listTrash,            trash_list,             JSON, NOTHING, TOKEN,  READ,  API,  0,     .query = true, .values = trash_list_values),
    ROW(DELETE, "/v1/trash",            emptyTrash,           trash_empty,            NULL, NOTHING, TOKEN,  WRITE, API,  0,     .subject = &task_resource, .values = items_delete_values),
    ROW(POST,   "/v1/trash/{id}/restore", restoreTask,        trash_restore,          JSON, BODY,    TOKEN,  WRITE, API,  SMALL, .subject = &task_resource),
    ROW(DELETE, "/v1/trash/{id}",       purgeTask,            trash_purge,            NULL, NOTHING, TOKEN,  WRITE, API,  0,     .subject = &task_resource, .values = items_delete_values),

    ROW(GET,    "/v1/labels",           listLabels,           labels_list,            JSON, NOTHING, TOKEN,  READ,  API,  0,     .query = true, .values = labels_list_values),
    ROW(PATCH,  "/v1/labels/{name}",    renameLabel,          labels_write,           JSON, PATCHES, TOKEN,  WRITE, API,  SMALL),
    ROW(DELETE, "/v1/labels/{name}",    deleteLabel,          labels_write,           NULL, NOTHING, TOKEN,  WRITE, API,  SMALL, .values = labels_delete_values),

    ROW(GET,    "/v1/changes",          listChanges,          changes_list,           JSON, NOTHING, TOKEN,  READ,  API,  0,     .query = true, .values = changes_list_values),

    ROW(GET,    "/v1/summary",          getSummary,           summary_get,            JSON, NOTHING, TOKEN,  READ,  API,  0,     .query = true, .values = summary_values),

    ROW(GET,    "/v1/events",           streamEvents,         events_stream,          SSE,  NOTHING, TOKEN,  READ,  API,  0,     .query = true, .values = events_values),

#ifdef API_MORE_ROUTES /* of a build for tests, for a resource that only that has */
#include API_MORE_ROUTES
#endif
};

/* Nobody but the operator reaches the other two, so no row asks for a token or counts. */

static const struct http_route metrics_routes[] = {
    ROW(GET,    "/metrics",             getMetrics,           service_metrics,        PROM, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
    ROW(GET,    "/livez",               getLiveness,          service_live,           JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
    ROW(GET,    "/readyz",              getReadiness,         service_ready,          JSON, NOTHING, PUBLIC, NOT,   NONE, 0,     ANY_QUERY, ALWAYS),
};

static const struct http_route control_routes[] = {
    ROW(GET,    "/users",               listUsers,            control_list_users,     NULL, NOTHING, PUBLIC, NOT,   NONE, 0,     ALWAYS),
    ROW(GET,    "/users/after/{id}",    listMoreUsers,        control_list_users,     NULL, NOTHING, PUBLIC, NOT,   NONE, 0,     ALWAYS),
    ROW(POST,   "/users",               addUser,              control_add_user,       NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/password",      setUserPassword,      control_set_password,   NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/disable",       disableUser,          control_disable_user,   NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/enable",        enableUser,           control_enable_user,    NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/delete",        deleteUser,           control_delete_user,    NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/find",          findUser,             control_find_user,      NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/tokens",        addUserToken,         control_make_token,     NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/tokens/list",   listUserTokens,       control_list_tokens,    NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/users/tokens/end",    endUserToken,         control_end_token,      NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
    ROW(POST,   "/import",              importItems,          control_import,         NULL, BODY,    PUBLIC, NOT,   NONE, ITEMS, ALWAYS),
    ROW(POST,   "/invitations",         invite,               control_invite,         NULL, BODY,    PUBLIC, NOT,   NONE, ORDER, ALWAYS),
};
/* clang-format on */

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

const struct http_route *api_routes(size_t *count)
{
    assert(count);
    *count = COUNT(routes);
    return routes;
}

const struct http_route *api_metrics_routes(size_t *count)
{
    assert(count);
    *count = COUNT(metrics_routes);
    return metrics_routes;
}

const struct http_route *api_control_routes(size_t *count)
{
    assert(count);
    *count = COUNT(control_routes);
    return control_routes;
}

const char *api_quota_name(unsigned quota)
{
    static const char *const names[API_QUOTA_COUNT] = {
        [API_QUOTA_NONE] = "none", [API_QUOTA_AUTH] = "auth", [API_QUOTA_API] = "api"};
    assert(quota < API_QUOTA_COUNT);
    return names[quota];
}
