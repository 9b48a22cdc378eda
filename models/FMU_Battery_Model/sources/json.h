/* Reads a JSON text into a tree; what it cannot read it says in words, with the place. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

typedef enum { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT } JsonKind;

typedef struct Json {
    JsonKind kind;
    const char *key; /* in an object */
    double number;
    const char *text;
    struct Json *first, *next; /* elements of a list or object, in their order */
    size_t n;                  /* how many */
} Json;

typedef struct {
    Json *root; /* NULL if the text could not be read */
    char problem[160];
    void *memory;
} JsonDocument;

/* Reads a file of at most 16 MiB. */
JsonDocument json_read(const char *path);
void json_free(JsonDocument *);
const Json *json_member(const Json *object, const char *key); /* NULL if there is none, or it is no object */

#endif
