// SPDX-License-Identifier: MIT
#include "api/body.h"
#include "api/context.h"
#include "api/event_log.h"
#include "api/handlers.h"
#include "api/respond.h"
#include "api/token_answer.h"
#include "auth/tokens.h"
#include "base/clock.h"

/* POST /v1/auth/refresh: the store moves the session's counter, or ends the session when an old
 * token comes again. A token that is not ours costs no database access. */

/* Of a session, however often it is refreshed. */
#define LIFETIME_MS (365LL * 24 * 60 * 60 * 1000)

static void refreshed(struct store_op *op)
{
    const struct store_session_refresh *refresh = (const struct store_session_refresh *)op;
    struct http_exchange *x = op->caller;
    if (refresh->reuse) {
        event_log(x, LOG_WARN, "refresh_reuse", &refresh->session.user, NULL);
    }
    if (op->result != ERROR_NONE) {
        const bool refused = op->result == ERROR_INVALID_REFRESH_TOKEN;
        respond_error(x, op->result,
                      refresh->reuse
                          ? "This refresh token was used before, as if somebody had copied "
                            "it; the session has been ended. Log in again."
                      : refused ? "The session of this refresh token has ended or expired. Log in "
                                  "again."
                                : NULL);
        return;
    }
    token_answer(x, &refresh->session);
}

void accounts_refresh(struct http_exchange *x)
{
    struct user_input input = {0};
    unsigned set = 0;
    if (!body_decode_user(x, &user_body_refresh, FIELD_WHOLE, &input, &set)) {
        return;
    }
    struct store_session_refresh *refresh = arena_new(x->arena, struct store_session_refresh);
    if (!refresh) {
        respond_no_memory(x);
        return;
    }
    const struct api_options *options = &api_of(x)->options;
    *refresh = (struct store_session_refresh){
        .op = api_op(x, refreshed, x),
        .now = clock_steady_ms(),
        .ttl_ms = options->settings->refresh_token_ttl * 1000,
        .lifetime_ms = LIFETIME_MS,
        .grace_ms = options->settings->refresh_grace_seconds * 1000,
    };
    if (!refresh_token_parse(api_keys(x), input.refresh_token, &refresh->id, &refresh->counter)) {
        respond_error(
            x, ERROR_INVALID_REFRESH_TOKEN,
            "This is no refresh token of this server: send the `refresh_token` of the last "
            "answer, whole and unchanged.");
        return;
    }
    api_engine(x)->session_refresh(refresh);
}
