#include "cli/json.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64 };

typedef struct Reader {
    const char *at;
    int depth;
} Reader;

static Json *read_value(Reader *r);

static void skip(Reader *r) {
    r->at += strspn(r->at, " \t\r\n");
}

static bool take(Reader *r, char c) {
    skip(r);
    if (*r->at != c) return false;
    r->at++;
    return true;
}

/* One character of a string, as UTF-8 in out; 0 bytes for what is wrong. What was written here has
 * \u for control characters alone. */
static size_t read_escape(Reader *r, char *out) {
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char hex[5] = {0}, *end;
    const char *found = *r->at ? strchr(from, *r->at) : NULL;
    if (found) {
        r->at++;
        *out = to[found - from];
        return 1;
    }
    if (*r->at != 'u' || strlen(r->at) < 5) return 0;
    memcpy(hex, r->at + 1, 4);
    long code = strtol(hex, &end, 16);
    if (*end || code <= 0 || code > 0x7f) return 0;
    r->at += 5;
    *out = (char)code;
    return 1;
}

static char *read_string(Reader *r) {
    if (!take(r, '"')) return NULL;
    char *text = malloc(strlen(r->at) + 1);
    size_t len = 0;
    while (text && *r->at && *r->at != '"') {
        size_t added = 1;
        if (*r->at == '\\') {
            r->at++;
            added = read_escape(r, &text[len]);
        } else {
            text[len] = *r->at++;
        }
        if (!added) break;
        len += added;
    }
    if (!text || *r->at != '"') {
        free(text);
        return NULL;
    }
    r->at++;
    text[len] = 0;
    return text;
}

/* The items of an array, or the members of an object, up to `close`. */
static bool read_items(Reader *r, Json *json, char close) {
    Json **last = &json->first;
    if (take(r, close)) return true;
    do {
        char *key = close == '}' ? read_string(r) : NULL;
        bool good = close != '}' || (key && take(r, ':'));
        Json *item = good ? read_value(r) : NULL;
        if (!item) {
            free(key);
            return false;
        }
        item->key = key;
        *last = item;
        last = &item->next;
    } while (take(r, ','));
    return take(r, close);
}

static bool read_number(Reader *r, Json *json) {
    char *end;
    if (!isdigit((unsigned char)*r->at) && *r->at != '-') return false;
    json->number = strtod(r->at, &end);
    if (end == r->at) return false;
    r->at = end;
    return true;
}

static bool take_word(Reader *r, const char *word) {
    if (strncmp(r->at, word, strlen(word)) != 0) return false;
    r->at += strlen(word);
    return true;
}

static bool read_into(Reader *r, Json *json) {
    if (*r->at == '"') {
        json->kind = JSON_STRING;
        return (json->text = read_string(r)) != NULL;
    }
    if (take(r, '[')) return json->kind = JSON_ARRAY, read_items(r, json, ']');
    if (take(r, '{')) return json->kind = JSON_OBJECT, read_items(r, json, '}');
    if (take_word(r, "null")) return true;
    json->kind = JSON_BOOL;
    if (take_word(r, "true")) return json->number = 1, true;
    if (take_word(r, "false")) return true;
    json->kind = JSON_NUMBER;
    return read_number(r, json);
}

static Json *read_value(Reader *r) {
    skip(r);
    Json *json = r->depth < MAX_DEPTH ? calloc(1, sizeof *json) : NULL;
    if (!json) return NULL;
    r->depth++;
    bool good = read_into(r, json);
    r->depth--;
    if (good) return json;
    json_free(json);
    return NULL;
}

Json *json_parse(const char *text) {
    Reader reader = {.at = text};
    Json *json = read_value(&reader);
    skip(&reader);
    if (json && !*reader.at) return json;
    json_free(json);
    return NULL;
}

void json_free(Json *json) {
    while (json) {
        Json *next = json->next;
        json_free(json->first);
        free(json->text);
        free(json->key);
        free(json);
        json = next;
    }
}

const Json *json_get(const Json *object, const char *key) {
    for (const Json *item = object ? object->first : NULL; item; item = item->next)
        if (item->key && strcmp(item->key, key) == 0) return item;
    return NULL;
}

double json_number(const Json *object, const char *key, double otherwise) {
    const Json *item = json_get(object, key);
    return item && item->kind == JSON_NUMBER ? item->number : otherwise;
}

size_t json_count(const Json *array) {
    size_t count = 0;
    for (const Json *item = array ? array->first : NULL; item; item = item->next)
        count++;
    return count;
}
