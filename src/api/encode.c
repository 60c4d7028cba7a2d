// SPDX-License-Identifier: MIT
#include "api/encode.h"

#include "model/task_fields.h"
#include "model/user_fields.h"

void encode_task(struct json_writer *w, const struct task *task)
{
    jw_open_object(w);
    field_write(task_fields, task_field_count, task, w);
    jw_close_object(w);
}

void encode_user(struct json_writer *w, const struct user *user)
{
    jw_open_object(w);
    field_write(user_body_user.fields, user_body_user.count, user, w);
    jw_close_object(w);
}

void encode_operator(struct json_writer *w, const struct user *user)
{
    jw_open_object(w);
    field_write(user_body_operator.fields, user_body_operator.count, user, w);
    jw_close_object(w);
}

void encode_session(struct json_writer *w, const struct session *session, bool current)
{
    jw_open_object(w);
    field_write(user_body_session.fields, user_body_session.count, session, w);
    jw_name(w, SLICE("current"));
    jw_bool(w, current);
    jw_close_object(w);
}

void encode_tokens(struct json_writer *w, const struct encode_tokens *tokens)
{
    jw_open_object(w);
    jw_name(w, SLICE("access_token"));
    jw_text(w, tokens->access_token);
    jw_name(w, SLICE("token_type"));
    jw_text(w, SLICE("Bearer"));
    jw_name(w, SLICE("expires_in"));
    jw_i64(w, tokens->expires_in);
    jw_name(w, SLICE("refresh_token"));
    jw_text(w, tokens->refresh_token);
    jw_name(w, SLICE("refresh_expires_in"));
    jw_i64(w, tokens->refresh_expires_in);
    jw_close_object(w);
}
