/*
 * cli.h - what every command line of vprof has in common.
 *
 * A command is described by a table of options, from which parsing, messages and
 * --help are made. Every command also has --help (-h) and --version. Options and
 * operands may be mixed; "--" ends the options; short flags may be joined (-jv) and
 * an argument may follow directly (-oFILE, --output=FILE, --output FILE). A long
 * name may be cut as long as one option fits.
 *
 * EXIT CODES: 0 done, 1 failed or nothing readable, 2 wrong usage.
 */
#ifndef VPROF_TOOLS_CLI_H
#define VPROF_TOOLS_CLI_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
};

/* What an option's argument becomes, in the field at `offset` of the values. */
enum cli_kind {
	CLI_FLAG,    /* no argument: int, set to 1 */
	CLI_TEXT,    /* const char *, pointing into argv */
	CLI_COUNT,   /* uint64_t */
	CLI_SIZE,    /* uint64_t, bytes: "64K", "1.5M", "2GiB" */
	CLI_TIME,    /* struct cli_time: "5s", "200ms", "1.5" (seconds), "2m", "10us", "7ns", "1h" */
	CLI_MOMENT,  /* struct cli_time: "5s" after a beginning, or "-5s" before an end */
	CLI_LIST,    /* struct cli_list: may be given several times, and as A,B,C */
	CLI_SWITCH,  /* const char *: "1", or what follows the "=" of --name=VALUE */
};

struct cli_list {
	char **items;
	size_t count;
};

struct cli_time {
	int64_t ns;      /* not negative */
	int given;       /* 0: the option was not */
	int before;      /* it had a minus sign */
};

struct cli_option {
	const char *name;     /* long, without "--" */
	char letter;          /* short, 0: none */
	enum cli_kind kind;
	size_t offset;        /* of the field in the values */
	const char *argument; /* its name in --help: "FILE"; NULL for a flag */
	const char *help;
	const char *values;   /* "gpu, host (two), N": what there is to be typed, for shells; NULL: anything */
};

struct cli_command {
	const char *name;     /* "vprof dump" */
	const char *operands; /* "RING..."; shown in the usage line */
	const char *summary;  /* one line */
	const char *notes;    /* more paragraphs for --help, or NULL */
	const struct cli_option *options; /* ends with a row whose name is NULL */
	int options_first;    /* the first operand ends the options: what follows is another command's */
};

/* Not for people: every command prints with it what a shell may complete, a line each, tabs between. */
#define CLI_COMPLETION_WORDS "--completion-words"

/*
 * Parses argv[1..]. Options go to `values`, whose fields keep what they had when an
 * option is not given; operands are moved to argv[1..] in their order.
 * Returns the number of operands, or CLI_STOP(exit code) when the command is over:
 * help or version printed, or a message about wrong usage.
 */
#define CLI_STOP(code) (-1 - (code))
#define CLI_CODE(stop) (-1 - (stop))
int cli_parse(const struct cli_command *command, void *values, int argc, char **argv);
void cli_list_free(struct cli_list *list);
int cli_list_has(const struct cli_list *list, const char *item);

/* Prints the help of a command. */
void cli_help(const struct cli_command *command, FILE *out);

/*
 * Prints `text` from `column` on, which is where the line is, in lines of at most 80 columns, and ends the last.
 * Newlines are blanks, two of them begin a paragraph.
 */
void cli_wrapped(FILE *out, const char *text, int column);

/* "NAME: message" on stderr, with a hint at --help; returns CLI_USAGE. */
int cli_usage(const struct cli_command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Whole-string parsers: 0 or -EINVAL (not such a thing), -ERANGE (too large). */
int cli_parse_time(const char *text, int64_t *ns);
int cli_parse_size(const char *text, uint64_t *bytes);
int cli_parse_count(const char *text, uint64_t *count);

/* Of `count` words the one most like `word`; NULL when none is near. */
const char *cli_nearest(const char *word, const char *const *words, size_t count);

/* "1.5 MiB", "12.3 ms" into `text`; returns text. */
char *cli_size_text(char *text, size_t size, uint64_t bytes);
char *cli_time_text(char *text, size_t size, uint64_t ns);

/* The word for so many of a thing. */
static inline const char *cli_word(uint64_t count, const char *one, const char *many)
{
	return count == 1 ? one : many;
}

/* Escape codes when `out` is a terminal that shows colours and NO_COLOR is not set, else "". */
enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW };
const char *cli_colour(FILE *out, enum cli_colour colour);

/* Control characters, which a terminal would obey, become '?'. In place; returns text. */
char *cli_clean(char *text);

/* Flushes stdout and says whether all of it was written: CLI_OK or, with a message, CLI_FAILED. */
int cli_finish(const char *program);

/* ---- tables with aligned columns ---- */

struct cli_table;

/* `columns`: one letter a column, 'l' left or 'r' right. NULL: no memory. */
struct cli_table *cli_table_new(const char *columns);
/* Appends a cell, cleaned; a row is full after as many cells as there are columns. */
void cli_table_cell(struct cli_table *table, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A row of two columns: a word, and what there is to say of it. */
void cli_table_pair(struct cli_table *table, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends a cell of each of these words, which are the heads of columns. */
#define cli_table_heads(table, ...) cli_table_words(table, (const char *const[]){ __VA_ARGS__, NULL })
void cli_table_words(struct cli_table *table, const char *const *words);
/* Prints with `indent` blanks before each row, and frees. 0 or -ENOMEM when a cell was lost. */
int cli_table_print(struct cli_table *table, FILE *out, int indent);

/* ---- a progress line on stderr: only on a terminal, only after a second ---- */

struct cli_progress {
	const char *what;     /* "merging" */
	uint64_t total;       /* 0: unknown */
	uint64_t start_ns, shown_ns;
	int enabled, shown;
};
void cli_progress_begin(struct cli_progress *progress, const char *what, uint64_t total);
/* Cheap enough for every few thousand records. */
void cli_progress_at(struct cli_progress *progress, uint64_t done);
void cli_progress_end(struct cli_progress *progress);

/* ---- JSON ---- */

/* `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void cli_json_string(FILE *out, const char *text);

#endif
