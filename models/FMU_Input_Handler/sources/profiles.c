/* Reads custom profiles (D6.4, figure 2): just as much JSON as they need, strictly. What is not known is skipped. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stimuli.h"

enum { DEEPEST = 32, LONGEST_TEXT = 80 };

typedef struct {
    const char *start, *at;
    char fault[200];
} Json;

static bool fault(Json *json, const char *words) {
    if (!*json->fault) snprintf(json->fault, sizeof json->fault, "%s", words);
    return false;
}

static void skip_blanks(Json *json) { json->at += strspn(json->at, " \t\r\n"); }

static bool take(Json *json, char sign) {
    skip_blanks(json);
    if (*json->at != sign) return false;
    json->at++;
    return true;
}

/* A string; escapes are kept as they are, and what is too long is cut: only short plain words matter here. */
static bool take_text(Json *json, char text[LONGEST_TEXT]) {
    if (!take(json, '"')) return fault(json, "a string is needed");
    size_t length = 0;
    for (; *json->at && *json->at != '"'; json->at++) {
        if ((unsigned char)*json->at < 0x20) return fault(json, "a string holds a control character");
        if (*json->at == '\\' && json->at[1]) json->at++;
        if (length + 1 < LONGEST_TEXT) text[length++] = *json->at;
    }
    text[length] = '\0';
    return *json->at++ == '"' || (json->at--, fault(json, "a string does not end"));
}

static bool take_number(Json *json, double *number) {
    skip_blanks(json);
    char *end;
    const char *first = json->at + (*json->at == '-');
    if (!isdigit((unsigned char)*first) || (first[0] == '0' && isalnum((unsigned char)first[1]) && first[1] != 'e' && first[1] != 'E'))
        return fault(json, "a number is needed");
    *number = strtod(json->at, &end);
    json->at = end;
    return isfinite(*number) || fault(json, "a number is too large");
}

/* A number, or a string that holds one: D6.4 writes values as strings. */
static bool take_measure(Json *json, double *number) {
    skip_blanks(json);
    if (*json->at != '"') return take_number(json, number);
    char text[LONGEST_TEXT], *end;
    if (!take_text(json, text)) return false;
    *number = strtod(text, &end);
    return (end != text && !*end && isfinite(*number)) || fault(json, "a string holds no number");
}

static bool skip_value(Json *json, int depth);

static bool skip_members(Json *json, char closing, int depth) {
    if (depth > DEEPEST) return fault(json, "it is nested too deeply");
    if (take(json, closing)) return true;
    char text[LONGEST_TEXT];
    do {
        if (closing == '}' && !(take_text(json, text) && (take(json, ':') || fault(json, "':' is needed")))) return false;
        if (!skip_value(json, depth)) return false;
    } while (take(json, ','));
    return take(json, closing) || fault(json, "a list or object does not end");
}

static bool skip_value(Json *json, int depth) {
    static const char *const WORDS[] = {"true", "false", "null"};
    char text[LONGEST_TEXT];
    double number;
    skip_blanks(json);
    if (*json->at == '"') return take_text(json, text);
    if (take(json, '{')) return skip_members(json, '}', depth + 1);
    if (take(json, '[')) return skip_members(json, ']', depth + 1);
    for (int i = 0; i < 3; i++)
        if (strncmp(json->at, WORDS[i], strlen(WORDS[i])) == 0) {
            json->at += strlen(WORDS[i]);
            return true;
        }
    return take_number(json, &number);
}

static bool take_sample(Json *json, Series *series) {
    double time_s = NAN, value = NAN;
    char key[LONGEST_TEXT];
    if (!take(json, '{')) return fault(json, "a sample is an object with timestamp and value");
    do {
        if (!take_text(json, key) || !(take(json, ':') || fault(json, "':' is needed"))) return false;
        double *place = strcmp(key, "timestamp") == 0 ? &time_s : strcmp(key, "value") == 0 ? &value : NULL;
        if (!(place ? take_measure(json, place) : skip_value(json, 0))) return false;
    } while (take(json, ','));
    if (!take(json, '}')) return fault(json, "a sample does not end");
    if (isnan(time_s) || isnan(value)) return fault(json, "a sample lacks its timestamp or value");
    return add_sample(series, time_s, value, json->fault, sizeof json->fault);
}

static bool take_samples(Json *json, Series *series) {
    if (!take(json, '[')) return fault(json, "values must be a list");
    if (take(json, ']')) return true;
    do {
        if (!take_sample(json, series)) return false;
    } while (take(json, ','));
    return take(json, ']') || fault(json, "the list of values does not end");
}

static int signal_of(const char *name) {
    if (strcasecmp(name, "current") == 0) return 0;
    for (int i = 0; i < SIGNALS; i++)
        if (strcasecmp(name, SIGNAL_NAMES[i]) == 0) return i;
    return -1;
}

/* Factor that brings a signal's unit to A, degC or %; 0 if the unit does not fit. An empty one is taken to fit. */
static double factor_of(int signal, const char *unit) {
    static const char *const UNITS[SIGNALS] = {"A", "degC", "%", "degC"};
    if (!*unit || strcmp(unit, UNITS[signal]) == 0) return 1.0;
    return signal == 0 && strcmp(unit, "mA") == 0 ? 1e-3 : 0.0;
}

static bool take_profile(Json *json, Stimuli *stimuli) {
    char key[LONGEST_TEXT], name[LONGEST_TEXT] = "", unit[LONGEST_TEXT] = "";
    Series series = {0};
    bool is_good = take(json, '{') || fault(json, "a profile is an object with Name, unit and values");
    while (is_good) {
        is_good = take_text(json, key) && (take(json, ':') || fault(json, "':' is needed"));
        if (is_good && strcasecmp(key, "name") == 0) is_good = take_text(json, name);
        else if (is_good && strcmp(key, "unit") == 0) is_good = take_text(json, unit);
        else if (is_good && strcmp(key, "values") == 0 && !series.count) is_good = take_samples(json, &series);
        else if (is_good) is_good = skip_value(json, 0);
        if (!take(json, ',')) break;
    }
    if (is_good) is_good = take(json, '}') || fault(json, "a profile does not end");
    const int signal = signal_of(name);
    const double factor = signal < 0 ? 0 : factor_of(signal, unit);
    if (is_good && signal < 0) is_good = fault(json, "a profile's Name is no signal: current, Ambient_Temperature, ...");
    if (is_good && factor == 0) is_good = fault(json, "a profile's unit does not fit: A or mA, degC, %");
    if (is_good && !series.count) is_good = fault(json, "a profile has no values");
    if (is_good && stimuli->series[signal].count) is_good = fault(json, "a signal has two profiles");
    if (!is_good) {
        free(series.time_s);
        free(series.value);
        return false;
    }
    for (size_t i = 0; i < series.count; i++) series.value[i] *= factor;
    stimuli->series[signal] = series;
    return true;
}

Stimuli *read_profiles(const char *path, const char *text, char *problem, size_t room) {
    Json json = {.start = text, .at = text};
    Stimuli *stimuli = calloc(1, sizeof *stimuli);
    if (!stimuli) {
        snprintf(problem, room, "out of memory");
        return NULL;
    }
    bool is_good = true;
    const bool is_list = take(&json, '[');
    do {
        is_good = take_profile(&json, stimuli);
    } while (is_good && is_list && take(&json, ','));
    if (is_good && is_list) is_good = take(&json, ']') || fault(&json, "the list of profiles does not end");
    skip_blanks(&json);
    if (is_good && *json.at) is_good = fault(&json, "something follows after the end");
    if (is_good) return stimuli;
    int line = 1;
    for (const char *at = json.start; at < json.at; at++) line += *at == '\n';
    snprintf(problem, room, "%s, line %d: %s (at '%.20s')", path, line, json.fault, json.at);
    free_stimuli(stimuli);
    return NULL;
}
