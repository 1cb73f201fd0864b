/*
 * run_report.c - see the header.
 *
 * A program that left no ring either made no CUDA call or did not load the library. Of the
 * second some cases can be told by looking at its file: then that is said, and not a list.
 */
#include "tools/run_report.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "tools/cli.h"

/* ---- what was recorded ---- */

/* With commas between thousands. */
static const char *number(char text[32], uint64_t value)
{
	char digits[24];
	int n = snprintf(digits, sizeof(digits), "%" PRIu64, value);
	char *p = text;

	for (int i = 0; i < n; i++) {
		if (i && (n - i) % 3 == 0)
			*p++ = ',';
		*p++ = digits[i];
	}
	*p = '\0';
	return text;
}

static void put_count(uint64_t value, const char *one, const char *many)
{
	char text[32];

	fprintf(stderr, "%s %s", number(text, value), cli_word(value, one, many));
}

static void put_lost(const struct recorded *recorded)
{
	char text[32];
	const char *between = ", lost: ";

	if (!recorded->lost)
		fputs(", nothing lost", stderr);
	for (int i = 0; i < VPROF_LOSS_COUNT; i++) {
		if (!recorded->loss[i])
			continue;
		fprintf(stderr, "%s%s %s", between, number(text, recorded->loss[i]),
			ring_loss_name((enum vprof_loss)i));
		between = ", ";
	}
}

void run_report_off(const struct recorded *recorded)
{
	fputs("vprof: nothing recorded: ", stderr);
	put_count(recorded->processes, "process", "processes");
	fputs(", in which recording was never on; `vprof start` switches it on while they run\n", stderr);
}

void run_report(const struct recorded *recorded)
{
	char text[32];

	fputs("vprof: ", stderr);
	put_count(recorded->processes, "process", "processes");
	if (recorded->running)
		fprintf(stderr, " (%s still running)", number(text, recorded->running));
	if (recorded->unreadable) {
		fputs(", ", stderr);
		put_count(recorded->unreadable, "unreadable ring", "unreadable rings");
	}
	if (recorded->copies) {
		fputs(", ", stderr);
		put_count(recorded->copies, "copy of a ring", "copies of rings");
	}
	fputs(", ", stderr);
	put_count(recorded->records, "record", "records");
	if (recorded->overwritten)
		fprintf(stderr, " (the oldest %s overwritten)", number(text, recorded->overwritten));
	fputs(", ", stderr);
	put_count(recorded->launches, "launch", "launches");
	fputs(", ", stderr);
	put_count(recorded->graph_launches, "graph launch", "graph launches");
	put_lost(recorded);
	fputc('\n', stderr);
}

/* ---- why there may be nothing ---- */

/* Programs that do not hand on the environment, or hand it to another machine. */
static const struct {
	const char *name, *why;
} messengers[] = {
	{ "sudo", "sudo resets the environment: turn it around, `sudo vprof run -- ...`" },
	{ "su", "su resets the environment: run vprof inside it" },
	{ "doas", "doas resets the environment: turn it around, `doas vprof run -- ...`" },
	{ "docker", "a container has an environment of its own: see `vprof env --docker`" },
	{ "podman", "a container has an environment of its own: see `vprof env --docker`" },
	{ "nerdctl", "a container has an environment of its own: see `vprof env --docker`" },
	{ "sbatch", "the job's environment is Slurm's: see `vprof env --slurm`" },
	{ "srun", "the job's environment is Slurm's: see `vprof env --slurm`" },
	{ "systemctl", "a unit has an environment of its own: see `vprof env --systemd`" },
	{ "systemd-run", "a unit has an environment of its own: see `vprof env --systemd`" },
	{ "ray", "Ray's workers have an environment of their own: see `vprof env --ray`" },
	{ "ssh", "the other machine has an environment of its own: run vprof there" },
};

static int find_program(const char *program, char *path, size_t size)
{
	const char *folders = getenv("PATH");

	if (strchr(program, '/'))
		return snprintf(path, size, "%s", program) < (int)size;
	for (const char *p = folders ? folders : "/usr/local/bin:/usr/bin:/bin"; *p; p += *p == ':') {
		int length = (int)strcspn(p, ":");

		if (snprintf(path, size, "%.*s/%s", length, p, program) < (int)size && !access(path, X_OK))
			return 1;
		p += length;
	}
	return 0;
}

/* Reads the program's header `type`; 1 when it has one. */
static int find_segment(int fd, const Elf64_Ehdr *elf, uint32_t type, Elf64_Phdr *found)
{
	for (int i = 0; i < elf->e_phnum; i++)
		if (pread(fd, found, sizeof(*found), (off_t)(elf->e_phoff + (uint64_t)i * elf->e_phentsize)) ==
		    sizeof(*found) && found->p_type == type)
			return 1;
	return 0;
}

/* Why the loader that this file asks for does not load us; NULL: no reason to be seen. */
static const char *why_not_loaded(int fd)
{
	char interpreter[64] = "";
	Elf64_Phdr segment;
	Elf64_Ehdr elf;

	if (pread(fd, &elf, sizeof(elf), 0) != sizeof(elf) || memcmp(elf.e_ident, ELFMAG, SELFMAG))
		return NULL;
	if (elf.e_ident[EI_CLASS] != ELFCLASS64)
		return "it is a 32-bit program";
	if (elf.e_phentsize < sizeof(segment))
		return NULL;
	if (!find_segment(fd, &elf, PT_INTERP, &segment))
		return find_segment(fd, &elf, PT_DYNAMIC, &segment) ? NULL :
		       "it is statically linked, and so has no loader that heeds LD_PRELOAD";
	if (pread(fd, interpreter, sizeof(interpreter) - 1, (off_t)segment.p_offset) > 0 && strstr(interpreter, "musl"))
		return "it runs on musl, and the library needs glibc";
	return NULL;
}

static const char *why_not_program(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *why = NULL;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && (st.st_mode & (S_ISUID | S_ISGID)))
		why = "it runs with raised privileges, and the loader then ignores LD_PRELOAD";
	else
		why = why_not_loaded(fd);
	close(fd);
	return why;
}

/* What was asked for. */
static int tell_unwanted(const struct env_choice *choice)
{
	const char *procs = env_row_value(choice, ENV_ROW_procs);

	if (!env_row_on(choice, ENV_ROW_enable))
		fprintf(stderr, "vprof: nothing recorded: %s is 0\n", env_row_name(ENV_ROW_enable));
	else if (procs && *procs && strcmp(procs, "*"))
		fprintf(stderr, "vprof: nothing recorded: no process that fits %s=%s called the CUDA driver with the "
			"library loaded\n", env_row_name(ENV_ROW_procs), procs);
	else
		return 0;
	return 1;
}

void run_report_nothing(const char *program, const struct env_choice *choice)
{
	const char *base = strrchr(program, '/'), *why = NULL;
	char path[PATH_MAX];

	if (tell_unwanted(choice))
		return;
	base = base ? base + 1 : program;
	for (size_t i = 0; i < sizeof(messengers) / sizeof(messengers[0]) && !why; i++)
		if (!strcmp(messengers[i].name, base))
			why = messengers[i].why;
	if (!why && find_program(program, path, sizeof(path)))
		why = why_not_program(path);
	fprintf(stderr, "vprof: nothing recorded: no process called the CUDA driver with the library loaded\n");
	if (why)
		fprintf(stderr, "vprof: %s: %s\n", base, why);
	else
		fprintf(stderr,
			"vprof: if one did use CUDA, LD_PRELOAD did not reach it: sudo resets the environment, static\n"
			"vprof: programs and those of another libc ignore it, containers and Ray's workers have an\n"
			"vprof: environment of their own (`vprof env --docker`, `vprof env --ray`)\n");
}
