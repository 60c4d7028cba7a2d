// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "auth/keys.h"

#define CURRENT  SLICE("hT5-one-secret-for-the-unit-tests-q7Zw")
#define PREVIOUS SLICE("kL2-another-secret-for-the-tests-v9Xe")

static const struct slice none = {NULL, 0};

static void hex_of(const struct keys *keys, enum keys_purpose purpose, unsigned index,
                   const char *data, char hex[static 2 * KEYS_MAC_LEN + 1])
{
    uint8_t mac[KEYS_MAC_LEN];

    assert_true(keys_mac(keys, purpose, index, slice_of(data), mac));
    sodium_bin2hex(hex, 2 * KEYS_MAC_LEN + 1, mac, sizeof mac);
}

/* The access key is the secret itself: RFC 4231, test case 6 (a key longer than a block). */
static void access_key_is_the_secret(void **state)
{
    char secret[131];
    char hex[2 * KEYS_MAC_LEN + 1];
    struct keys *keys = NULL;

    (void)state;
    memset(secret, 0xaa, sizeof secret);
    keys = keys_create((struct slice){secret, sizeof secret}, none);
    assert_non_null(keys);
    hex_of(keys, KEYS_ACCESS, 0, "Test Using Larger Than Block-Size Key - Hash Key First", hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    keys_destroy(&keys);
    assert_null(keys);
}

/* Fixed for ever: another derivation would end every session and cursor at an upgrade. Computed
 * with Python: hmac(hmac(secret, label), data), blake2b(data, key=hmac(secret, label)) for cursors,
 * and the first 8 bytes for the key id. */
static void derivation_stays(void **state)
{
    struct keys *keys = keys_create(CURRENT, none);
    char hex[2 * KEYS_MAC_LEN + 1];

    (void)state;
    hex_of(keys, KEYS_REFRESH, 0, "data", hex);
    assert_string_equal(hex, "f91d2decd52d84d05f79af7d5651f81d6efc2f1bb0a91ae3deff9492c56d1922");
    hex_of(keys, KEYS_CURSOR, 0, "data", hex);
    assert_string_equal(hex, "0358a937ed8e3b40b9bc0ecf40c3a522ae82afee32b6b2c2c46a0fc29c8029aa");
    assert_memory_equal(keys_kid(keys, 0).ptr, "559b369c15d600c9", KEYS_KID_LEN);
    keys_destroy(&keys);
}

static void purposes_and_secrets_have_their_own_keys(void **state)
{
    struct keys *keys = keys_create(CURRENT, PREVIOUS);
    char seen[2 * KEYS_PURPOSES][2 * KEYS_MAC_LEN + 1];
    int count = 0;

    (void)state;
    for (unsigned index = 0; index < 2; index++) {
        for (int purpose = 0; purpose < KEYS_PURPOSES; purpose++) {
            hex_of(keys, (enum keys_purpose)purpose, index, "data", seen[count]);
            for (int i = 0; i < count; i++) {
                assert_string_not_equal(seen[i], seen[count]);
            }
            count++;
        }
    }
    keys_destroy(&keys);
}

static void both_secrets_verify(void **state)
{
    struct keys *before = keys_create(PREVIOUS, none);
    struct keys *after = keys_create(CURRENT, PREVIOUS);
    struct keys *later = keys_create(CURRENT, none);
    uint8_t mac[KEYS_MAC_LEN];

    (void)state;
    assert_true(keys_mac(before, KEYS_CURSOR, 0, SLICE("data"), mac));
    assert_true(keys_verify(before, KEYS_CURSOR, SLICE("data"), mac));
    assert_true(keys_verify(after, KEYS_CURSOR, SLICE("data"), mac));
    assert_false(keys_verify(later, KEYS_CURSOR, SLICE("data"), mac));
    assert_false(keys_verify(after, KEYS_CURSOR, SLICE("Data"), mac));
    assert_false(keys_verify(after, KEYS_REFRESH, SLICE("data"), mac));
    for (size_t i = 0; i < sizeof mac; i++) {
        mac[i] ^= 0x40;
        assert_false(keys_verify(after, KEYS_CURSOR, SLICE("data"), mac));
        mac[i] ^= 0x40;
    }
    keys_destroy(&before);
    keys_destroy(&after);
    keys_destroy(&later);
}

static void without_a_previous_secret_there_is_none(void **state)
{
    struct keys *keys = keys_create(CURRENT, SLICE(""));
    uint8_t mac[KEYS_MAC_LEN];

    (void)state;
    assert_false(keys_mac(keys, KEYS_ACCESS, 1, SLICE("data"), mac));
    assert_null(keys_kid(keys, 1).ptr);
    assert_null(keys_jose_header(keys, 1).ptr);
    keys_destroy(&keys);
}

static void short_secrets_make_no_keys(void **state)
{
    (void)state;
    assert_null(keys_create(SLICE(""), none));
    assert_null(keys_create(SLICE("hT5-31-bytes-are-one-too-little"), none));
    assert_null(keys_create(CURRENT, SLICE("short")));
}

static void the_header_names_the_key(void **state)
{
    struct keys *keys = keys_create(CURRENT, PREVIOUS);
    char expected[96];
    char text[96];
    size_t len = 0;

    (void)state;
    for (unsigned index = 0; index < 2; index++) {
        const struct slice header = keys_jose_header(keys, index);
        const struct slice kid = keys_kid(keys, index);
        assert_int_equal(kid.len, KEYS_KID_LEN);
        assert_int_equal(sodium_base642bin((unsigned char *)text, sizeof text, header.ptr,
                                           header.len, NULL, &len, NULL,
                                           sodium_base64_VARIANT_URLSAFE_NO_PADDING),
                         0);
        snprintf(expected, sizeof expected,
                 "{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"%.*s\"}", (int)kid.len, kid.ptr);
        assert_int_equal(len, strlen(expected));
        assert_memory_equal(text, expected, len);
    }
    keys_destroy(&keys);
}

/* ---- the file ---- */

struct folder {
    char path[64];
    char database[96];
    char secret[128];
    char why[256];
};

static int make_folder(void **state)
{
    struct folder *f = calloc(1, sizeof *f);

    assert_non_null(f);
    snprintf(f->path, sizeof f->path, "/tmp/taskhold-keys-XXXXXX");
    assert_non_null(mkdtemp(f->path));
    snprintf(f->database, sizeof f->database, "%s/a.db", f->path);
    snprintf(f->secret, sizeof f->secret, "%s.jwt-secret", f->database);
    *state = f;
    return 0;
}

static int remove_folder(void **state)
{
    struct folder *f = *state;

    unlink(f->secret);
    /* Fails when something else was left behind: a partial file. */
    assert_int_equal(rmdir(f->path), 0);
    free(f);
    return 0;
}

static void write_file(const char *path, struct slice text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text.ptr, text.len), (ssize_t)text.len);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static void the_first_start_makes_a_secret(void **state)
{
    struct folder *f = *state;
    struct stat status;
    char *first = keys_secret_file(f->database, f->why, sizeof f->why);
    char *second = keys_secret_file(f->database, f->why, sizeof f->why);

    assert_non_null(first);
    assert_non_null(second);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), 86);
    assert_int_equal(strspn(first, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789-_"),
                     86);
    assert_int_equal(stat(f->secret, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    assert_int_equal(status.st_size, 87);
    free(first);
    free(second);
}

static void every_secret_is_another(void **state)
{
    struct folder *f = *state;
    char *first = keys_secret_file(f->database, f->why, sizeof f->why);
    char *second = NULL;

    assert_int_equal(unlink(f->secret), 0);
    second = keys_secret_file(f->database, f->why, sizeof f->why);
    assert_string_not_equal(first, second);
    free(first);
    free(second);
}

struct starter {
    pthread_barrier_t *start;
    const char *database;
    char *secret;
};

static void *start(void *argument)
{
    struct starter *starter = argument;
    char why[256];

    pthread_barrier_wait(starter->start);
    starter->secret = keys_secret_file(starter->database, why, sizeof why);
    return NULL;
}

/* Each has its answer; all have the same one. */
static void starters_side_by_side_agree(void **state)
{
    enum { STARTERS = 8, ROUNDS = 20 };
    struct folder *f = *state;

    for (int round = 0; round < ROUNDS; round++) {
        struct starter starters[STARTERS];
        pthread_t threads[STARTERS];
        pthread_barrier_t barrier;
        unlink(f->secret);
        assert_int_equal(pthread_barrier_init(&barrier, NULL, STARTERS), 0);
        for (int i = 0; i < STARTERS; i++) {
            starters[i] = (struct starter){&barrier, f->database, NULL};
            assert_int_equal(pthread_create(&threads[i], NULL, start, &starters[i]), 0);
        }
        for (int i = 0; i < STARTERS; i++) {
            pthread_join(threads[i], NULL);
            assert_non_null(starters[i].secret);
            assert_string_equal(starters[i].secret, starters[0].secret);
        }
        for (int i = 0; i < STARTERS; i++) {
            free(starters[i].secret);
        }
        pthread_barrier_destroy(&barrier);
    }
}

static void line_ends_are_taken_off(void **state)
{
    static const char *const ends[] = {"", "\n", "\r\n"};
    struct folder *f = *state;
    char text[128];

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        char *secret = NULL;
        snprintf(text, sizeof text, "%s%s", CURRENT.ptr, ends[i]);
        write_file(f->secret, slice_of(text), 0600);
        secret = keys_secret_file(f->database, f->why, sizeof f->why);
        assert_non_null(secret);
        assert_string_equal(secret, CURRENT.ptr);
        free(secret);
    }
}

static void bad_files_are_refused(void **state)
{
    static const struct {
        struct slice text;
        mode_t mode;
        const char *why;
    } cases[] = {
        {SLICE("hT5-31-bytes-are-one-too-little\n"), 0600, "shorter than 32 bytes"},
        {SLICE(""), 0600, "shorter than 32 bytes"},
        {SLICE("hT5-one-secret-for-the\0unit-tests-q7Zw"), 0600, "zero byte"},
        {SLICE("hT5-one-secret-for-the-unit-tests-q7Zw"), 0640, "chmod 600"},
        {SLICE("hT5-one-secret-for-the-unit-tests-q7Zw"), 0604, "chmod 600"},
    };
    struct folder *f = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(f->secret, cases[i].text, cases[i].mode);
        f->why[0] = '\0';
        assert_null(keys_secret_file(f->database, f->why, sizeof f->why));
        assert_non_null(strstr(f->why, cases[i].why));
        assert_non_null(strstr(f->why, f->secret));
        assert_null(strchr(f->why, '\n'));
    }
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    struct folder *f = *state;
    char large[KEYS_SECRET_MOST + 64];

    for (size_t i = 0; i < sizeof large; i++) {
        large[i] = (char)('!' + i * i % 89);
    }
    write_file(f->secret, (struct slice){large, sizeof large}, 0600);
    assert_null(keys_secret_file(f->database, f->why, sizeof f->why));
    assert_non_null(strstr(f->why, "longer than 4096 bytes"));
}

static void what_is_no_file_is_refused(void **state)
{
    struct folder *f = *state;

    assert_int_equal(mkfifo(f->secret, 0600), 0);
    assert_null(keys_secret_file(f->database, f->why, sizeof f->why));
    assert_non_null(strstr(f->why, "not a regular file"));
}

static void a_missing_folder_is_named(void **state)
{
    char why[256] = "";

    (void)state;
    assert_null(keys_secret_file("/nonexistent/a.db", why, sizeof why));
    assert_non_null(strstr(why, "/nonexistent/a.db.jwt-secret"));
    assert_non_null(strstr(why, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(access_key_is_the_secret),
        cmocka_unit_test(derivation_stays),
        cmocka_unit_test(purposes_and_secrets_have_their_own_keys),
        cmocka_unit_test(both_secrets_verify),
        cmocka_unit_test(without_a_previous_secret_there_is_none),
        cmocka_unit_test(short_secrets_make_no_keys),
        cmocka_unit_test(the_header_names_the_key),
        cmocka_unit_test_setup_teardown(the_first_start_makes_a_secret, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(every_secret_is_another, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(starters_side_by_side_agree, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(line_ends_are_taken_off, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(bad_files_are_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_large_is_refused, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, make_folder, remove_folder),
        cmocka_unit_test(a_missing_folder_is_named),
    };

    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
