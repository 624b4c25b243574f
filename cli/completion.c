/* `jitrun --completion SHELL`: what a shell needs to complete the command's options, made from the
 * table of options. A new option is completed as soon as it has its row; `values` has the words that
 * some of them take. */
#include "cli/options.h"

#include <string.h>

typedef struct Row {
    char letter;
    const char *name, *argument, *help;
} Row;

static const Row rows[] = {
#define JR_GROUP(title)
#define JR_OPTION(ID, letter, name, argument, help) {letter, name, argument, help},
#include "cli/options.def"
#undef JR_GROUP
#undef JR_OPTION
};
enum { ROWS = sizeof rows / sizeof *rows };

static const struct Values {
    const char *option, *words;
} values[] = {
    {"backend", "auto interp tcc llvm"},
    {"opt-level", "0 1 2 3"},
    {"dump", "tokens ast typed ir opt bytecode c llvm llvm-opt asm"},
    {"emit", "header c obj so"},
    {"against", "cpython numba cpython,numba"},
    {"format", "text json csv"},
    {"completion", "bash zsh fish"},
};

/* The words an option takes, or NULL. */
static const char *words_of(const Row *row) {
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].option, row->name) == 0) return values[i].words;
    return NULL;
}

static bool takes_path(const Row *row) {
    return row->argument && strcmp(row->argument, "PATH") == 0;
}

/* The help on one line, with a backslash before any of `special`. */
static void put_help(FILE *to, const char *help, const char *special) {
    for (; *help; help++) {
        if (strchr(special, *help)) fputc('\\', to);
        fputc(*help == '\n' ? ' ' : *help, to);
    }
}

/* ---- bash ---- */

static void bash_case(FILE *to, const Row *row) {
    if (!row->argument) return;
    const char *words = words_of(row);
    fputs("    ", to);
    if (row->letter) fprintf(to, "-%c|", row->letter);
    fprintf(to, "--%s) ", row->name);
    if (words)
        fprintf(to, "COMPREPLY=($(compgen -W '%s' -- \"$cur\")); ", words);
    else if (takes_path(row))
        fputs("COMPREPLY=($(compgen -f -- \"$cur\")); ", to);
    fputs("return ;;\n", to);
}

static void bash(FILE *to) {
    fputs("# jitrun, for bash: made by `jitrun --completion bash`\n"
          "_jitrun() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
          "    case $prev in\n",
          to);
    for (int i = 0; i < ROWS; i++)
        bash_case(to, &rows[i]);
    fputs("    esac\n"
          "    if [[ $cur == -* ]]; then\n"
          "        COMPREPLY=($(compgen -W '",
          to);
    for (int i = 0; i < ROWS; i++) {
        if (rows[i].letter) fprintf(to, "-%c ", rows[i].letter);
        fprintf(to, "--%s%s", rows[i].name, i + 1 < ROWS ? " " : "");
    }
    fputs("' -- \"$cur\"))\n"
          "    else\n"
          "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
          "    fi\n"
          "}\n"
          "complete -o filenames -F _jitrun jitrun\n",
          to);
}

/* ---- zsh ---- */

static void zsh_option(FILE *to, const Row *row) {
    const char *words = words_of(row), *ends = row->argument ? "=" : "";
    fputs("    ", to);
    if (row->letter)
        fprintf(to, "'(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name, row->letter,
                row->argument ? "+" : "", row->name, ends);
    else
        fprintf(to, "'--%s%s[", row->name, ends);
    for (const char *c = row->help; *c; c++) {
        if (strchr("[]:\\", *c)) fputc('\\', to);
        if (*c == '\'')
            fputs("'\\''", to);
        else
            fputc(*c == '\n' ? ' ' : *c, to);
    }
    fputc(']', to);
    if (row->argument) fprintf(to, ":%s:", row->argument);
    if (words) fprintf(to, "(%s)", words);
    if (takes_path(row)) fputs("_files", to);
    fputs("' \\\n", to);
}

static void zsh(FILE *to) {
    fputs("#compdef jitrun\n"
          "# Made by `jitrun --completion zsh`.\n"
          "_arguments -s \\\n",
          to);
    for (int i = 0; i < ROWS; i++)
        zsh_option(to, &rows[i]);
    fputs("    '*:file:_files'\n", to);
}

/* ---- fish ---- */

static void fish_option(FILE *to, const Row *row) {
    const char *words = words_of(row);
    fputs("complete -c jitrun", to);
    if (row->letter) fprintf(to, " -s %c", row->letter);
    fprintf(to, " -l %s", row->name);
    if (row->argument) fputs(takes_path(row) ? " -r -F" : " -x", to);
    if (words) fprintf(to, " -a '%s'", words);
    fputs(" -d '", to);
    put_help(to, row->help, "'\\");
    fputs("'\n", to);
}

static void fish(FILE *to) {
    fputs("# jitrun, for fish: made by `jitrun --completion fish`\n", to);
    for (int i = 0; i < ROWS; i++)
        fish_option(to, &rows[i]);
}

bool completion_print(const char *shell, FILE *to) {
    static const struct Shell {
        const char *name;
        void (*print)(FILE *to);
    } shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, shell) == 0) return shells[i].print(to), true;
    return false;
}
