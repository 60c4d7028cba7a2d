// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"

#define SECRET       "c3VwLWhVr0Zk9qLx7Yt2Bn5Md8Gj1Ws4"
#define OTHER_SECRET "Q9x7vB2nM5kL8jH1gF4dS6aP3oI0uYtR"

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
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

/* What settings_print writes, ended by NUL. The caller frees it. */
static char *print(const struct settings *settings, bool json)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    settings_print(settings, out, json);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void masks_secrets(void **state)
{
    static const struct {
        const char *url;
        const char *shown;
    } cases[] = {
        {"postgres://u:hunter2@h/x", "postgres://u:********@h/x"},
        {"postgres://u:hunter2@at@h:5/x?a=b", "postgres://u:********@h:5/x?a=b"},
        {"postgresql://h/x?password=hunter2&a=b", "postgresql://h/x?password=********&a=b"},
        {"postgres://u:hunter2@h?Password=hunter2", "postgres://u:********@h?Password=********"},
        {"postgres://u@h/x", "postgres://u@h/x"},
        {"sqlite:/a/b:c@d", "sqlite:/a/b:c@d"},
    };

    (void)state;
    setenv("JWT_SECRET", SECRET, 1);
    setenv("JWT_SECRET_PREVIOUS", OTHER_SECRET, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int json = 0; json < 2; json++) {
            struct settings settings = {0};
            char *text = NULL;
            setenv("DATABASE_URL", cases[i].url, 1);
            assert_int_equal(settings_read(&settings, 0, NULL, NULL, NULL), 0);
            text = print(&settings, json != 0);
            assert_non_null(strstr(text, cases[i].shown));
            assert_null(strstr(text, "hunter2"));
            assert_null(strstr(text, SECRET));
            assert_null(strstr(text, OTHER_SECRET));
            free(text);
            settings_finish(&settings);
        }
    }
}

static void prints_values_with_origins(void **state)
{
    static char flag[] = "--port";
    static char value[] = "1";
    char *argv[] = {flag, value};
    struct settings settings = {0};
    char *text = NULL;

    (void)state;
    setenv("LOG_LEVEL", "warn", 1);
    assert_int_equal(settings_read(&settings, 2, argv, NULL, NULL), 0);
    text = print(&settings, true);
    assert_non_null(
        strstr(text, "{\"name\":\"PORT\",\"value\":1,\"origin\":\"flag\",\"secret\":false}"));
    assert_non_null(
        strstr(text, "{\"name\":\"LOG_LEVEL\",\"value\":\"warn\",\"origin\":\"environment\","));
    assert_non_null(strstr(
        text, "{\"name\":\"JWT_SECRET\",\"value\":null,\"origin\":\"default\",\"secret\":true}"));
    free(text);
    text = print(&settings, false);
    assert_non_null(strstr(text, "PORT                  1  (flag)\n"));
    assert_non_null(strstr(text, "JWT_SECRET            -  (default)\n"));
    free(text);
    settings_finish(&settings);
}

/* What is wrong is shown beside everything else. */
static void prints_what_is_wrong(void **state)
{
    struct settings settings = {0};
    char *text = NULL;

    (void)state;
    setenv("PORT", "many", 1);
    setenv("JWT_SECRET", "short-but-secret", 1);
    setenv("LOG_LEVEL", "warn", 1);
    FILE *dotenv = fopen(".env", "w");
    assert_non_null(dotenv);
    assert_true(fputs("nonsense\n", dotenv) >= 0);
    assert_int_equal(fclose(dotenv), 0);
    assert_int_equal(settings_read(&settings, 0, NULL, NULL, NULL), 0);
    assert_non_null(strstr(settings_fault(&settings), "PORT is"));
    text = print(&settings, false);
    assert_non_null(strstr(text, "many  (environment)  WRONG: PORT is \"many\"; set it to"));
    assert_non_null(strstr(text, "********  (environment)  WRONG: JWT_SECRET must be"));
    assert_non_null(strstr(text, "LOG_LEVEL             warn  (environment)\n"));
    assert_non_null(strstr(text, "WRONG: .env line 1"));
    assert_null(strstr(text, "short-but-secret"));
    free(text);
    text = print(&settings, true);
    assert_non_null(strstr(text, "\"value\":\"many\",\"origin\":\"environment\",\"secret\":false,"
                                 "\"error\":\"PORT is"));
    assert_null(strstr(text, "short-but-secret"));
    free(text);
    settings_finish(&settings);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(masks_secrets),
        TEST(prints_values_with_origins),
        TEST(prints_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
