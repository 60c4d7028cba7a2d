// SPDX-License-Identifier: MIT
#ifndef TASKHOLD_BASE_ERROR_H
#define TASKHOLD_BASE_ERROR_H

/* The one list of errors: every failure a caller can be told of, with its HTTP status and the text
 * that is safe to send: what it means, and what whoever got it can do. Engines translate their own
 * codes into it at their edge.
 *
 * ERROR(constant, code, status, title, meaning, advice) */
#define ERROR_LIST(ERROR)                                                                          \
    ERROR(MALFORMED_REQUEST, "malformed_request", 400, "Malformed request",                        \
          "The request is not well-formed HTTP.",                                                  \
          "Let an HTTP library build the request. The server closed the connection, because "      \
          "it cannot know where the next request begins.")                                         \
    ERROR(INVALID_JSON, "invalid_json", 400, "Invalid JSON",                                       \
          "The body must be one JSON object in UTF-8 without duplicate names.",                    \
          "`detail` names the place that is wrong.")                                               \
    ERROR(INVALID_PARAMETER, "invalid_parameter", 400, "Invalid parameter",                        \
          "A query parameter is unknown, repeated, empty or has an invalid value.",                \
          "`errors` names each parameter and what is wrong with it.")                              \
    ERROR(INVALID_HEADER, "invalid_header", 400, "Invalid header field",                           \
          "A header field has an invalid value.",                                                  \
          "`detail` names the field and the form that it must have.")                              \
    ERROR(UNAUTHORIZED, "unauthorized", 401, "Authentication required",                            \
          "Send an access token as `Authorization: Bearer TOKEN`.",                                \
          "POST /v1/auth/login gives one.")                                                        \
    ERROR(INVALID_TOKEN, "invalid_token", 401, "Invalid access token",                             \
          "The access token is malformed, expired or no longer valid.",                            \
          "Get a new one with POST /v1/auth/refresh. If that fails too, log in again.")            \
    ERROR(INVALID_CREDENTIALS, "invalid_credentials", 401, "Invalid credentials",                  \
          "The e-mail or the password is wrong.",                                                  \
          "Check both. The server does not tell which of them it is, so that nobody can find "     \
          "out who has an account.")                                                               \
    ERROR(INVALID_REFRESH_TOKEN, "invalid_refresh_token", 401, "Invalid refresh token",            \
          "The refresh token is malformed, expired, already used or its session has ended.",       \
          "Log in again. Each refresh token is good for one use; keep the newest.")                \
    ERROR(WRONG_PASSWORD, "wrong_password", 403, "Wrong password",                                 \
          "The password given to confirm this change is wrong.",                                   \
          "Send the one that the account has now. The access token is fine.")                      \
    ERROR(INSUFFICIENT_SCOPE, "insufficient_scope", 403, "Insufficient scope",                     \
          "The token is good, but not for this call.",                                             \
          "Make a token with the scope that `detail` and WWW-Authenticate name, or log in: some "  \
          "calls are for a session alone.")                                                        \
    ERROR(REGISTRATION_CLOSED, "registration_closed", 403, "Registration closed",                  \
          "This server takes new accounts by invitation only.",                                    \
          "Ask its operator for an invitation and send it as `invitation`.")                       \
    ERROR(INVALID_INVITATION, "invalid_invitation", 403, "Invalid invitation",                     \
          "The invitation is unknown, expired, already used or made for another e-mail.",          \
          "Register with the e-mail that it was made for, or ask the operator of the server "      \
          "for a new one.")                                                                        \
    ERROR(NOT_FOUND, "not_found", 404, "Not found", "There is nothing here that you may see.",     \
          "Check the path; GET /openapi.json lists all there are. What belongs to another "        \
          "account looks the same as what is not there.")                                          \
    ERROR(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "Method not allowed",                     \
          "This resource does not support that method.",                                           \
          "Use one of those in the Allow header field.")                                           \
    ERROR(NOT_ACCEPTABLE, "not_acceptable", 406, "Not acceptable",                                 \
          "The Accept header field excludes every form this resource has.",                        \
          "Leave Accept out, or name the media type that `detail` says.")                          \
    ERROR(REQUEST_TIMEOUT, "request_timeout", 408, "Request timeout",                              \
          "The request did not arrive in time.",                                                   \
          "Send it again on a new connection, without a pause in it.")                             \
    ERROR(EMAIL_TAKEN, "email_taken", 409, "E-mail already registered",                            \
          "An account with this e-mail exists.", "Log in with it, or use another e-mail.")         \
    ERROR(IDEMPOTENCY_KEY_IN_USE, "idempotency_key_in_use", 409, "Idempotency key in use",         \
          "A request with this Idempotency-Key is still running.",                                 \
          "Wait a moment and send the same request again.")                                        \
    ERROR(CHANGED_SINCE, "changed_since", 409, "Changed since",                                    \
          "This is not the last change of the task, so it cannot be undone. Nothing was changed.", \
          "`revision` is the last one and `task` what is there now; GET "                          \
          "/v1/tasks/{id}/history tells what was done.")                                           \
    ERROR(CANNOT_UNDO, "cannot_undo", 409, "Cannot undo",                                          \
          "What was there before cannot be put back as it was. Nothing was changed.",              \
          "Something that it needs has changed since: its list, its parent or a task that it "     \
          "waits for is gone, or the next one of its series was changed. Set the members that "    \
          "you want instead.")                                                                     \
    ERROR(TOO_MANY, "too_many", 409, "Too many",                                                   \
          "There would be more of these than this server takes. Nothing was changed.",             \
          "`detail` says how many there may be, and what makes room.")                             \
    ERROR(TOO_MANY_TOKENS, "too_many_tokens", 409, "Too many tokens",                              \
          "The account has as many tokens for scripts as it may have. Nothing was changed.",       \
          "End one that is no longer needed with DELETE /v1/me/tokens/{id}.")                      \
    ERROR(NOT_EMPTY, "not_empty", 409, "Not empty",                                                \
          "The list has tasks in it. Nothing was changed.",                                        \
          "Send ?tasks=delete to delete them too, or ?tasks=inbox to move them to the inbox; "     \
          "`tasks` says how many there are.")                                                      \
    ERROR(SERIES_ENDED, "series_ended", 409, "Series ended", "The task is due for the last time.", \
          "Complete or delete it, or give it another `recurrence`.")                               \
    ERROR(NOT_RECURRING, "not_recurring", 409, "Not recurring",                                    \
          "The task has no `recurrence`, so there is no next date.",                               \
          "Give it one, or change `due`.")                                                         \
    ERROR(COMPLETED, "completed", 409, "Completed",                                                \
          "The task is completed, so its date is not moved on.",                                   \
          "Skip a date of the task that `next_id` names.")                                         \
    ERROR(NOT_SIBLING, "not_sibling", 409, "Not a sibling",                                        \
          "What `after` or `before` names is not in the place that the thing is moved to.",        \
          "Read the siblings again, and name one of them; `list_id` and `parent_id` say where.")   \
    ERROR(ID_TAKEN, "id_taken", 409, "Id taken", "There is a task with this id already.",          \
          "Make a new id for a new task; `replace` writes the one that is there.")                 \
    ERROR(BATCH_FAILED, "batch_failed", 409, "Batch failed",                                       \
          "One of the changes that were to be made together cannot be made. Nothing was changed.", \
          "`errors` says which, and why. Mend or leave out that one and send all again.")          \
    ERROR(CURSOR_GONE, "cursor_gone", 410, "Cursor gone",                                          \
          "The changes after this cursor are no longer all kept.",                                 \
          "Begin again with GET /v1/changes without a cursor, and drop what does not come.")       \
    ERROR(PRECONDITION_FAILED, "precondition_failed", 412, "Precondition failed",                  \
          "The resource changed since you read it.",                                               \
          "Read it again, merge your change into it and send that with the new ETag.")             \
    ERROR(CONTENT_TOO_LARGE, "content_too_large", 413, "Content too large",                        \
          "The body is larger than this call accepts.",                                            \
          "Send less; `detail` says how much is taken. The server closed the connection.")         \
    ERROR(URI_TOO_LONG, "uri_too_long", 414, "URI too long",                                       \
          "The request line is longer than 8,192 bytes.", "Shorten the query.")                    \
    ERROR(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, "Unsupported media type",         \
          "The body is not of a media type that this call takes.",                                 \
          "Send it as application/json in UTF-8 without a content encoding.")                      \
    ERROR(EXPECTATION_FAILED, "expectation_failed", 417, "Expectation failed",                     \
          "The only expectation supported is 100-continue.",                                       \
          "Leave the Expect header field out, or send that one.")                                  \
    ERROR(VALIDATION_FAILED, "validation_failed", 422, "Validation failed",                        \
          "Some members of the body are not valid.",                                               \
          "`errors` lists each: where it is, a code for programs and a sentence for people.")      \
    ERROR(IDEMPOTENCY_KEY_REUSED, "idempotency_key_reused", 422, "Idempotency key reused",         \
          "This Idempotency-Key was used before with another method, path or content.",            \
          "Make a new key for each new thing to do; repeat a request with its key just as it "     \
          "was.")                                                                                  \
    ERROR(RATE_LIMITED, "rate_limited", 429, "Too many requests", "A quota is used up.",           \
          "Wait as many seconds as Retry-After says. RateLimit tells how much is left before "     \
          "it comes to that.")                                                                     \
    ERROR(TOO_MANY_STREAMS, "too_many_streams", 429, "Too many streams",                           \
          "As many streams of events are open as one account may have.",                           \
          "Close one, let the windows of one device share one, or ask GET /v1/changes.")           \
    ERROR(HEADER_FIELDS_TOO_LARGE, "header_fields_too_large", 431,                                 \
          "Request header fields too large",                                                       \
          "The header fields take more than 16,384 bytes or 128 lines.",                           \
          "Send fewer or shorter ones; this server needs no cookies.")                             \
    ERROR(INTERNAL_ERROR, "internal_error", 500, "Internal error",                                 \
          "The server failed to answer. This is a fault of the server.",                           \
          "Tell its operator the request_id, which finds the case in its log.")                    \
    ERROR(NOT_IMPLEMENTED, "not_implemented", 501, "Not implemented",                              \
          "The server does not know that method or transfer coding.",                              \
          "Methods are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS, in capital letters; "      \
          "Transfer-Encoding may be chunked only.")                                                \
    ERROR(OVERLOADED, "overloaded", 503, "Overloaded",                                             \
          "The server has more work than it can do now. Nothing was changed.",                     \
          "Send the request again after Retry-After.")                                             \
    ERROR(UNAVAILABLE, "unavailable", 503, "Unavailable", "The server cannot do this now.",        \
          "Send the request again after Retry-After. With an Idempotency-Key a write is never "    \
          "done twice.")                                                                           \
    ERROR(OUTCOME_UNKNOWN, "outcome_unknown", 503, "Outcome unknown",                              \
          "The database was lost while it stored this change, which was made entirely or not "     \
          "at all.",                                                                               \
          "Send the same request again with the same Idempotency-Key: it answers what came of "    \
          "the first one, or does it now. Without a key, read what is there before you repeat "    \
          "it.")                                                                                   \
    ERROR(HTTP_VERSION_NOT_SUPPORTED, "http_version_not_supported", 505,                           \
          "HTTP version not supported", "The server speaks HTTP/1.1 and HTTP/1.0.",                \
          "Send the request in one of them.")                                                      \
    ERROR(STORAGE_FULL, "storage_full", 507, "Storage full",                                       \
          "The disk of the server is full. Nothing was changed.",                                  \
          "Reading still works. The operator has to make room on the disk.")                       \
    ERROR(QUOTA_EXCEEDED, "quota_exceeded", 507, "Quota exceeded",                                 \
          "Your account holds as much as this server allows. Nothing was changed.",                \
          "Reading and deleting still work. Delete tasks that you no longer need, or ask the "     \
          "operator for a higher limit.")

#define ERROR_CONSTANT(constant, code, status, title, meaning, advice) ERROR_##constant,
enum error {
    ERROR_NONE = 0,
    ERROR_LIST(ERROR_CONSTANT) ERROR_COUNT,
};
#undef ERROR_CONSTANT

struct error_row {
    const char *code;
    int status;
    const char *title;
    const char *meaning;
    const char *advice; /* what to do */
    const char *detail; /* both, in one text */
};

/* The row of `error`, which is neither ERROR_NONE nor ERROR_COUNT. */
const struct error_row *error_row(enum error error);

#endif
