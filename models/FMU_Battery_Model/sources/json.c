#include "json.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 16 << 20, MOST_LEVELS = 32 };

/* Nodes and texts live in blocks that are freed together. */
typedef struct Block {
    struct Block *next;
    Json nodes[256];
    size_t used;
} Block;

typedef struct {
    char *text, *at;
    Block *blocks;
    int level;
    JsonDocument *document;
} Reader;

static void *refuse(Reader *reader, const char *what) {
    int line = 1;
    for (const char *c = reader->text; c < reader->at; c++) line += *c == '\n';
    if (!*reader->document->problem)
        snprintf(reader->document->problem, sizeof reader->document->problem, "line %d: %s", line, what);
    return NULL;
}

static Json *make(Reader *reader, JsonKind kind) {
    Block *block = reader->blocks;
    if (!block || block->used == sizeof block->nodes / sizeof *block->nodes) {
        block = calloc(1, sizeof *block);
        if (!block) return refuse(reader, "out of memory");
        block->next = reader->blocks, reader->blocks = block;
    }
    Json *node = &block->nodes[block->used++];
    node->kind = kind;
    return node;
}

static void skip(Reader *reader) { reader->at += strspn(reader->at, " \t\r\n"); }

/* A text ends in place: its closing quote becomes the end. */
static char *read_text(Reader *reader) {
    char *from = ++reader->at, *to = from;
    for (char *c = from; *c; c++) {
        if (*c == '"') {
            *to = 0, reader->at = c + 1;
            return from;
        }
        if (*c == '\\') {
            static const char NAMES[] = "\"\\/bfnrt", MEANT[] = "\"\\/\b\f\n\r\t";
            const char *found = c[1] ? strchr(NAMES, c[1]) : NULL;
            c++;
            if (found)
                *to++ = MEANT[found - NAMES];
            else if (*c == 'u' && strspn(c + 1, "0123456789abcdefABCDEF") >= 4)
                *to++ = '?', c += 4;
            else
                break;
        } else {
            *to++ = *c;
        }
    }
    return refuse(reader, "a text does not end, or holds an unknown escape");
}

static Json *read_value(Reader *reader);

static Json *read_elements(Reader *reader, JsonKind kind) {
    const char end = kind == JSON_OBJECT ? '}' : ']';
    Json *node = make(reader, kind), **last = node ? &node->first : NULL;
    if (!node) return NULL;
    if (++reader->level > MOST_LEVELS) return refuse(reader, "too many levels");
    reader->at++;
    skip(reader);
    while (*reader->at != end) {
        const char *key = NULL;
        if (kind == JSON_OBJECT) {
            if (*reader->at != '"') return refuse(reader, "a name in quotes is missing");
            key = read_text(reader);
            if (!key) return NULL;
            skip(reader);
            if (*reader->at != ':') return refuse(reader, "a colon is missing");
            reader->at++;
        }
        Json *element = read_value(reader);
        if (!element) return NULL;
        element->key = key, *last = element, last = &element->next, node->n++;
        skip(reader);
        if (*reader->at == ',') {
            reader->at++;
            skip(reader);
            if (*reader->at == end) return refuse(reader, "a comma before the end");
        } else if (*reader->at != end) {
            return refuse(reader, "a comma or an end is missing");
        }
    }
    reader->at++, reader->level--;
    return node;
}

static Json *read_value(Reader *reader) {
    static const struct {
        const char *word;
        JsonKind kind;
        double number;
    } WORDS[] = {{"true", JSON_BOOLEAN, 1}, {"false", JSON_BOOLEAN, 0}, {"null", JSON_NULL, 0}};
    skip(reader);
    if (*reader->at == '{') return read_elements(reader, JSON_OBJECT);
    if (*reader->at == '[') return read_elements(reader, JSON_LIST);
    if (*reader->at == '"') {
        Json *node = make(reader, JSON_TEXT);
        return node && (node->text = read_text(reader)) ? node : NULL;
    }
    for (size_t i = 0; i < 3; i++)
        if (!strncmp(reader->at, WORDS[i].word, strlen(WORDS[i].word))) {
            Json *node = make(reader, WORDS[i].kind);
            if (node) node->number = WORDS[i].number, reader->at += strlen(WORDS[i].word);
            return node;
        }
    if (!*reader->at || !strchr("-0123456789", *reader->at)) return refuse(reader, "a value is missing");
    char *end;
    const double number = strtod(reader->at, &end);
    Json *node = make(reader, JSON_NUMBER);
    if (node) node->number = number, reader->at = end;
    return node;
}

static char *read_file(const char *path, JsonDocument *document) {
    FILE *file = fopen(path, "rb");
    if (!file) return snprintf(document->problem, sizeof document->problem, "it cannot be opened"), NULL;
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    rewind(file);
    char *text = size >= 0 && size <= MOST_BYTES ? malloc((size_t)size + 1) : NULL;
    if (text)
        text[fread(text, 1, (size_t)size, file)] = 0;
    else
        snprintf(document->problem, sizeof document->problem, "it is larger than %d MiB", MOST_BYTES >> 20);
    fclose(file);
    return text;
}

typedef struct {
    char *text;
    Block *blocks;
} Memory;

JsonDocument json_read(const char *path) {
    JsonDocument document = {0};
    char *text = read_file(path, &document);
    Memory *memory = text ? malloc(sizeof *memory) : NULL;
    if (!memory) return free(text), document;
    Reader reader = {.text = text, .at = text, .document = &document};
    document.root = read_value(&reader);
    if (document.root && (skip(&reader), *reader.at)) document.root = refuse(&reader, "there is more after its end");
    memory->text = text, memory->blocks = reader.blocks, document.memory = memory;
    return document;
}

void json_free(JsonDocument *document) {
    Memory *memory = document->memory;
    if (!memory) return;
    while (memory->blocks) {
        Block *next = memory->blocks->next;
        free(memory->blocks);
        memory->blocks = next;
    }
    free(memory->text);
    free(memory);
    *document = (JsonDocument){0};
}

const Json *json_member(const Json *object, const char *key) {
    if (!object || object->kind != JSON_OBJECT) return NULL;
    for (const Json *element = object->first; element; element = element->next)
        if (!strcmp(element->key, key)) return element;
    return NULL;
}
