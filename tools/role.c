/*
 * role.c - what a process is for.
 */
#include "tools/role.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/process.h"

enum place { PLACE_FRONT, PLACE_ENGINE, PLACE_OTHER };

/* By what stands in the command line. The first that fits. */
static const struct known_command {
	const char *words, *role;
	enum place place;
} commands[] = {
	{ "vllm serve", "API server", PLACE_FRONT },
	{ "vllm.entrypoints.", "API server", PLACE_FRONT },
	{ "sglang.launch_server", "API server", PLACE_FRONT },
	{ "multiprocessing.resource_tracker", "resource tracker", PLACE_FRONT },
	{ "multiprocessing.forkserver", "fork server", PLACE_FRONT },
	{ "multiprocessing.spawn", "spawned python", PLACE_OTHER },
};

/* By what the role's name begins with. */
static const struct known_name {
	const char *name;
	enum place place;
} names[] = {
	{ "APIServer", PLACE_FRONT },
	{ "DPCoordinator", PLACE_FRONT },
	{ "EngineCore", PLACE_ENGINE },
	{ "scheduler", PLACE_ENGINE },
};

/* Variables in which launchers say which rank a process is; the first that is there. */
static const char *const rank_variables[] = {
	"RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID", "LOCAL_RANK",
};

static void set_name(struct role *role, const char *text, size_t size)
{
	if (size >= sizeof(role->name))
		size = sizeof(role->name) - 1;
	memcpy(role->name, text, size);
	role->name[size] = '\0';
}

/* "PREFIX::NAME", the prefix a word. */
static int from_title(struct role *role, const char *title)
{
	size_t prefix = strspn(title, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
	const char *name = title + prefix + 2;
	size_t size;

	if (!prefix || strncmp(title + prefix, "::", 2))
		return 0;
	size = strcspn(name, " ");
	if (!size)
		return 0;
	if (!strncmp(title, "ray::", 5))
		set_name(role, title, 5 + strcspn(name, " .("));
	else
		set_name(role, name, size);
	return 1;
}

static int from_known_command(struct role *role, const char *command)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strstr(command, commands[i].words))
			continue;
		set_name(role, commands[i].role, strlen(commands[i].role));
		role->place = commands[i].place;
		return 1;
	}
	return 0;
}

/* The word at `text`, without the folders before it. */
static void set_word(struct role *role, const char *text)
{
	size_t size = strcspn(text, " ");
	const char *slash = memrchr(text, '/', size);

	if (slash && slash + 1 < text + size) {
		size -= (size_t)(slash + 1 - text);
		text = slash + 1;
	}
	set_name(role, text, size);
}

static const char *next_word(const char *text)
{
	text += strcspn(text, " ");
	return text + strspn(text, " ");
}

/* What an interpreter runs: the module behind -m, or the first word that is no option. */
static const char *python_runs(const char *word)
{
	for (word = next_word(word); *word == '-'; word = next_word(word)) {
		if (!strncmp(word, "-m ", 3))
			return next_word(word);
		if (!strncmp(word, "-c ", 3))
			return NULL;
		if (!strncmp(word, "-X ", 3) || !strncmp(word, "-W ", 3))
			word = next_word(word);
	}
	return *word ? word : NULL;
}

static void from_program(struct role *role, const struct ring *ring)
{
	const char *command = ring->header.command, *runs;

	set_word(role, *command ? command : *ring->header.exe ? ring->header.exe : ring->live.comm);
	if (strncmp(role->name, "python", 6))
		return;
	runs = python_runs(command);
	if (runs)
		set_word(role, runs);
}

/* The rank that a name ends with: groups of capitals and a number, each after a _. */
static void rank_from_name(struct role *role)
{
	const char *at = role->name, *end = role->name + strlen(role->name);
	unsigned int groups = 0;
	size_t used = 0;

	while (end > at) {
		const char *digits = end, *letters;

		while (digits > at && isdigit((unsigned char)digits[-1]))
			digits--;
		for (letters = digits; letters > at && isupper((unsigned char)letters[-1]); letters--)
			;
		if (digits == end || letters == digits || letters == at || letters[-1] != '_')
			break;
		role->number = strtoll(digits, NULL, 10);
		end = letters - 1;
		groups++;
	}
	if (!groups)
		return;
	if (groups == 1) {
		snprintf(role->rank, sizeof(role->rank), "%lld", (long long)role->number);
		return;
	}
	role->number = -1;
	for (const char *p = end + 1; *p && used + 1 < sizeof(role->rank); p++)
		role->rank[used++] = *p == '_' ? ' ' : *p;
	role->rank[used] = '\0';
}

/* Of NAME=VALUE texts, each with a NUL, the value of `name`. */
static const char *variable(const char *texts, size_t size, const char *name)
{
	size_t length = strlen(name);

	for (const char *p = texts; p < texts + size; p += strlen(p) + 1)
		if (!strncmp(p, name, length) && p[length] == '=')
			return p + length + 1;
	return NULL;
}

static void rank_from_environment(struct role *role, uint32_t pid)
{
	enum { MOST = 256 << 10 };
	char *texts = malloc(MOST);
	long size = texts ? process_read(pid, "environ", texts, MOST) : 0;
	uint64_t number;

	for (size_t i = 0; size > 0 && i < sizeof(rank_variables) / sizeof(rank_variables[0]); i++) {
		const char *value = variable(texts, (size_t)size, rank_variables[i]);

		if (!value || cli_parse_count(value, &number) || number > INT32_MAX)
			continue;
		role->number = (int64_t)number;
		snprintf(role->rank, sizeof(role->rank), "%llu", (unsigned long long)number);
		break;
	}
	free(texts);
}

static void place_from_name(struct role *role)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(role->name, names[i].name, strlen(names[i].name)))
			role->place = names[i].place;
}

void role_make(struct role *role, const struct ring *ring, int here)
{
	*role = (struct role){ .number = -1, .place = PLACE_OTHER };
	/* A title takes the place of the arguments, so it may be known from there as well. */
	if (from_title(role, *ring->live.title ? ring->live.title : ring->header.command)) {
		place_from_name(role);
		rank_from_name(role);
	} else if (!from_known_command(role, ring->header.command)) {
		from_program(role, ring);
	}
	if (!*role->rank && role->place != PLACE_FRONT && here)
		rank_from_environment(role, ring->header.pid);
	if (!*role->name)
		set_name(role, "process", 7);
	cli_clean(role->name);
}

int role_matches(const struct role *role, const char *word)
{
	size_t size = strlen(word);

	if (!strncasecmp(word, "rank=", 5))
		return *role->rank && !fnmatch(word + 5, role->rank, 0);
	if (!fnmatch(word, role->name, FNM_CASEFOLD))
		return 1;
	return !strpbrk(word, "*?[") && !strncasecmp(role->name, word, size) && role->name[size] == '_';
}

int role_compare_rank(const struct role *a, const struct role *b)
{
	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	return strverscmp(a->rank, b->rank);
}

int role_compare(const struct role *a, const struct role *b)
{
	int order;

	if (a->place != b->place)
		return a->place < b->place ? -1 : 1;
	order = strverscmp(a->name, b->name);
	if (!order)
		order = (a->number > b->number) - (a->number < b->number);
	return order;
}
