/*
 * env_forms.c - see the header.
 *
 * RAY starts its workers from a daemon, with an environment that a job can add to. A driver that
 * finds RAY_JOB_CONFIG_JSON_ENV_VAR takes its job's runtime_env from it, so nothing is to be changed in
 * a program that calls ray.init() itself. SLURM parts --export at commas, but not within quotes
 * that enclose a whole NAME=VALUE. SYSTEMD reads Environment= with C escapes and its own %.
 */
#include "tools/env_forms.h"

#include <errno.h>
#include <string.h>

void env_add_word(struct buffer *out, const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

	if (*text && !text[strspn(text, plain)]) {
		buffer_add(out, text, strlen(text));
		return;
	}
	buffer_add(out, "'", 1);
	for (; *text; text++)
		if (*text == '\'')
			buffer_add(out, "'\\''", 4);
		else
			buffer_add(out, text, 1);
	buffer_add(out, "'", 1);
}

/* The pairs as a JSON object in one line. */
static void add_object(struct buffer *out, const struct surround *surround)
{
	for (size_t i = 0; i < surround->count; i++) {
		buffer_print(out, "%s\"%s\": \"", i ? ", " : "{", surround->pairs[i].name);
		buffer_add_json(out, surround->pairs[i].value);
		buffer_add(out, "\"", 1);
	}
	buffer_add(out, "}", 1);
}

/* Puts the whole of `text`, which is given back, into `out` as a word for a shell. */
static void add_word_of(struct buffer *out, struct buffer *text)
{
	buffer_add(text, "", 1);
	if (text->error)
		out->error = text->error;
	else
		env_add_word(out, text->data);
	buffer_free(text);
}

/* What a place of its own finds in LD_PRELOAD: nothing of ours but the library. */
static const char *value_elsewhere(const struct surround *surround, size_t i)
{
	return strcmp(surround->pairs[i].name, "LD_PRELOAD") ? surround->pairs[i].value : surround->library;
}

static int put_shell(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why)
{
	(void)why;
	for (size_t i = 0; i < surround->count; i++) {
		buffer_print(out, "export %s=", surround->pairs[i].name);
		env_add_word(out, surround->pairs[i].value);
		buffer_add(out, "\n", 1);
	}
	buffer_print(remarks,
		"Every program that is started from now on is traced if it uses CUDA; to end that:\nunset");
	for (size_t i = 0; i < surround->count; i++)
		buffer_print(remarks, " %s", surround->pairs[i].name);
	buffer_print(remarks, "\n");
	return 0;
}

static int put_ray(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why)
{
	struct buffer job = { 0 };

	(void)why;
	buffer_print(&job, "{\"runtime_env\": {\"env_vars\": ");
	add_object(&job, surround);
	buffer_print(&job, "}}");
	buffer_print(out, "export RAY_JOB_CONFIG_JSON_ENV_VAR=");
	add_word_of(out, &job);
	buffer_print(out, "\n");
	buffer_print(remarks,
		"In the shell that starts the driver; the library and the folder are those of each worker's machine.\n"
		"In Python instead: ray.init(runtime_env={\"env_vars\": ...}) with what `vprof env --json` prints;\n"
		"for a job: ray job submit --runtime-env-json with the same. Raylets that were started with these\n"
		"variables hand them to their workers too, unless RAY_LD_PRELOAD_ON_WORKERS=0 takes LD_PRELOAD "
		"away.\n");
	return 0;
}

static int put_docker(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why)
{
	const char *folder = surround->pairs[1].value;
	struct buffer word = { 0 };

	if (strchr(folder, ':')) {
		*why = "the folder's path has a colon, which -v takes for its own";
		return -EINVAL;
	}
	buffer_print(out, "-v %s:%s:ro -v ", surround->library, surround->library);
	buffer_print(&word, "%s:%s", folder, folder);
	add_word_of(out, &word);
	for (size_t i = 0; i < surround->count; i++) {
		buffer_print(out, " -e ");
		buffer_print(&word, "%s=%s", surround->pairs[i].name, value_elsewhere(surround, i));
		add_word_of(out, &word);
	}
	buffer_print(out, "\n");
	buffer_print(remarks,
		"For docker run, before the image. Make the folder first, as one that the container's user may\n"
		"write. With --ipc=host rings may lie in memory (--ring-at shm), and the links in the folder hold\n"
		"outside; a container's own /dev/shm (--shm-size) ends with it, and its rings as well.\n");
	return 0;
}

static int put_slurm(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why)
{
	struct buffer word = { 0 };

	buffer_print(&word, "--export=ALL");
	for (size_t i = 0; i < surround->count; i++) {
		const struct surround_pair *pair = &surround->pairs[i];
		const char *quote = strchr(pair->value, ',') ? "\"" : "";

		if (strpbrk(pair->value, "'\"\n")) {
			*why = "Slurm takes no quotes in --export: eval \"$(vprof env)\", then --export=ALL";
			buffer_free(&word);
			return -EINVAL;
		}
		buffer_print(&word, ",%s%s=%s%s", quote, pair->name, pair->value, quote);
	}
	add_word_of(out, &word);
	buffer_print(out, "\n");
	buffer_print(remarks,
		"For sbatch and srun. Where a node's /dev/shm has room the rings lie there, with links in the folder:\n"
		"merge on that node before the job ends, or take a local disk with --ring-at out.\n");
	return 0;
}

static int put_systemd(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why)
{
	(void)why;
	buffer_print(out, "[Service]\n");
	for (size_t i = 0; i < surround->count; i++) {
		buffer_print(out, "Environment=\"%s=", surround->pairs[i].name);
		for (const char *c = value_elsewhere(surround, i); *c; c++) {
			if (*c == '\n')
				buffer_add(out, "\\n", 2);
			else
				buffer_print(out, *c == '%' ? "%%%%" : *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		}
		buffer_print(out, "\"\n");
	}
	buffer_print(remarks,
		"As /etc/systemd/system/UNIT.service.d/vprof.conf; then systemctl daemon-reload and restart UNIT.\n"
		"The unit's user needs to write the folder; with ProtectSystem= it needs ReadWritePaths= as well.\n");
	return 0;
}

static int put_json(struct buffer *out, struct buffer *remarks, const struct surround *surround, const char **why)
{
	(void)remarks;
	(void)why;
	add_object(out, surround);
	buffer_print(out, "\n");
	return 0;
}

const struct env_form env_forms[ENV_FORMS] = {
	[ENV_SHELL] = { "shell", "for a shell, the default: eval \"$(vprof env)\"", put_shell, 0, NULL },
	[ENV_RAY] = { "ray", "for the workers of a Ray driver: eval \"$(vprof env --ray)\"", put_ray, 0, NULL },
	[ENV_DOCKER] = { "docker", "options of docker run", put_docker, 1, "out" },
	[ENV_SLURM] = { "slurm", "the option of sbatch and srun", put_slurm, 1, NULL },
	[ENV_SYSTEMD] = { "systemd", "a drop-in file for a unit", put_systemd, 0, NULL },
	[ENV_JSON] = { "json", "a JSON object, as Ray's env_vars takes it", put_json, 1, NULL },
};
