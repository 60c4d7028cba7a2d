// SPDX-License-Identifier: MIT
#include "api/control_routes.h"

#include "api/handlers.h"

#define BODY_MOST 8192

#define LIST(where, operation)                                                                     \
    {                                                                                              \
        .method = HTTP_GET, .path = (where), .operation_id = (operation),                          \
        .handler = control_list_users, .access = HTTP_ACCESS_PUBLIC, .always = true                \
    }
#define ORDER(where, operation, function)                                                          \
    {                                                                                              \
        .method = HTTP_POST, .path = (where), .operation_id = (operation), .handler = (function),  \
        .access = HTTP_ACCESS_PUBLIC, .consumes = HTTP_CONSUMES_JSON, .body_most = BODY_MOST,      \
        .always = true                                                                             \
    }

static const struct http_route routes[] = {
    LIST("/users", "listUsers"),
    LIST("/users/after/{id}", "listMoreUsers"),
    ORDER("/users", "addUser", control_add_user),
    ORDER("/users/password", "setUserPassword", control_set_password),
    ORDER("/users/disable", "disableUser", control_disable_user),
    ORDER("/users/enable", "enableUser", control_enable_user),
    ORDER("/users/delete", "deleteUser", control_delete_user),
    ORDER("/invitations", "invite", control_invite),
};

const struct http_route *control_routes(size_t *count)
{
    *count = sizeof routes / sizeof routes[0];
    return routes;
}
