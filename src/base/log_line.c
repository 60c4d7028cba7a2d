// SPDX-License-Identifier: MIT
#include "base/log_line.h"

#include "base/clock.h"
#include "base/utf8.h"

/* Kept free for what ends a value and the line: a quote, a brace, a line feed. */
#define TAIL 3

/* Bytes around a name at most, with blanks, quotes and colours. */
#define FRAME 10

/* Where it stands in RFC 3339. */
#define TIME_OF_DAY 11

static size_t room(const struct log_line *line)
{
    const size_t most = sizeof line->text - TAIL;
    return line->len < most ? most - line->len : 0;
}

/* Without regard to the tail: for what closes. */
static void put(struct log_line *line, struct slice text)
{
    if (text.len > 0) {
        memcpy(line->text + line->len, text.ptr, text.len);
        line->len += text.len;
    }
}

/* The time as text. Most of it stays the same for a second, so each thread keeps what it wrote. */
static void put_time(struct log_line *line)
{
    static _Thread_local struct {
        int64_t second;
        char text[CLOCK_RFC3339_LEN];
    } last = {.second = -1};
    const int64_t now = clock_wall_ms();
    const int64_t ms = now % 1000;

    if (now / 1000 != last.second) {
        clock_format_rfc3339(now, last.text);
        last.second = now / 1000;
    }
    last.text[CLOCK_RFC3339_LEN - 4] = (char)('0' + ms / 100);
    last.text[CLOCK_RFC3339_LEN - 3] = (char)('0' + ms / 10 % 10);
    last.text[CLOCK_RFC3339_LEN - 2] = (char)('0' + ms % 10);
    if (line->style == LOG_STYLE_COLOR) {
        /* Whoever watches knows the day. */
        put(line, SLICE("\033[2m"));
        put(line, (struct slice){last.text + TIME_OF_DAY, sizeof last.text - TIME_OF_DAY});
        put(line, SLICE("\033[0m"));
        return;
    }
    put(line, (struct slice){last.text, sizeof last.text});
}

void log_line_begin(struct log_line *line, enum log_style style, enum log_level level,
                    const char *event)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    static const char *const marks[] = {"DEBUG ", "INFO  ", "WARN  ", "ERROR "};
    static const char *const colors[] = {"\033[2m", "\033[32m", "\033[33m", "\033[31m"};
    const bool json = style == LOG_STYLE_JSON;

    line->style = style;
    line->len = 0;
    put(line, json ? SLICE("{\"ts\":\"") : SLICE(""));
    put_time(line);
    put(line, json ? SLICE("\",\"level\":\"") : SLICE(" "));
    if (style == LOG_STYLE_COLOR) {
        put(line, slice_of(colors[level]));
    }
    put(line, slice_of(json ? names[level] : marks[level]));
    if (style == LOG_STYLE_COLOR) {
        put(line, SLICE("\033[0m"));
    }
    put(line, json ? SLICE("\",\"event\":\"") : SLICE(""));
    put(line, utf8_cut(slice_of(event), 64));
    put(line, json ? SLICE("\"") : SLICE(""));
}

/* Plain bytes stand for themselves everywhere. */
static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\';
}

/* U+0080 to U+009F: terminals take some of them for the start of a command. */
static bool is_c1(struct slice text)
{
    return (unsigned char)text.ptr[0] == 0xc2 && (unsigned char)text.ptr[1] < 0xa0;
}

/* Writes what stands for the code point at the start of `text`, if there is room, and takes it off.
 */
static bool put_special(struct log_line *line, struct slice *text)
{
    const size_t step = utf8_step(*text);
    const unsigned char byte = (unsigned char)text->ptr[step == 2 ? 1 : 0];
    char escape[6] = {'\\', 'u', '0', '0', ASCII_HEX[byte >> 4], ASCII_HEX[byte & 15]};
    struct slice out = {escape, sizeof escape};

    if (step == 0) {
        out = SLICE("\\ufffd");
    } else if (byte == '"' || byte == '\\') {
        escape[1] = (char)byte;
        out.len = 2;
    } else if (step > 2 || (step == 2 && !is_c1(*text))) {
        out = (struct slice){text->ptr, step};
    }
    if (out.len > room(line)) {
        return false;
    }
    put(line, out);
    *text = slice_from(*text, step == 0 ? 1 : step);
    return true;
}

/* Whether one of eight bytes is not plain. Each term sets the top bit of a byte that it means, and
 * of no byte when there is none. */
static bool has_special(uint64_t bytes)
{
    const uint64_t ones = 0x0101010101010101;
    const uint64_t quote = bytes ^ (ones * '"');
    const uint64_t backslash = bytes ^ (ones * '\\');
    const uint64_t del = bytes ^ (ones * 0x7f);
    const uint64_t found =
        (bytes - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones) | bytes;

    return (found & (ones * 0x80)) != 0;
}

/* How many bytes at the start are plain, in steps of eight; there may be more of them. */
static size_t plain_steps(struct slice text)
{
    size_t plain = 0;
    uint64_t bytes = 0;

    while (plain + sizeof bytes <= text.len) {
        memcpy(&bytes, text.ptr + plain, sizeof bytes);
        if (has_special(bytes)) {
            break;
        }
        plain += sizeof bytes;
    }
    return plain;
}

static void put_escaped(struct log_line *line, struct slice text)
{
    while (text.len > 0) {
        size_t plain = plain_steps(text);
        while (plain < text.len && is_plain(text.ptr[plain])) {
            plain++;
        }
        if (plain > room(line)) {
            put(line, (struct slice){text.ptr, room(line)});
            return;
        }
        put(line, (struct slice){text.ptr, plain});
        text = slice_from(text, plain);
        if (text.len > 0 && !put_special(line, &text)) {
            return;
        }
    }
}

/* In readable lines a value without blanks and specials goes without quotes. */
static bool is_word(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_plain(text.ptr[i]) || text.ptr[i] == ' ' || text.ptr[i] == '=') {
            return false;
        }
    }
    return text.len > 0;
}

static void put_number(struct log_line *line, int64_t number)
{
    char room[SLICE_DECIMAL_MOST];

    put(line, slice_decimal(number, room));
}

/* `850us`, `1.2ms`, `3.4s`. */
static void put_duration(struct log_line *line, int64_t us)
{
    const int64_t unit = us < 1000 ? 1 : us < 1000000 ? 1000 : 1000000;
    const char tenth = (char)('0' + us % unit * 10 / unit);

    put_number(line, us / unit);
    if (unit > 1) {
        put(line, (struct slice){(const char[]){'.', tenth}, 2});
    }
    put(line, unit == 1 ? SLICE("us") : unit == 1000 ? SLICE("ms") : SLICE("s"));
}

static void put_status(struct log_line *line, int64_t status)
{
    const bool color = line->style == LOG_STYLE_COLOR;

    if (color) {
        put(line, status >= 500   ? SLICE("\033[31m")
                  : status >= 400 ? SLICE("\033[33m")
                                  : SLICE("\033[32m"));
    }
    put_number(line, status);
    put(line, color ? SLICE("\033[0m") : SLICE(""));
}

static void put_name(struct log_line *line, struct slice name)
{
    static const struct slice before[] = {{",\"", 2}, {" ", 1}, {" \033[2m", 5}};
    static const struct slice after[] = {{"\":", 2}, {"=", 1}, {"=\033[0m", 5}};

    put(line, before[line->style]);
    put(line, name);
    put(line, after[line->style]);
}

static void put_text(struct log_line *line, struct slice text)
{
    const bool quoted = line->style == LOG_STYLE_JSON || !is_word(text);

    put(line, quoted ? SLICE("\"") : SLICE(""));
    put_escaped(line, text);
    put(line, quoted ? SLICE("\"") : SLICE(""));
}

/* What readable lines show without a name. */
static void add_plain(struct log_line *line, const struct log_field *field)
{
    put(line, SLICE(" "));
    if (field->kind == LOG_STATUS_CODE) {
        put_status(line, field->number);
    } else if (field->kind == LOG_MICROSECONDS) {
        put_duration(line, field->number > 0 ? field->number : 0);
    } else if (field->text.ptr) {
        put_text(line, field->text);
    } else {
        put(line, SLICE("-"));
    }
}

static bool is_plain_field(const struct log_field *field)
{
    return field->kind == LOG_PLAIN_WORD || field->kind == LOG_STATUS_CODE ||
           field->kind == LOG_MICROSECONDS;
}

void log_line_add(struct log_line *line, const struct log_field *field)
{
    const struct slice name = field->name;
    const bool number = field->kind == LOG_NUMBER || field->kind == LOG_STATUS_CODE ||
                        field->kind == LOG_MICROSECONDS;

    /* The name with its frame, and a number or the first character of a text. */
    if (room(line) < name.len + FRAME + 20 ||
        (field->kind == LOG_OPTIONAL_TEXT && !field->text.ptr)) {
        return;
    }
    if (line->style != LOG_STYLE_JSON && is_plain_field(field)) {
        add_plain(line, field);
        return;
    }
    put_name(line, name);
    if (number) {
        put_number(line, field->number);
    } else {
        put_text(line, field->text);
    }
}

void log_line_end(struct log_line *line)
{
    put(line, line->style == LOG_STYLE_JSON ? SLICE("}\n") : SLICE("\n"));
}
