#include "base/log_line.h"

#include "base/clock.h"
#include "base/utf8.h"

/* Kept free for what ends a value and the line: a quote, a brace, a line feed. */
#define TAIL 3

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
    clock_format_rfc3339(clock_wall_ms(), line->text + line->len);
    line->len += CLOCK_RFC3339_LEN;
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
    static const char hex[] = "0123456789abcdef";
    const size_t step = utf8_step(*text);
    const unsigned char byte = (unsigned char)text->ptr[step == 2 ? 1 : 0];
    char escape[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
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
    text->ptr += step == 0 ? 1 : step;
    text->len -= step == 0 ? 1 : step;
    return true;
}

static void put_escaped(struct log_line *line, struct slice text)
{
    while (text.len > 0) {
        size_t plain = 0;
        while (plain < text.len && is_plain(text.ptr[plain])) {
            plain++;
        }
        if (plain > room(line)) {
            put(line, (struct slice){text.ptr, room(line)});
            return;
        }
        put(line, (struct slice){text.ptr, plain});
        text.ptr += plain;
        text.len -= plain;
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
    char digits[20];
    size_t start = sizeof digits;
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

    do {
        digits[--start] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0) {
        digits[--start] = '-';
    }
    put(line, (struct slice){digits + start, sizeof digits - start});
}

void log_line_add(struct log_line *line, const struct log_field *field)
{
    const bool json = line->style == LOG_STYLE_JSON;
    const struct slice name = slice_of(field->name);
    const bool quoted = field->kind == LOG_TEXT && (json || !is_word(field->text));

    /* The name with its frame, and a number or the first character of a text. */
    if (room(line) < name.len + 4 + 20) {
        return;
    }
    put(line, json ? SLICE(",\"") : SLICE(" "));
    put(line, name);
    put(line, json ? SLICE("\":") : SLICE("="));
    if (field->kind == LOG_NUMBER) {
        put_number(line, field->number);
        return;
    }
    if (quoted) {
        put(line, SLICE("\""));
    }
    put_escaped(line, field->text);
    if (quoted) {
        put(line, SLICE("\""));
    }
}

void log_line_end(struct log_line *line)
{
    put(line, line->style == LOG_STYLE_JSON ? SLICE("}\n") : SLICE("\n"));
}
