// SPDX-License-Identifier: MIT
/* Makes streams of requests that come far: whole ones, with bodies of each framing, after each
 * other; and breaks them at places that matter. */
#include "http_stream.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/uuid.h"

#define HEAD 2 /* bytes of the input before those of the connection */
#define MOST 1500

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

static uint32_t state;

static uint32_t pick(uint32_t count)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % count;
}

#define PICK(list) (list)[pick(sizeof(list) / sizeof((list)[0]))]

static const char *const starts[] = {
    "GET /echo",
    "GET /echo?a=b",
    "HEAD /echo",
    "POST /echo",
    "POST /echo",
    "POST /later",
    "PUT /token",
    "GET /token",
    "GET /big",
    "HEAD /big",
    "GET /drips",
    "GET /health",
    "PATCH /echo/01a20472-533f-74f7-8a77-8e2ec4b5150b",
    "PATCH /echo/x",
    "DELETE /echo/a%2Fb",
    "OPTIONS *",
    "OPTIONS /echo",
    "GET /nowhere",
    "POST /nowhere",
    "GET http://other:80/echo?x",
    "TRACE /echo",
};

static const char *const fields[] = {
    "Host: a",
    "Content-Type: application/json",
    "Content-Type: application/merge-patch+json",
    "Content-Type: text/plain",
    "Content-Length: 5",
    "Content-Length: 0",
    "Content-Length: +5",
    "Content-Length: 5, 5",
    "Content-Length: 99999999999999999999",
    "Content-Length: 3000",
    "Content-Length: 1000000",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding:\tchunked",
    "Connection: close",
    "Connection: keep-alive",
    "Connection: x, close",
    "Expect: 100-continue",
    "Expect: 100",
    "Authorization: Bearer yes",
    "Authorization: Bearer no",
    "Authorization: Bearer later",
    "Accept: text/html",
    "Accept: text/*;q=0.5",
    "X-Request-Id: mine",
    "Origin: https://a",
    "Access-Control-Request-Method: PUT",
    "Upgrade: h2c",
    "Content-Encoding: gzip",
    "If-None-Match: \"1\"",
    " folded",
    "Bad Name: x",
    "NoColon",
    "X: \rb",
    "X: \nb",
};

static const char *const scraps[] = {
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "0\r\n\r\n",
    "0\r\nA: b\r\n\r\n",
    "3\r\nabc\r\n",
    "1;x=y\r\n{\r\n",
    "ffffffffffffffff\r\n",
    "-1\r\n",
    "GET / HTTP/1.1\r\n",
    " HTTP/1.0\r\n",
    " HTTP/2.0\r\n",
    "5\r\nab\r\n",
};

static size_t add(char *out, size_t at, const char *text)
{
    const size_t len = strlen(text);
    if (at + len > MOST) {
        return at;
    }
    memcpy(out + at, text, len);
    return at + len;
}

static size_t add_body(char *out, size_t at, size_t len)
{
    for (size_t i = 0; i < len && at < MOST; i++) {
        out[at++] = "{\"a\":1}\r\n0"[i % 10];
    }
    return at;
}

static size_t add_chunks(char *out, size_t at)
{
    const unsigned chunks = pick(4);
    char line[64];
    for (unsigned i = 0; i < chunks; i++) {
        const size_t len = 1 + pick(pick(4) == 0 ? 300 : 9);
        (void)snprintf(line, sizeof line, pick(2) ? "%zx%s\r\n" : "0%zX%s\r\n", len,
                       pick(4) == 0 ? ";n=\"v\"" : "");
        at = add(out, at, line);
        at = add_body(out, at, len);
        at = add(out, at, "\r\n");
    }
    at = add(out, at, "0\r\n");
    at = add(out, at, pick(4) == 0 ? "Trailer: x\r\n" : "");
    return add(out, at, "\r\n");
}

/* A request that is right, or nearly. */
static size_t make_request(char *out)
{
    const unsigned framing = pick(3);
    const size_t len = pick(pick(4) == 0 ? 1000 : 20);
    char line[64];
    size_t at = add(out, 0, PICK(starts));
    at = add(out, at, pick(8) == 0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
    at = add(out, at, "Host: h\r\nContent-Type: application/json\r\n");
    for (unsigned more = pick(4); more > 0; more--) {
        at = add(out, at, PICK(fields));
        at = add(out, at, "\r\n");
    }
    if (framing == 1) {
        (void)snprintf(line, sizeof line, "Content-Length: %zu\r\n\r\n", len);
        return add_body(out, add(out, at, line), len);
    }
    if (framing == 2) {
        return add_chunks(out, add(out, at, "Transfer-Encoding: chunked\r\n\r\n"));
    }
    return add(out, at, "\r\n");
}

/* A place that follows `mark`, or the start, or the end. */
static size_t find_place(struct slice bytes, const char *mark)
{
    size_t at = bytes.len > 0 ? pick((uint32_t)bytes.len) : 0;
    const char *found = memmem(bytes.ptr + at, bytes.len - at, mark, strlen(mark));
    if (!found) {
        return pick(2) ? bytes.len : 0;
    }
    return (size_t)(found - bytes.ptr) + strlen(mark);
}

static size_t insert(uint8_t *data, size_t size, size_t most, size_t at, struct slice text)
{
    if (size + text.len > most || text.len == 0) {
        return size;
    }
    memmove(data + at + text.len, data + at, size - at);
    memcpy(data + at, text.ptr, text.len);
    return size + text.len;
}

static size_t mutate_parts(uint8_t *data, size_t size, size_t most)
{
    char text[MOST + 2];
    const struct slice bytes = {(const char *)data + HEAD, size - HEAD};
    const size_t request = HEAD + find_place(bytes, "\r\n\r\n");
    const size_t line = HEAD + find_place(bytes, "\r\n");
    size_t end = 0;
    switch (pick(6)) {
    case 0:
    case 1: return insert(data, size, most, request, (struct slice){text, make_request(text)});
    case 2:
        end = add(text, 0, PICK(fields));
        end = add(text, end, "\r\n");
        return insert(data, size, most, line, (struct slice){text, end});
    case 3:
        return insert(data, size, most, pick(2) ? line : request,
                      (struct slice){text, add(text, 0, PICK(scraps))});
    case 4: /* takes out what stands between two ends of lines */
        end = HEAD + find_place(bytes, "\r\n");
        if (end > line) {
            memmove(data + line, data + end, size - end);
            size -= end - line;
        }
        return size;
    default: /* the same once more */
        end = HEAD + find_place(bytes, "\r\n\r\n");
        if (end <= request || end - request > MOST) {
            return size;
        }
        memcpy(text, data + request, end - request);
        return insert(data, size, most, end, (struct slice){text, end - request});
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    state = seed;
    if (size < HEAD || pick(3) == 0) {
        return LLVMFuzzerMutate(data, size, most);
    }
    if (pick(4) == 0) {
        data[pick(HEAD)] = (uint8_t)pick(256);
    }
    return mutate_parts(data, size, most);
}

void http_stream_mask_ids(struct buffer *answers, struct slice sent)
{
    static const char *const marks[] = {"X-Request-Id: ", "\"request_id\":\""};
    for (unsigned i = 0; i < 2; i++) {
        const size_t mark_len = strlen(marks[i]);
        size_t at = 0;
        char *found;
        while (at < answers->len &&
               (found = memmem(answers->data + at, answers->len - at, marks[i], mark_len))) {
            at = (size_t)(found - answers->data) + mark_len;
            struct uuid id;
            const struct slice text = {answers->data + at, UUID_TEXT_LEN};
            if (at + UUID_TEXT_LEN <= answers->len && uuid_parse(text, &id) &&
                (sent.len == 0 || !memmem(sent.ptr, sent.len, text.ptr, text.len))) {
                memset(answers->data + at, '0', UUID_TEXT_LEN);
            }
        }
    }
}
