#ifndef TASKHOLD_BASE_ERROR_H
#define TASKHOLD_BASE_ERROR_H

/* The one list of errors: every failure a caller can be told of, with its HTTP status and the text
 * that is safe to send. Engines translate their own codes into it at their edge.
 *
 * ERROR(constant, code, status, title, default detail) */
#define ERROR_LIST(ERROR)                                                                          \
    ERROR(MALFORMED_REQUEST, "malformed_request", 400, "Malformed request",                        \
          "The request is not well-formed HTTP.")                                                  \
    ERROR(INVALID_JSON, "invalid_json", 400, "Invalid JSON",                                       \
          "The body must be one JSON object in UTF-8 without duplicate names.")                    \
    ERROR(INVALID_PARAMETER, "invalid_parameter", 400, "Invalid parameter",                        \
          "A query parameter is unknown, repeated, empty or has an invalid value.")                \
    ERROR(INVALID_HEADER, "invalid_header", 400, "Invalid header field",                           \
          "A header field has an invalid value.")                                                  \
    ERROR(UNAUTHORIZED, "unauthorized", 401, "Authentication required",                            \
          "Send an access token as `Authorization: Bearer TOKEN`.")                                \
    ERROR(INVALID_TOKEN, "invalid_token", 401, "Invalid access token",                             \
          "The access token is malformed, expired or no longer valid. Refresh it or log in.")      \
    ERROR(INVALID_CREDENTIALS, "invalid_credentials", 401, "Invalid credentials",                  \
          "The e-mail or the password is wrong.")                                                  \
    ERROR(INVALID_REFRESH_TOKEN, "invalid_refresh_token", 401, "Invalid refresh token",            \
          "The refresh token is malformed, expired, already used or its session has ended.")       \
    ERROR(WRONG_PASSWORD, "wrong_password", 403, "Wrong password",                                 \
          "The password given to confirm this change is wrong.")                                   \
    ERROR(REGISTRATION_CLOSED, "registration_closed", 403, "Registration closed",                  \
          "This server takes new accounts by invitation only. Ask its operator for one.")          \
    ERROR(INVALID_INVITATION, "invalid_invitation", 403, "Invalid invitation",                     \
          "The invitation is unknown, expired, already used or made for another e-mail.")          \
    ERROR(NOT_FOUND, "not_found", 404, "Not found", "There is nothing here that you may see.")     \
    ERROR(METHOD_NOT_ALLOWED, "method_not_allowed", 405, "Method not allowed",                     \
          "This resource does not support that method; see the Allow header field.")               \
    ERROR(NOT_ACCEPTABLE, "not_acceptable", 406, "Not acceptable",                                 \
          "The Accept header field excludes every form this resource has.")                        \
    ERROR(REQUEST_TIMEOUT, "request_timeout", 408, "Request timeout",                              \
          "The request did not arrive in time.")                                                   \
    ERROR(EMAIL_TAKEN, "email_taken", 409, "E-mail already registered",                            \
          "An account with this e-mail exists.")                                                   \
    ERROR(IDEMPOTENCY_KEY_IN_USE, "idempotency_key_in_use", 409, "Idempotency key in use",         \
          "A request with this Idempotency-Key is still running. Try again shortly.")              \
    ERROR(PRECONDITION_FAILED, "precondition_failed", 412, "Precondition failed",                  \
          "The resource changed since you read it. Read it again and repeat the change.")          \
    ERROR(CONTENT_TOO_LARGE, "content_too_large", 413, "Content too large",                        \
          "The body is larger than this call accepts.")                                            \
    ERROR(URI_TOO_LONG, "uri_too_long", 414, "URI too long", "The request line is too long.")      \
    ERROR(UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", 415, "Unsupported media type",         \
          "Send the body as application/json in UTF-8 without a content encoding.")                \
    ERROR(EXPECTATION_FAILED, "expectation_failed", 417, "Expectation failed",                     \
          "The only expectation supported is 100-continue.")                                       \
    ERROR(VALIDATION_FAILED, "validation_failed", 422, "Validation failed",                        \
          "Some members of the body are not valid; see errors.")                                   \
    ERROR(IDEMPOTENCY_KEY_REUSED, "idempotency_key_reused", 422, "Idempotency key reused",         \
          "This Idempotency-Key was used before with another method, path or content. Make a "     \
          "new key for each new thing to do.")                                                     \
    ERROR(RATE_LIMITED, "rate_limited", 429, "Too many requests",                                  \
          "A quota is used up. Wait as long as Retry-After says.")                                 \
    ERROR(HEADER_FIELDS_TOO_LARGE, "header_fields_too_large", 431,                                 \
          "Request header fields too large", "The header section is too large.")                   \
    ERROR(INTERNAL_ERROR, "internal_error", 500, "Internal error",                                 \
          "The server failed to answer. The request_id identifies the case in its log.")           \
    ERROR(NOT_IMPLEMENTED, "not_implemented", 501, "Not implemented",                              \
          "The server does not know that method or transfer coding.")                              \
    ERROR(OVERLOADED, "overloaded", 503, "Overloaded",                                             \
          "The server has more work than it can do now. Try again shortly.")                       \
    ERROR(UNAVAILABLE, "unavailable", 503, "Unavailable",                                          \
          "The server cannot do this now. Try again shortly.")                                     \
    ERROR(OUTCOME_UNKNOWN, "outcome_unknown", 503, "Outcome unknown",                              \
          "The database was lost while it stored this change, which was made entirely or not at "  \
          "all. Repeating the request with the same Idempotency-Key is safe.")                     \
    ERROR(HTTP_VERSION_NOT_SUPPORTED, "http_version_not_supported", 505,                           \
          "HTTP version not supported", "Speak HTTP/1.1 or HTTP/1.0.")                             \
    ERROR(STORAGE_FULL, "storage_full", 507, "Storage full",                                       \
          "The disk of the server is full. Nothing was changed.")                                  \
    ERROR(QUOTA_EXCEEDED, "quota_exceeded", 507, "Quota exceeded",                                 \
          "Your account holds as much as this server allows. Delete tasks to make room.")

#define ERROR_CONSTANT(constant, code, status, title, detail) ERROR_##constant,
enum error {
    ERROR_NONE = 0,
    ERROR_LIST(ERROR_CONSTANT) ERROR_COUNT,
};
#undef ERROR_CONSTANT

struct error_row {
    const char *code;
    int status;
    const char *title;
    const char *detail;
};

/* The row of `error`, which is neither ERROR_NONE nor ERROR_COUNT. */
const struct error_row *error_row(enum error error);

#endif
