/* Stimuli: signals over time, held from one sample to the next (zero-order hold), read from a CSV or JSON file.
 *
 *   CSV    header `timestamp` (s) and any of the signals; one row per change
 *   JSON   a custom profile as in D6.4, or a list of them:
 *          {"Name": "current", "unit": "mA", "values": [{"timestamp": 0, "value": "1.0"}, ...]} */
#ifndef STIMULI_H
#define STIMULI_H

#include <stdbool.h>
#include <stddef.h>

enum { SIGNALS = 4 };
extern const char *const SIGNAL_NAMES[SIGNALS];

typedef struct {
    double *time_s;
    double *value;
    size_t count, room;
    size_t at; /* place of the sample that was found last */
} Series;

typedef struct {
    Series series[SIGNALS]; /* without samples if the file does not have the signal */
} Stimuli;

/* Read a file. On failure NULL, and what is wrong (file, line, value) in `problem`. */
Stimuli *read_stimuli(const char *path, char *problem, size_t room);
Stimuli *read_csv(const char *path, char *text, char *problem, size_t room);
Stimuli *read_profiles(const char *path, const char *text, char *problem, size_t room);
void free_stimuli(Stimuli *);

/* Append a sample; false (and what is wrong in `problem`) if it is not after the one before, or not finite. */
bool add_sample(Series *, double time_s, double value, char *problem, size_t room);

/* Value at a time, or the first one before it; the series must have samples. */
double value_at(Series *, double time_s);

#endif
