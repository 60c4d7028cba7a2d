// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/settings.h"

#define SECRET       "c3VwLWhVr0Zk9qLx7Yt2Bn5Md8Gj1Ws4"
#define OTHER_SECRET "Q9x7vB2nM5kL8jH1gF4dS6aP3oI0uYtR"
#define ARGUMENTS    8

/* One load: its sources, and what came of it. */
struct load {
    int status;
    struct settings settings;
    char complaint[512]; /* what was printed on standard error */
    char **rest;
    int rest_count;
};

static char folder[] = "/tmp/taskhold-settings-XXXXXX";

/* Every test starts in an empty folder of its own with an empty environment. */
static int enter(void **state)
{
    (void)state;
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    return mkdtemp(folder) && chdir(folder) == 0 && clearenv() == 0 ? 0 : -1;
}

static int leave(void **state)
{
    (void)state;
    unlink(".env");
    unlink("secret");
    unlink("complaint");
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_file(const char *path, const char *text, size_t len)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

/* Loads with `arguments`, words parted by one blank each. */
static void load(struct load *load, const char *arguments, bool with_rest)
{
    static char text[512];
    static char *argv[ARGUMENTS];
    int argc = 0;
    const int saved = dup(STDERR_FILENO);
    FILE *complaint = freopen("complaint", "w+", stderr);
    size_t len = 0;

    assert_non_null(complaint);
    (void)snprintf(text, sizeof text, "%s", arguments);
    for (char *at = *text ? text : NULL; at; argc++) {
        assert_true(argc < ARGUMENTS);
        argv[argc] = at;
        at = strchr(at, ' ');
        if (at) {
            *at++ = '\0';
        }
    }
    memset(load, 0, sizeof *load);
    load->status = settings_load(&load->settings, argc, argv, with_rest ? &load->rest : NULL,
                                 with_rest ? &load->rest_count : NULL);
    rewind(stderr);
    len = fread(load->complaint, 1, sizeof load->complaint - 1, stderr);
    load->complaint[len] = '\0';
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

static void defaults_stand_alone(void **state)
{
    struct load l;

    (void)state;
    load(&l, "", false);
    assert_int_equal(l.status, 0);
    assert_string_equal(l.complaint, "");
    assert_string_equal(l.settings.host, "127.0.0.1");
    assert_int_equal(l.settings.port, 8080);
    assert_string_equal(l.settings.database_url, "sqlite:data/taskhold.db");
    assert_null(l.settings.jwt_secret);
    assert_null(l.settings.cors_origins);
    assert_int_equal(l.settings.access_token_ttl, 900);
    assert_int_equal(l.settings.refresh_token_ttl, 2592000);
    assert_string_equal(l.settings.log_format, "auto");
    assert_int_equal(l.settings.origins[SETTING_port], SETTINGS_DEFAULT);
    settings_finish(&l.settings);
    settings_finish(&l.settings);
    assert_null(l.settings.host);
}

static void nearer_sources_win(void **state)
{
    static const struct {
        const char *flags;
        const char *environment;
        const char *dotenv;
        int64_t port;
        enum settings_origin origin;
    } cases[] = {
        {"--port 4", "3", "PORT=2\n", 4, SETTINGS_FLAG},
        {"--port=4", NULL, "PORT=2\n", 4, SETTINGS_FLAG},
        {"--port 4 --port=5", "3", NULL, 5, SETTINGS_FLAG},
        {"", "3", "PORT=2\n", 3, SETTINGS_ENVIRONMENT},
        {"", NULL, "PORT=2\n", 2, SETTINGS_DOTENV},
        {"", NULL, NULL, 8080, SETTINGS_DEFAULT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct load l;
        clearenv();
        unlink(".env");
        if (cases[i].environment) {
            setenv("PORT", cases[i].environment, 1);
        }
        if (cases[i].dotenv) {
            write_text(".env", cases[i].dotenv);
        }
        load(&l, cases[i].flags, false);
        assert_int_equal(l.status, 0);
        assert_int_equal(l.settings.port, cases[i].port);
        assert_int_equal(l.settings.origins[SETTING_port], cases[i].origin);
        settings_finish(&l.settings);
    }
}

static void reads_the_forms_of_dotenv(void **state)
{
    static const struct {
        const char *text;
        const char *issuer; /* NULL: 78 */
    } cases[] = {
        {"JWT_ISSUER=a", "a"},
        {"JWT_ISSUER=a\n", "a"},
        {"JWT_ISSUER=a\r\nPORT=1\r\n", "a"},
        {"# JWT_ISSUER=b\n\n  \nexport JWT_ISSUER=a\n", "a"},
        {"  JWT_ISSUER =  a  \n", "a"},
        {"JWT_ISSUER=\"a\"\n", "a"},
        {"JWT_ISSUER='a#b' # why\n", "a#b"},
        {"JWT_ISSUER=a#b\n", "a#b"},
        {"JWT_ISSUER=a # b # c\n", "a"},
        {"JWT_ISSUER=a=b\n", "a=b"},
        {"JWT_ISSUER=a\nJWT_ISSUER=b\n", "b"},
        {"JWT_ISSUER=a # nothing\n", "a"},
        {"NOT_OURS=x\nJWT_ISSUERS=x\n", "taskhold"},
        {"", "taskhold"},
        {"JWT_ISSUER\n", NULL},
        {"=a\n", NULL},
        {"JWT_ISSUER=\"a\n", NULL},
        {"JWT_ISSUER=\"a\" b\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct load l;
        write_text(".env", cases[i].text);
        load(&l, "", false);
        if (cases[i].issuer) {
            assert_int_equal(l.status, 0);
            assert_string_equal(l.settings.jwt_issuer, cases[i].issuer);
        } else {
            assert_int_equal(l.status, 78);
            assert_non_null(strstr(l.complaint, ".env line 1"));
        }
        settings_finish(&l.settings);
    }
}

static void refuses_an_unusable_dotenv(void **state)
{
    static char large[70000];
    struct load l;

    (void)state;
    write_file(".env", "PORT=1\0\n", 8);
    load(&l, "", false);
    assert_int_equal(l.status, 78);
    memset(large, '#', sizeof large);
    write_file(".env", large, sizeof large);
    load(&l, "", false);
    assert_int_equal(l.status, 78);
    unlink(".env");
    assert_int_equal(mkdir(".env", 0700), 0);
    load(&l, "", false);
    assert_int_equal(rmdir(".env"), 0);
    assert_int_equal(l.status, 78);
    assert_non_null(strstr(l.complaint, ".env is a folder"));
}

static void reads_secrets_from_files(void **state)
{
    static const char *const contents[] = {SECRET, SECRET "\n", SECRET "\r\n", "  " SECRET " \n"};
    struct load l;

    (void)state;
    setenv("JWT_SECRET_FILE", "secret", 1);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        write_text("secret", contents[i]);
        load(&l, "", false);
        assert_int_equal(l.status, 0);
        assert_string_equal(l.settings.jwt_secret, SECRET);
        assert_int_equal(l.settings.origins[SETTING_jwt_secret], SETTINGS_FILE);
        settings_finish(&l.settings);
    }
    clearenv();
    write_text(".env", "JWT_SECRET_FILE=secret\n");
    load(&l, "", false);
    assert_string_equal(l.settings.jwt_secret, SECRET);
    settings_finish(&l.settings);
    /* The environment decides before .env is asked. */
    setenv("JWT_SECRET", OTHER_SECRET, 1);
    load(&l, "", false);
    assert_string_equal(l.settings.jwt_secret, OTHER_SECRET);
    settings_finish(&l.settings);
}

static void refuses_unusable_secret_files(void **state)
{
    struct load l;

    (void)state;
    setenv("JWT_SECRET_FILE", "secret", 1);
    load(&l, "", false);
    assert_int_equal(l.status, 78);
    assert_non_null(strstr(l.complaint, "JWT_SECRET_FILE: secret does not exist"));
    write_text("secret", "\n");
    load(&l, "", false);
    assert_int_equal(l.status, 78);
    assert_non_null(strstr(l.complaint, "is empty"));
    write_text("secret", SECRET);
    setenv("JWT_SECRET", SECRET, 1);
    load(&l, "", false);
    assert_int_equal(l.status, 78);
    assert_non_null(strstr(l.complaint, "JWT_SECRET and JWT_SECRET_FILE are both set"));
    assert_null(strstr(l.complaint, SECRET));
}

/* For each the exit status, and a part of the line that says what to do. */
static void judges_values(void **state)
{
    static const struct {
        const char *name;
        const char *value;
        int status;
        const char *says;
    } cases[] = {
        {"PORT", "0", 0, ""},
        {"PORT", "", 78, "PORT is \"\""},
        {"HOST", "", 78, "HOST is \"\""},
        {"DATABASE_URL", "", 78, "sqlite:PATH"},
        {"CORS_ORIGINS", "", 0, ""},
        {"PORT", "65535", 0, ""},
        {"PORT", "65536", 78, "from 0 to 65535"},
        {"PORT", "-1", 78, "PORT is \"-1\""},
        {"PORT", "+1", 78, "whole number"},
        {"PORT", "0x10", 78, "whole number"},
        {"PORT", " 80\r\n", 0, ""},
        {"PORT", "8\n0", 78, "control character"},
        {"HOST", "\t127.0.0.1 \n", 0, ""},
        {"JWT_ISSUER", "a\x7f", 78, "control character"},
        {"JWT_SECRET", "\n" SECRET "\n", 0, ""},
        {"JWT_SECRET", SECRET "\n" SECRET, 78, "control character"},
        {"PORT", "8080.0", 78, "whole number"},
        {"PORT", "99999999999999999999", 78, "whole number"},
        {"PASSWORD_MIN_LENGTH", "7", 78, "from 8 to 64"},
        {"MAX_BODY_BYTES", "4095", 78, "from 4096"},
        {"DATABASE_POOL", "1", 78, "from 2 to 64"},
        {"DATABASE_POOL", "64", 0, ""},
        {"DATABASE_TIMEOUT_MS", "499", 78, "from 500 to 60000"},
        {"DATABASE_TIMEOUT_MS", "60000", 0, ""},
        {"DATABASE_PREPARED", "off", 0, ""},
        {"DATABASE_PREPARED", "no", 78, "on or off"},
        {"HOST", "a b", 78, "HOST"},
        {"HOST", "[::1]", 0, ""},
        {"HOST", "[::]", 0, ""},
        {"HOST", "[::1", 78, "HOST is \"[::1\""},
        {"HOST", "[]", 78, "HOST is"},
        {"HOST", "[127.0.0.1]", 78, "HOST is"},
        {"HOST", "[::1]:8080", 78, "HOST is"},
        {"RATE_LIMIT", "off", 0, ""},
        {"RATE_LIMIT", "OFF", 78, "on or off"},
        {"LOG_LEVEL", "warn", 0, ""},
        {"LOG_LEVEL", "warning", 78, "debug, info"},
        {"LOG_FORMAT", "xml", 78, "json, text or auto"},
        {"DATABASE_URL", "sqlite:", 78, "sqlite:PATH"},
        {"DATABASE_URL", "mysql://x", 78, "sqlite:PATH"},
        {"DATABASE_URL", "postgres://h/x", 0, ""},
        {"JWT_ISSUER", "a\"b", 78, "JWT_ISSUER"},
        {"METRICS_ADDR", "127.0.0.1:9100", 0, ""},
        {"METRICS_ADDR", "[::1]:9100", 0, ""},
        {"METRICS_ADDR", "9100", 78, "HOST:PORT"},
        {"METRICS_ADDR", "x:99999", 78, "HOST:PORT"},
        {"METRICS_ADDR", ":9100", 78, "HOST:PORT"},
        {"METRICS_ADDR", "::1:9100", 78, "HOST:PORT"},
        {"METRICS_ADDR", "[]:9100", 78, "HOST:PORT"},
        {"METRICS_ADDR", "[::1:9100", 78, "HOST:PORT"},
        {"METRICS_ADDR", "127.0.0.1:", 78, "HOST:PORT"},
        {"TRUSTED_PROXIES", "10.0.0.0/8, ::1,fd00::/8", 0, ""},
        {"TRUSTED_PROXIES", "10.0.0.0/33", 78, "CIDRs"},
        {"TRUSTED_PROXIES", "10.0.0/8", 78, "CIDRs"},
        {"TRUSTED_PROXIES", "fd00::/129", 78, "CIDRs"},
        {"TRUSTED_PROXIES", "10.0.0.0/", 78, "CIDRs"},
        {"TRUSTED_PROXIES", "10.0.0.0/8,", 78, "CIDRs"},
        {"CORS_ORIGINS", "https://a.example, http://localhost:3000", 0, ""},
        {"CLIENT_ADDRESS_HEADER", "Fly-Client-IP", 78, "TRUSTED_PROXIES"},
        {"CLIENT_ADDRESS_HEADER", "Fly-Client-IP:", 78, "header field"},
        {"CLIENT_ADDRESS_HEADER", "Fly Client", 78, "header field"},
        {"CLIENT_ADDRESS_HEADER", "x-forwarded-for", 78, "left out"},
        {"CLIENT_ADDRESS_HEADER", "", 0, ""},
        {"CORS_ORIGINS", "capacitor://localhost,tauri://localhost, app://-,http://[::1]:8080", 0,
         ""},
        {"CORS_ORIGINS", "null", 78, "origins"},
        {"PUBLIC_URL", "https://example.com/todo/", 0, ""},
        {"PUBLIC_URL", "http://[::1]:8080", 0, ""},
        {"PUBLIC_URL", "https://example.com/todo?x", 78, "query"},
        {"PUBLIC_URL", "example.com/todo", 78, "https://"},
        {"CORS_ORIGINS", "*", 0, ""},
        {"CORS_ORIGINS", "*,https://a.example", 78, "origins"},
        {"CORS_ORIGINS", "https://*.example", 78, "origins"},
        {"CORS_ORIGINS", "https://a.example/", 78, "origins"},
        {"CORS_ORIGINS", "a.example", 78, "origins"},
        {"CORS_ORIGINS", "https://A.example", 78, "lower case"},
        {"JWT_SECRET", SECRET, 0, ""},
        {"JWT_SECRET", "0123456789abcdefghijklmnopqrstu", 78, "at least 32 bytes"},
        {"JWT_SECRET", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 78, "not a sample"},
        {"JWT_SECRET", "0123456789abcdef0123456789abcdef", 78, "not a sample"},
        {"JWT_SECRET", "secretsecretsecretsecretsecretsec", 78, "not a sample"},
        {"JWT_SECRET", "your-256-bit-secret-goes-here-1234567", 78, "not a sample"},
        {"JWT_SECRET", "Change-Me-please-8f7d6s5a4f3d2s1a0", 78, "not a sample"},
        {"JWT_SECRET", "a-string-secret-at-least-256-bits-long", 78, "not a sample"},
        {"JWT_SECRET_PREVIOUS", "changeme", 78, "JWT_SECRET_PREVIOUS"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct load l;
        clearenv();
        setenv(cases[i].name, cases[i].value, 1);
        load(&l, "", false);
        if (l.status != cases[i].status || !strstr(l.complaint, cases[i].says)) {
            fail_msg("%s=%s: status %d, said: %s", cases[i].name, cases[i].value, l.status,
                     l.complaint);
        }
        if (l.status != 0 && strncmp(cases[i].name, "JWT_SECRET", 10) == 0) {
            assert_null(strstr(l.complaint, cases[i].value));
        }
        settings_finish(&l.settings);
    }
}

static void reads_flags(void **state)
{
    static const struct {
        const char *flags;
        int status;
        const char *says;
    } cases[] = {
        {"--prot 1", 2, "did you mean --port?"},
        {"--frobnicate", 2, "unknown flag --frobnicate"},
        {"--port", 2, "--port needs a value"},
        {"--port=", 78, "--port is \"\""},
        {"--port=x", 78, "--port is \"x\""},
        {"--host=", 78, "--host"},
        {"-p 1", 2, "unknown flag -p"},
        {"extra", 2, "unexpected argument extra"},
        {"--jwt-secret=" SECRET, 2, "unknown flag --jwt-secret"},
        {"--=1", 2, "unknown flag"},
        {"--", 0, ""},
        {"--log-level debug --log-format=json", 0, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct load l;
        load(&l, cases[i].flags, false);
        if (l.status != cases[i].status || !strstr(l.complaint, cases[i].says)) {
            fail_msg("%s: status %d, said: %s", cases[i].flags, l.status, l.complaint);
        }
        settings_finish(&l.settings);
    }
}

/* A name that is nearly one of ours; and what is somebody else's. */
static void remarks_on_slips(void **state)
{
    struct load l;

    (void)state;
    write_text(".env", "PROT=1\nPOSTGRES_DB=x\nCOMPOSE_FILE=y\n; a comment\n");
    load(&l, "", false);
    assert_int_equal(l.status, 0);
    assert_string_equal(l.complaint,
                        "taskhold: .env line 1: PROT is not a setting; did you mean PORT?\n");
    settings_finish(&l.settings);
}

static void a_named_file_stands_above_dotenv(void **state)
{
    struct load l;

    (void)state;
    write_text(".env", "PORT=1\nTHREADS=1\n");
    write_text("secret", "PORT=2\nTHREADS=2\nHOST=::1\n");
    setenv("HOST", "::", 1);
    load(&l, "--env-file secret --threads 3", false);
    assert_int_equal(l.status, 0);
    assert_int_equal(l.settings.port, 2);
    assert_int_equal(l.settings.origins[SETTING_port], SETTINGS_ENV_FILE);
    assert_int_equal(l.settings.threads, 3);
    assert_string_equal(l.settings.host, "::");
    settings_finish(&l.settings);
    write_text("secret", "PORT=x\n");
    load(&l, "--env-file=secret", false);
    assert_int_equal(l.status, 78);
    assert_non_null(strstr(l.complaint, "PORT in secret is \"x\""));
    load(&l, "--env-file nowhere", false);
    assert_int_equal(l.status, 78);
    assert_non_null(strstr(l.complaint, "nowhere does not exist"));
    load(&l, "--env-file", false);
    assert_int_equal(l.status, 2);
    load(&l, "--env-fil secret", false);
    assert_int_equal(l.status, 2);
    assert_non_null(strstr(l.complaint, "did you mean --env-file?"));
}

static void who_signs_needs_a_secret(void **state)
{
    struct load l;

    (void)state;
    setenv("DATABASE_URL", "postgres://h/x", 1);
    load(&l, "", false);
    assert_int_equal(l.status, 0);
    assert_null(settings_fault(&l.settings));
    settings_need_secret(&l.settings);
    assert_non_null(strstr(settings_fault(&l.settings), "JWT_SECRET must be set"));
    settings_finish(&l.settings);
    setenv("DATABASE_URL", "sqlite:x", 1);
    load(&l, "", false);
    settings_need_secret(&l.settings);
    assert_null(settings_fault(&l.settings));
    settings_finish(&l.settings);
}

static void nothing_takes_away_what_has_no_default(void **state)
{
    struct load l;

    (void)state;
    write_text(".env", "CORS_ORIGINS=https://a.example\nJWT_SECRET=" SECRET "\n");
    load(&l, "--cors-origins=", false);
    assert_int_equal(l.status, 0);
    assert_null(l.settings.cors_origins);
    assert_string_equal(l.settings.jwt_secret, SECRET);
    settings_finish(&l.settings);
    setenv("JWT_SECRET", "", 1);
    load(&l, "", false);
    assert_int_equal(l.status, 0);
    assert_null(l.settings.jwt_secret);
    settings_finish(&l.settings);
    /* Nothing beside a file is no second value. */
    write_text("secret", OTHER_SECRET);
    setenv("JWT_SECRET_FILE", "secret", 1);
    load(&l, "", false);
    assert_int_equal(l.status, 0);
    assert_string_equal(l.settings.jwt_secret, OTHER_SECRET);
    settings_finish(&l.settings);
}

static void hands_over_the_rest(void **state)
{
    struct load l;

    (void)state;
    load(&l, "one --port 1 - -- --port", true);
    assert_int_equal(l.status, 0);
    assert_int_equal(l.settings.port, 1);
    assert_int_equal(l.rest_count, 3);
    assert_string_equal(l.rest[0], "one");
    assert_string_equal(l.rest[1], "-");
    assert_string_equal(l.rest[2], "--port");
    settings_finish(&l.settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_stand_alone),
        TEST(nearer_sources_win),
        TEST(reads_the_forms_of_dotenv),
        TEST(refuses_an_unusable_dotenv),
        TEST(reads_secrets_from_files),
        TEST(refuses_unusable_secret_files),
        TEST(judges_values),
        TEST(reads_flags),
        TEST(remarks_on_slips),
        TEST(a_named_file_stands_above_dotenv),
        TEST(who_signs_needs_a_secret),
        TEST(nothing_takes_away_what_has_no_default),
        TEST(hands_over_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
