#include "stimuli.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LARGEST_FILE = 256 * 1024 * 1024, MOST_COLUMNS = 32 };

const char *const SIGNAL_NAMES[SIGNALS] = {"Current_Profile", "Ambient_Temperature", "Initial_SoC",
                                           "Initial_Temperature"};

void free_stimuli(Stimuli *stimuli) {
    if (!stimuli) return;
    for (int i = 0; i < SIGNALS; i++) {
        free(stimuli->series[i].time_s);
        free(stimuli->series[i].value);
    }
    free(stimuli);
}

bool add_sample(Series *series, double time_s, double value, char *problem, size_t room) {
    if (!isfinite(time_s) || !isfinite(value)) {
        snprintf(problem, room, "the sample (%g, %g) is not finite", time_s, value);
        return false;
    }
    if (series->count && time_s <= series->time_s[series->count - 1]) {
        snprintf(problem, room, "timestamp %g is not after %g", time_s, series->time_s[series->count - 1]);
        return false;
    }
    if (series->count == series->room) {
        const size_t wanted = series->room ? 2 * series->room : 64;
        double *times = realloc(series->time_s, wanted * sizeof *times);
        if (times) series->time_s = times;
        double *values = times ? realloc(series->value, wanted * sizeof *values) : NULL;
        if (values) series->value = values;
        if (!values) {
            snprintf(problem, room, "out of memory");
            return false;
        }
        series->room = wanted;
    }
    series->time_s[series->count] = time_s;
    series->value[series->count++] = value;
    return true;
}

double value_at(Series *series, double time_s) {
    const double latest = time_s + 1e-9 * fmax(1.0, fabs(time_s)); /* 0.1 * 7 is a trifle before 0.7 */
    if (series->at >= series->count || series->time_s[series->at] > latest) series->at = 0;
    while (series->at + 1 < series->count && series->time_s[series->at + 1] <= latest) series->at++;
    return series->value[series->at];
}

static char *read_text(const char *path, char *problem, size_t room) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(problem, room, "%s cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    char *text = NULL;
    long size = fseek(file, 0, SEEK_END) ? -1 : ftell(file);
    rewind(file);
    if (size < 0 || size > LARGEST_FILE) {
        snprintf(problem, room, "%s has %ld bytes; at most %d are read", path, size, LARGEST_FILE);
    } else if (!(text = malloc((size_t)size + 1)) || fread(text, 1, (size_t)size, file) != (size_t)size) {
        snprintf(problem, room, "%s cannot be read", path);
        free(text);
        text = NULL;
    } else {
        text[size] = '\0';
        if (strlen(text) != (size_t)size) {
            snprintf(problem, room, "%s is no text: it holds a zero byte", path);
            free(text);
            text = NULL;
        }
    }
    fclose(file);
    return text;
}

Stimuli *read_stimuli(const char *path, char *problem, size_t room) {
    char *text = read_text(path, problem, room);
    if (!text) return NULL;
    const char *first = text + strspn(text, " \t\r\n");
    Stimuli *stimuli = *first == '{' || *first == '[' ? read_profiles(path, text, problem, room)
                                                      : read_csv(path, text, problem, room);
    free(text);
    return stimuli;
}

/* ---- CSV ---- */

static char *next_line(char **rest) {
    char *line = *rest;
    if (!*line) return NULL;
    const size_t length = strcspn(line, "\n");
    *rest = line + length + (line[length] == '\n');
    line[length] = '\0';
    if (length && line[length - 1] == '\r') line[length - 1] = '\0';
    return line;
}

static char *next_cell(char **rest) {
    if (!*rest) return NULL;
    char *cell = *rest;
    const size_t length = strcspn(cell, ",");
    *rest = cell[length] ? cell + length + 1 : NULL;
    cell[length] = '\0';
    return cell;
}

/* Which signal each column holds: -1 for the first one, the time. Returns the number of columns, 0 on failure. */
static int read_header(const char *path, char *line, int columns[MOST_COLUMNS], char *problem, size_t room) {
    int count = 0;
    for (char *cell; (cell = next_cell(&line));) {
        int signal = -1;
        if (count == 0 && strcmp(cell, "timestamp") == 0) {
            columns[count++] = -1;
            continue;
        }
        for (int i = 0; i < SIGNALS; i++)
            if (count > 0 && strcmp(cell, SIGNAL_NAMES[i]) == 0) signal = i;
        for (int i = 1; i < count; i++)
            if (signal >= 0 && columns[i] == signal) signal = -1; /* twice */
        if (signal < 0 || count == MOST_COLUMNS) {
            snprintf(problem, room, "%s: column %d of the header is '%.80s'; give timestamp, then each once: %s, %s, %s, %s",
                     path, count + 1, cell, SIGNAL_NAMES[0], SIGNAL_NAMES[1], SIGNAL_NAMES[2], SIGNAL_NAMES[3]);
            return 0;
        }
        columns[count++] = signal;
    }
    if (count < 2) snprintf(problem, room, "%s has no signal: its header is timestamp and at least one signal", path);
    return count < 2 ? 0 : count;
}

static bool read_row(Stimuli *stimuli, char *line, const int columns[], int count, char *problem, size_t room) {
    double time_s = 0;
    for (int i = 0; i < count; i++) {
        char *cell = next_cell(&line), *end = cell;
        const double value = cell ? strtod(cell, &end) : 0;
        if (!cell || end == cell || end[strspn(end, " \t")]) {
            snprintf(problem, room, "'%.80s' in column %d is no number", cell ? cell : "", i + 1);
            return false;
        }
        if (i == 0) time_s = value;
        else if (!add_sample(&stimuli->series[columns[i]], time_s, value, problem, room)) return false;
    }
    if (line) snprintf(problem, room, "there are more than %d columns", count);
    return !line;
}

Stimuli *read_csv(const char *path, char *text, char *problem, size_t room) {
    int columns[MOST_COLUMNS], count;
    char *rest = text, *line = next_line(&rest);
    if (!line) {
        snprintf(problem, room, "%s is empty", path);
        return NULL;
    }
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) line += 3;
    if (!(count = read_header(path, line, columns, problem, room))) return NULL;
    Stimuli *stimuli = calloc(1, sizeof *stimuli);
    if (!stimuli) {
        snprintf(problem, room, "out of memory");
        return NULL;
    }
    char fault[300] = "";
    bool is_good = true;
    for (int number = 2; is_good && (line = next_line(&rest)); number++) {
        if (!line[strspn(line, " \t")]) continue;
        is_good = read_row(stimuli, line, columns, count, fault, sizeof fault);
        if (!is_good) snprintf(problem, room, "%s, line %d: %s", path, number, fault);
    }
    if (is_good && !stimuli->series[columns[1]].count) {
        is_good = false;
        snprintf(problem, room, "%s has no rows", path);
    }
    if (!is_good) free_stimuli(stimuli);
    return is_good ? stimuli : NULL;
}
