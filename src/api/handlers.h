// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_API_HANDLERS_H
#define TASKHOLD_API_HANDLERS_H

#include "http/message.h"

/* One function a call; routes.c says which. Each is an http_handler_fn: it runs when the dispatcher
 * has checked every column of its route, and answers the exchange once, then or later. */

/* auth.c */
void auth_register(struct http_exchange *x);
void auth_login(struct http_exchange *x);
void auth_refresh(struct http_exchange *x);
void auth_logout(struct http_exchange *x);
void auth_list_sessions(struct http_exchange *x);
void auth_end_session(struct http_exchange *x);
void auth_end_other_sessions(struct http_exchange *x);

/* script_tokens.c; the last three for the routes of the control socket only */
void script_tokens_make(struct http_exchange *x);
void script_tokens_list(struct http_exchange *x);
void script_tokens_end(struct http_exchange *x);
void control_make_token(struct http_exchange *x);
void control_list_tokens(struct http_exchange *x);
void control_end_token(struct http_exchange *x);

/* me.c */
void me_get(struct http_exchange *x);
void me_patch(struct http_exchange *x);
void me_put_password(struct http_exchange *x);
void me_put_email(struct http_exchange *x);
void me_delete(struct http_exchange *x);

/* me_export.c */
void me_export(struct http_exchange *x);

/* items.c, item_list.c: of the resource that the route names */
void items_get(struct http_exchange *x);
void items_list(struct http_exchange *x);
void items_write(struct http_exchange *x); /* as the method says */
void items_move(struct http_exchange *x);
void lists_delete(struct http_exchange *x);

/* occurrences.c: of tasks */
void occurrences_list(struct http_exchange *x);
void occurrences_skip(struct http_exchange *x);

/* batch.c, bulk.c: of several tasks */
void batch_write(struct http_exchange *x);
void bulk_write(struct http_exchange *x); /* as the method says */

/* history.c, undo.c: of tasks */
void history_list(struct http_exchange *x);
void undo_task(struct http_exchange *x);

/* labels.c, summary.c */
void labels_list(struct http_exchange *x);
void labels_write(struct http_exchange *x); /* as the method says */
void summary_get(struct http_exchange *x);

/* changes.c */
void changes_list(struct http_exchange *x);

/* events.c */
void events_stream(struct http_exchange *x);

/* trash.c */
void trash_list(struct http_exchange *x);
void trash_restore(struct http_exchange *x);
void trash_purge(struct http_exchange *x);
void trash_empty(struct http_exchange *x);

/* Column `values` of the routes. */
bool trash_list_values(struct http_exchange *x);
bool changes_list_values(struct http_exchange *x);
bool events_values(struct http_exchange *x);
bool labels_list_values(struct http_exchange *x);
bool labels_delete_values(struct http_exchange *x);
bool summary_values(struct http_exchange *x);
bool items_list_values(struct http_exchange *x);
bool bulk_values(struct http_exchange *x);
bool items_delete_values(struct http_exchange *x);
bool occurrences_values(struct http_exchange *x);
bool history_values(struct http_exchange *x);
bool lists_delete_values(struct http_exchange *x);
bool conditions_values(struct http_exchange *x);

/* service.c */
void service_root(struct http_exchange *x);
void service_live(struct http_exchange *x);
void service_ready(struct http_exchange *x);
void service_metrics(struct http_exchange *x); /* on the metrics listener only */

/* control.c: for the routes of the control socket only */
void control_list_users(struct http_exchange *x);
void control_add_user(struct http_exchange *x);
void control_set_password(struct http_exchange *x);
void control_disable_user(struct http_exchange *x);
void control_enable_user(struct http_exchange *x);
void control_delete_user(struct http_exchange *x);
void control_invite(struct http_exchange *x);
void control_find_user(struct http_exchange *x);

/* control_import.c: likewise */
void control_import(struct http_exchange *x);

/* documents.c */
void documents_get(struct http_exchange *x);
void documents_get_file(struct http_exchange *x);
void documents_get_problem(struct http_exchange *x);

#endif
