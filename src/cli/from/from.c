// SPDX-License-Identifier: MIT
#include "cli/from/from.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/from/readers.h"
#include "model/field.h"

static const struct {
    struct slice name;
    bool (*read)(struct intake *in, struct slice text);
    bool any_bytes;     /* checks UTF-8 itself */
    const char *unpack; /* what to take out of the archive that the service gives */
} formats[FROM_FORMAT_COUNT] = {
    [FROM_CSV] = {FIELD_NAME("csv"), csv_tasks_read, false, "the CSV file"},
    [FROM_ICS] = {FIELD_NAME("ics"), ics_read, true, "each .ics file"},
    [FROM_TODOIST] = {FIELD_NAME("todoist"), todoist_read, false,
                      "each CSV file, one of a project"},
    [FROM_GOOGLE] = {FIELD_NAME("google"), google_read, false, "Tasks.json in the folder Tasks"},
    [FROM_MICROSOFT] = {FIELD_NAME("microsoft"), microsoft_read, false, "the JSON or CSV file"},
    [FROM_TICKTICK] = {FIELD_NAME("ticktick"), ticktick_read, false, "the CSV file"},
    [FROM_VIKUNJA] = {FIELD_NAME("vikunja"), vikunja_read, false, "data.json"},
};

struct slice from_format_name(enum from_format format)
{
    assert(format >= 0);
    return format < FROM_FORMAT_COUNT ? formats[format].name : (struct slice){0};
}

bool from_format_of(struct slice name, enum from_format *format)
{
    assert(format);
    for (unsigned i = 0; i < FROM_FORMAT_COUNT; i++) {
        if (slice_eq(formats[i].name, name)) {
            *format = (enum from_format)i;
            return true;
        }
    }
    return false;
}

/* The line of the first byte that is no UTF-8, or is NUL; 0: there is none. */
static size_t line_of_damage(struct slice text)
{
    size_t line = 1;
    while (text.len > 0) {
        const size_t step = utf8_step(text);
        if (step == 0 || text.ptr[0] == '\0') {
            return line;
        }
        line += text.ptr[0] == '\n';
        text = slice_from(text, step);
    }
    return 0;
}

static bool read_text(struct intake *in, enum from_format format, struct slice text)
{
    if (text.len > FROM_BYTES_MOST) {
        return intake_refuse(in, 0,
                             "the file has more than %u MiB; split it and import the parts "
                             "one by one",
                             FROM_BYTES_MOST >> 20);
    }
    if (slice_starts(text, SLICE("PK\3\4"))) {
        return intake_refuse(in, 0, "this is a zip archive; unpack it and give %s",
                             formats[format].unpack);
    }
    if (slice_starts(text, SLICE("\xff\xfe")) || slice_starts(text, SLICE("\xfe\xff"))) {
        return intake_refuse(in, 0, "the file is in UTF-16; save it as UTF-8");
    }
    if (slice_starts(text, SLICE("\xef\xbb\xbf"))) {
        text = slice_from(text, 3);
    }
    const size_t line = formats[format].any_bytes ? 0 : line_of_damage(text);
    if (line > 0) {
        return intake_refuse(in, line, "a character there is not UTF-8; save the file as UTF-8");
    }
    if (slice_strip(text).len == 0) {
        return intake_refuse(in, 0, "the file is empty");
    }
    return formats[format].read(in, text) && intake_end(in);
}

enum from_result from_read(enum from_format format, struct slice text,
                           const struct from_options *options, const struct from_sink *sink,
                           char why[static FROM_WHY])
{
    assert(format >= 0 && format < FROM_FORMAT_COUNT && options && sink);
    struct intake in;

    why[0] = '\0';
    if (intake_init(&in, options, sink, why)) {
        const bool done = read_text(&in, format, text);
        assert(done == (in.result == FROM_READ));
    }
    intake_finish(&in);
    return in.result;
}

/* ---- the file ---- */

static enum from_result refuse_file(char *why, const char *path, const char *what)
{
    (void)snprintf(why, FROM_WHY, "%.300s: %s", path, what);
    return FROM_REFUSED;
}

enum from_result from_open(const char *path, struct slice *text, char why[static FROM_WHY])
{
    assert(path && text);
    struct stat state;
    enum from_result result = FROM_READ;

    *text = (struct slice){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &state) != 0) {
        result = refuse_file(why, path, strerror(errno));
    } else if (!S_ISREG(state.st_mode)) {
        result = refuse_file(why, path, "is no file; give the path of one");
    } else if (state.st_size > (off_t)FROM_BYTES_MOST) {
        result = refuse_file(why, path,
                             "has more than 256 MiB; split it and import the parts one by one");
    } else if (state.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)state.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED) {
            result = refuse_file(why, path, strerror(errno));
        } else {
            *text = (struct slice){bytes, (size_t)state.st_size};
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return result;
}

void from_close(struct slice *text)
{
    assert(text);
    if (text->len > 0) {
        (void)munmap((void *)(uintptr_t)text->ptr, text->len);
    }
    *text = (struct slice){0};
}
