#include "base/nfc.h"

#include <assert.h>

#include <sodium.h>
#include <utf8proc.h>

#define PARTS_MOST     4                   /* code points that one is decomposed into */
#define POINTS_MOST    (2 * NFC_TEXT_MOST) /* what is decomposed has two bytes at least */
#define O_YAE          0x11a7
#define ALWAYS_C_BELOW 0xcc /* UTF-8's first byte of U+0300, the first that may have to change */

struct points {
    utf8proc_int32_t list[POINTS_MOST + 1]; /* one to spare for utf8proc_reencode's NUL */
    utf8proc_int32_t parts[PARTS_MOST];
    size_t count;
    size_t marks; /* where those that follow the last starter begin */
};

static bool is_normal(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= ALWAYS_C_BELOW) {
            return false;
        }
    }
    return true;
}

static int class_of(utf8proc_int32_t point)
{
    return utf8proc_get_property(point)->combining_class;
}

/* Canonical ordering, by halving: utf8proc_decompose needs the square of the count of marks. */
static void add(struct points *points, utf8proc_int32_t point)
{
    const int class = class_of(point);
    size_t low = class > 0 ? points->marks : points->count;
    size_t high = points->count;

    assert(points->count < POINTS_MOST);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (class_of(points->list[middle]) > class) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    memmove(points->list + low + 1, points->list + low,
            (points->count - low) * sizeof *points->list);
    points->list[low] = point;
    points->count++;
    points->marks = class > 0 ? points->marks : points->count;
}

static void decompose(struct points *points, struct slice text)
{
    const utf8proc_option_t options = UTF8PROC_DECOMPOSE;

    while (text.len > 0) {
        utf8proc_int32_t point = 0;
        int unused = 0;
        const utf8proc_ssize_t step = utf8proc_iterate((const utf8proc_uint8_t *)text.ptr,
                                                       (utf8proc_ssize_t)text.len, &point);
        assert(step > 0);
        const utf8proc_ssize_t count =
            utf8proc_decompose_char(point, points->parts, PARTS_MOST, options, &unused);
        assert(count > 0 && count <= PARTS_MOST);
        for (utf8proc_ssize_t i = 0; i < count; i++) {
            add(points, points->parts[i]);
        }
        text.ptr += step;
        text.len -= (size_t)step;
    }
}

/* Before 2.11.2 libutf8proc loses U+11A7 after a Hangul syllable. As it composes with nothing, a
 * piece of its own begins there. */
static void compose(struct points *points)
{
    const utf8proc_option_t options = (utf8proc_option_t)(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    size_t kept = 0;
    size_t start = 0;

    while (start < points->count) {
        size_t end = start + 1;
        while (end < points->count && points->list[end] != O_YAE) {
            end++;
        }
        const utf8proc_ssize_t len = utf8proc_normalize_utf32(
            points->list + start, (utf8proc_ssize_t)(end - start), options);
        assert(len > 0);
        memmove(points->list + kept, points->list + start, (size_t)len * sizeof *points->list);
        kept += (size_t)len;
        start = end;
    }
    points->count = kept;
}

struct slice nfc_copy(struct arena *arena, struct slice text)
{
    struct points points;
    struct slice copy = {0};

    assert(text.len <= NFC_TEXT_MOST);
    if (is_normal(text)) {
        return arena_copy(arena, text);
    }
    points.count = 0;
    points.marks = 0;
    decompose(&points, text);
    compose(&points);
    const utf8proc_ssize_t len =
        utf8proc_reencode(points.list, (utf8proc_ssize_t)points.count, (utf8proc_option_t)0);
    assert(len > 0);
    copy = arena_copy(arena, (struct slice){(const char *)points.list, (size_t)len});
    sodium_memzero(&points, sizeof points);
    return copy;
}
