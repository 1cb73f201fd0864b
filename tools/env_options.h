/*
 * env_options.h - the rows of env.def as options of a command line: VPROF_RING_MB is --ring-mb.
 *
 * For the commands that set a program's surroundings (vprof run, vprof env). A new row of env.def
 * is an option of both without more. A SWITCH takes no further word: --facts is 1, --facts=0 is 0.
 * VPROF_OUT is no such option: each command has its own idea of the folder, and stores it here.
 */
#ifndef VPROF_TOOLS_ENV_OPTIONS_H
#define VPROF_TOOLS_ENV_OPTIONS_H

#include "tools/cli.h"

enum env_row {
#define VPROF_ENV(name, type, field, fallback, help) ENV_ROW_##field,
#include "vprof/env.def"
#undef VPROF_ENV
	ENV_ROWS,
	ENV_OPTIONS = ENV_ROWS - 1 /* all but VPROF_OUT */
};

/* By row: the value that an option gave, NULL where none did. Points into argv. */
struct env_choice {
	const char *value[ENV_ROWS];
};

/* Fills `rows` with the options; `offset` is that of the struct env_choice in the command's values. */
void env_options_fill(struct cli_option rows[ENV_OPTIONS], size_t offset);

/* Complains of values that libvprof.so would not take; CLI_OK or CLI_USAGE. */
int env_options_check(const struct cli_command *command, const struct env_choice *choice);

/* "VPROF_RING_MB" */
const char *env_row_name(enum env_row row);

/* What a program will find: the option's value, else that of our own environment, else NULL. */
const char *env_row_value(const struct env_choice *choice, enum env_row row);

/* Of a SWITCH: is it on? */
int env_row_on(const struct env_choice *choice, enum env_row row);

#endif
