#include "formula.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LEVELS = 64 };

typedef struct {
    const char *at;
    double x;
    int level;
    char *problem;
} Reader;

static double sum(Reader *reader);

static double refuse(Reader *reader, const char *what) {
    if (!*reader->problem) snprintf(reader->problem, 80, "%s at '%.20s'", what, reader->at);
    return NAN;
}

static char next(Reader *reader) {
    while (isspace((unsigned char)*reader->at)) reader->at++;
    return *reader->at;
}

static double in_brackets(Reader *reader) {
    if (next(reader) != '(') return refuse(reader, "a bracket is missing");
    reader->at++;
    const double value = sum(reader);
    if (next(reader) != ')') return refuse(reader, "a closing bracket is missing");
    reader->at++;
    return value;
}

static double call(Reader *reader, const char *name, size_t length) {
    static const struct {
        const char *name;
        double (*function)(double);
    } FUNCTIONS[] = {{"exp", exp},   {"log", log}, {"sqrt", sqrt}, {"tanh", tanh}, {"cosh", cosh},
                     {"sinh", sinh}, {"tan", tan}, {"sin", sin},   {"cos", cos},   {"abs", fabs}};
    for (size_t i = 0; i < sizeof FUNCTIONS / sizeof *FUNCTIONS; i++)
        if (strlen(FUNCTIONS[i].name) == length && !strncmp(name, FUNCTIONS[i].name, length))
            return FUNCTIONS[i].function(in_brackets(reader));
    reader->at = name;
    return refuse(reader, "unknown name");
}

static double atom(Reader *reader) {
    const char c = next(reader);
    if (c == '(') return in_brackets(reader);
    if (isdigit((unsigned char)c) || c == '.') {
        char *end;
        const double value = strtod(reader->at, &end);
        if (end == reader->at) return refuse(reader, "no number");
        reader->at = end;
        return value;
    }
    const char *name = reader->at;
    while (isalnum((unsigned char)*reader->at) || *reader->at == '_') reader->at++;
    const size_t length = (size_t)(reader->at - name);
    if (length == 1 && *name == 'x') return reader->x;
    return length ? call(reader, name, length) : refuse(reader, "a value is missing");
}

static double factor(Reader *reader) {
    if (++reader->level > MOST_LEVELS) return refuse(reader, "too many levels");
    const char c = next(reader);
    double value;
    if (c == '-' || c == '+') {
        reader->at++;
        value = c == '-' ? -factor(reader) : factor(reader);
    } else {
        value = atom(reader);
        if (next(reader) == '*' && reader->at[1] == '*') {
            reader->at += 2;
            value = pow(value, factor(reader));
        }
    }
    reader->level--;
    return value;
}

static double product(Reader *reader) {
    double value = factor(reader);
    for (char c = next(reader); c == '*' || c == '/'; c = next(reader)) {
        reader->at++;
        const double other = factor(reader);
        value = c == '*' ? value * other : value / other;
    }
    return value;
}

static double sum(Reader *reader) {
    double value = product(reader);
    for (char c = next(reader); c == '+' || c == '-'; c = next(reader)) {
        reader->at++;
        const double other = product(reader);
        value = c == '+' ? value + other : value - other;
    }
    return value;
}

bool evaluate(const char *formula, double x, double *value, char *problem) {
    Reader reader = {.at = formula, .x = x, .problem = problem};
    *problem = 0;
    *value = sum(&reader);
    if (!*problem && next(&reader)) refuse(&reader, "there is more");
    return !*problem;
}
