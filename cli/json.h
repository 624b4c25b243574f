/* JSON as a tree, for reading back what the command wrote itself. */
#ifndef JR_CLI_JSON_H
#define JR_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef struct Json {
    enum { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } kind;
    double number; /* a bool's too */
    char *text;    /* a string's */
    char *key;     /* of a member */
    struct Json *first, *next;
} Json;

/* NULL when the text is not JSON, or memory ran out. */
Json *json_parse(const char *text);
void json_free(Json *json);
/* The member of an object, or NULL. */
const Json *json_get(const Json *object, const char *key);
double json_number(const Json *object, const char *key, double otherwise);
size_t json_count(const Json *array);

#endif
