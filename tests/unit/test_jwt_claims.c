// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "auth/jwt.h"

#define SUB "01a203c9-2b03-70a1-81ce-0123456789ab"
#define SID "01a203c9-2b04-7fff-bfff-fedcba987654"
#define JTI "01a203c9-2b05-7123-8123-00112233445f"

#define IDS    "\"sub\":\"" SUB "\",\"sid\":\"" SID "\",\"jti\":\"" JTI "\""
#define WHO    "\"iss\":\"taskhold\",\"aud\":\"taskhold\""
#define TIMES  "\"iat\":1795000000,\"exp\":1795000900"
#define CLAIMS "{" WHO "," IDS "," TIMES "}"

static bool read(const char *text)
{
    struct jwt_claims claims;

    return jwt_claims_read(slice_of(text), "taskhold", &claims);
}

static void our_claims_are_read(void **state)
{
    struct jwt_claims claims;
    struct uuid id;

    (void)state;
    assert_true(jwt_claims_read(SLICE(CLAIMS), "taskhold", &claims));
    assert_true(uuid_parse(SLICE(SUB), &id) && uuid_eq(claims.user, id));
    assert_true(uuid_parse(SLICE(SID), &id) && uuid_eq(claims.session, id));
    assert_true(uuid_parse(SLICE(JTI), &id) && uuid_eq(claims.token, id));
    assert_true(claims.issued_at == 1795000000 && claims.expires_at == 1795000900);
}

/* What JSON lets differ does not matter; the latest time that there is. */
static void the_same_in_other_words_is_read(void **state)
{
    static const char *const texts[] = {
        " { " TIMES " ,\n" IDS " , " WHO " } ",
        "{" WHO "," IDS ",\"iat\":1795000000,\"\\u0065xp\":1795000900}",
        "{" WHO "," IDS ",\"iat\":0,\"exp\":253402300799}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_true(read(texts[i]));
    }
}

static void anything_else_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "{}",
        "[" CLAIMS "]",
        "\"" SUB "\"",
        CLAIMS CLAIMS,
        CLAIMS "x",
        ("\xef\xbb\xbf" CLAIMS),
        "{" WHO "," IDS "," TIMES,
        "{" WHO "," IDS "," TIMES ",}",
        /* one is missing */
        "{\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\"," IDS "," TIMES "}",
        "{" WHO ",\"sid\":\"" SID "\",\"jti\":\"" JTI "\"," TIMES "}",
        "{" WHO ",\"sub\":\"" SUB "\",\"jti\":\"" JTI "\"," TIMES "}",
        "{" WHO ",\"sub\":\"" SUB "\",\"sid\":\"" SID "\"," TIMES "}",
        "{" WHO "," IDS ",\"exp\":1795000900}",
        "{" WHO "," IDS ",\"iat\":1795000000}",
        /* one is missing and another stands in its place */
        "{" WHO "," IDS ",\"iat\":1795000000,\"EXP\":1795000900}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\\u0000\":1795000900}",
        /* one twice, one too many */
        "{" WHO "," IDS "," TIMES ",\"exp\":1795000900}",
        "{" WHO "," IDS "," TIMES ",\"\\u0065xp\":1895000900}",
        "{" WHO "," IDS "," TIMES ",\"sub\":\"" SID "\"}",
        "{" WHO "," IDS "," TIMES ",\"nbf\":1795000000}",
        "{" WHO "," IDS "," TIMES ",\"admin\":true}",
        /* issuer and audience */
        "{\"iss\":\"taskholD\",\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":\"\",\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\\u0000\",\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":[\"taskhold\"],\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\",\"aud\":\"tasks\"," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\",\"aud\":[\"taskhold\"]," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\",\"aud\":null," IDS "," TIMES "}",
        /* ids */
        "{" WHO ",\"sub\":\"1\",\"sid\":\"" SID "\",\"jti\":\"" JTI "\"," TIMES "}",
        "{" WHO ",\"sub\":1,\"sid\":\"" SID "\",\"jti\":\"" JTI "\"," TIMES "}",
        "{" WHO ",\"sub\":\"01A203C9-2B03-70A1-81CE-0123456789AB\",\"sid\":\"" SID
        "\",\"jti\":\"" JTI "\"," TIMES "}",
        "{" WHO ",\"sub\":\"" SUB "\",\"sid\":\"" SID "0\",\"jti\":\"" JTI "\"," TIMES "}",
        "{" WHO ",\"sub\":\"" SUB "\",\"sid\":\"" SID "\",\"jti\":\"\"," TIMES "}",
        /* times */
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":\"1795000900\"}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":1795000900.0}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":1795000900.5}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":1.795000900e9}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":1e300}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":NaN}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":Infinity}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":null}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":true}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":[1795000900]}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":-1}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":01795000900}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":+1795000900}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":0x6afe9c84}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":253402300800}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":9223372036854775807}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":9223372036854775808}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":18446744075504552516}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":1000000000000000000000000000000}",
        "{" WHO "," IDS ",\"iat\":1795000000,\"exp\":1795000000}",
        "{" WHO "," IDS ",\"iat\":\"1795000000\",\"exp\":1795000900}",
        "{" WHO "," IDS ",\"iat\":1795000000.0,\"exp\":1795000900}",
        "{" WHO "," IDS ",\"iat\":-1,\"exp\":1795000900}",
        "{" WHO "," IDS ",\"iat\":9223372036854775807,\"exp\":9223372036854775807}",
        /* text */
        "{\"iss\":\"taskhold\xff\",\"aud\":\"taskhold\"," IDS "," TIMES "}",
        "{\"iss\":\"taskhold\\ud800\",\"aud\":\"taskhold\"," IDS "," TIMES "}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (read(texts[i])) {
            fail_msg("not refused: %s", texts[i]);
        }
    }
    assert_false(jwt_claims_read(SLICE(CLAIMS "\0"), "taskhold", &(struct jwt_claims){0}));
}

static void every_cut_is_refused(void **state)
{
    struct jwt_claims claims;

    (void)state;
    for (size_t len = 0; len < sizeof CLAIMS - 1; len++) {
        assert_false(jwt_claims_read((struct slice){CLAIMS, len}, "taskhold", &claims));
    }
}

static void the_issuer_is_compared_as_text(void **state)
{
    struct jwt_claims claims;

    (void)state;
    assert_true(jwt_claims_read(
        SLICE("{\"iss\":\"https:\\/\\/a.example\",\"aud\":\"taskhold\"," IDS "," TIMES "}"),
        "https://a.example", &claims));
    assert_false(jwt_claims_read(SLICE(CLAIMS), "", &claims));
    assert_false(jwt_claims_read(SLICE(CLAIMS), "taskhol", &claims));
    assert_false(jwt_claims_read(SLICE(CLAIMS), "taskholds", &claims));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_claims_are_read),
        cmocka_unit_test(the_same_in_other_words_is_read),
        cmocka_unit_test(anything_else_is_refused),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(the_issuer_is_compared_as_text),
    };

    return cmocka_run_group_tests_name("jwt_claims", tests, NULL, NULL);
}
