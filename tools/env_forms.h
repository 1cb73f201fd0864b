/*
 * env_forms.h - the environment of a traced program in the forms that others take.
 *
 * A form is a row of the table, and an option of `vprof env` of its name. What it prints can be used
 * as it is. Remarks are comments in it, where it has comments; where it is words for a
 * command line, they go to standard error.
 */
#ifndef VPROF_TOOLS_ENV_FORMS_H
#define VPROF_TOOLS_ENV_FORMS_H

#include "tools/surround.h"
#include "tools/text.h"

enum env_form_kind { ENV_SHELL, ENV_RAY, ENV_DOCKER, ENV_SLURM, ENV_SYSTEMD, ENV_JSON, ENV_FORMS };

struct env_form {
	const char *name, *help;
	/* Appends to `out`, and remarks without '#' to `remarks`, a line each; 0, or -EINVAL with `why`. */
	int (*put)(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why);
	int is_words;           /* no place for a comment */
	const char *ring_at;    /* where rings should lie unless somebody says otherwise; NULL: as ever */
};

extern const struct env_form env_forms[ENV_FORMS];

/* A word for a shell, in single quotes where it would not take it as it is. */
void env_add_word(struct buffer *out, const char *text);

#endif
