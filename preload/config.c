/*
 * config.c - parses VPROF_* by the rows of env.def.
 */
#include <string.h>
#include <sys/auxv.h>
#include "preload/capture.h"
#include "preload/config.h"
#include "preload/inner.h"
#include "preload/text.h"
#include "vprof/times.h"

enum type { TEXT, COUNT, SWITCH, GROUPS, SAMPLE, WINDOW };
enum { GPU_PARTS_MOST = 8 };

struct row {
	const char *name;
	enum type type;
	uint32_t offset, size; /* of the field in struct vprof_config */
	const char *initial;
};

static const struct row rows[] = {
#define VPROF_ENV(name, type, field, initial, help)                                  \
	{ #name, type, offsetof(struct vprof_config, field),                         \
	  sizeof(((struct vprof_config *)0)->field), initial },
#include "vprof/env.def"
#undef VPROF_ENV
};

struct vprof_config vprof_config;

/* The row whose value could not be used, and that value; one is enough to say. */
static const struct row *bad_row;
static char bad_value[64];

extern char **environ;

static int parse_count(const char *text, uint64_t *value)
{
	uint64_t n = 0;

	if (!*text)
		return -1;
	for (; *text; text++) {
		if (*text < '0' || *text > '9' || n > (UINT64_MAX - 9) / 10)
			return -1;
		n = n * 10 + (uint64_t)(*text - '0');
	}
	*value = n;
	return 0;
}

static int parse_switch(const char *text, uint64_t *value)
{
	static const char *const words[2][5] = {
		{ "0", "off", "no", "false", "" },
		{ "1", "on", "yes", "true", "1" },
	};

	for (unsigned v = 0; v < 2; v++)
		for (unsigned i = 0; i < ARRAY_SIZE(words[v]); i++)
			if (!strcmp(text, words[v][i])) {
				*value = v;
				return 0;
			}
	return -1;
}

/* The bits that `name` of this length stands for; 0: no such group. */
static uint64_t group_bits(const char *name, size_t length)
{
	static const char names[][8] = {
#define VPROF_GROUP_ROW(group, name, what) [VPROF_GROUP_##group] = name,
#include "vprof/group.def"
#undef VPROF_GROUP_ROW
	};

	if (length == 3 && !strncmp(name, "all", length))
		return VPROF_GROUP_BIT(VPROF_GROUP_COUNT) - 1;
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == length && !strncmp(name, names[i], length))
			return VPROF_GROUP_BIT(i);
	return 0;
}

static int parse_groups(const char *text, uint64_t *value)
{
	uint64_t groups = 0, bits;

	if (*text && strcmp(text, "none"))
		for (const char *name = text;; name++) {
			size_t length = strcspn(name, ",");

			bits = group_bits(name, length);
			if (!bits)
				return -1;
			groups |= bits;
			name += length;
			if (!*name)
				break;
		}
	*value = groups;
	return 0;
}

static int parse_sample(const char *text, uint64_t *value)
{
	static const char sample[] = "sample:";
	uint64_t n = VPROF_GPU_OFF;

	if (!strcmp(text, "all"))
		n = VPROF_GPU_ALL;
	else if (!strcmp(text, "sample"))
		n = VPROF_GPU_SAMPLE;
	else if (!strncmp(text, sample, sizeof(sample) - 1)) {
		if (parse_count(text + sizeof(sample) - 1, &n) || !n || n > INT32_MAX)
			return -1;
	} else if (strcmp(text, "off"))
		return -1;
	*value = n;
	return 0;
}

/* So long, once in so long. */
static int parse_window(const char *text, struct vprof_gpu_window *window)
{
	uint64_t open = 0, period = 0;
	const char *end;

	if (!strcmp(text, "always")) {
		open = period = VPROF_NS_A_SECOND;
	} else if (strcmp(text, "off")) {
		end = vprof_parse_time(text, &open);
		end = end && *end == '/' ? vprof_parse_time(end + 1, &period) : NULL;
		if (!end || *end || open < 1000 || open > period || period / 1000 > UINT32_MAX)
			return -1;
	}
	*window = (struct vprof_gpu_window){ (uint32_t)(open / 1000), (uint32_t)(period / 1000) };
	return 0;
}

static int parse(const struct row *row, const char *text)
{
	char *field = (char *)&vprof_config + row->offset;
	size_t length = strlen(text);

	switch (row->type) {
	case TEXT:
		if (length >= row->size)
			return -1;
		memcpy(field, text, length + 1);
		return 0;
	case COUNT:
		return parse_count(text, (uint64_t *)(void *)field);
	case SWITCH:
		return parse_switch(text, (uint64_t *)(void *)field);
	case GROUPS:
		return parse_groups(text, (uint64_t *)(void *)field);
	case SAMPLE:
		return parse_sample(text, (uint64_t *)(void *)field);
	case WINDOW:
		return parse_window(text, (struct vprof_gpu_window *)(void *)field);
	}
	return -1;
}

static void parse_entry(const char *entry)
{
	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		size_t length = strlen(row->name);

		if (strncmp(entry, row->name, length) || entry[length] != '=')
			continue;
		if (parse(row, entry + length + 1)) {
			bad_row = row;
			strncpy(bad_value, entry + length + 1, sizeof(bad_value) - 1);
		}
	}
}

AT_LOAD_DATA static int done;
AT_LOAD_DATA static int is_initial; /* the constructor found nothing; written by it alone */

/*
 * Every shell and compiler comes here, so nothing is written where it need not be: where there is nothing for us,
 * the initial values are written when the ring is made, by the thread that makes it.
 */
AT_LOAD void vprof_config_load(void)
{
	AT_LOAD_DATA static char prefix[] = "VPROF_";
	char **e = environ;

	if (__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		return;
	while (e && *e && !vprof_text_behind(*e, prefix))
		e++;
	if ((e && *e) || getauxval(AT_SECURE))
		vprof_config_read();
	else
		is_initial = 1;
}

AT_LOAD int vprof_config_is_initial(void)
{
	return is_initial;
}

void vprof_config_read(void)
{
	/* Asked for each range: a store each time would have the threads fight for the line. */
	if (__atomic_load_n(&done, __ATOMIC_ACQUIRE) || __atomic_exchange_n(&done, 1, __ATOMIC_ACQ_REL))
		return;
	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++)
		parse(row, row->initial);
	/* /etc/ld.so.preload has us in setuid programs as well, whose environment is another user's. */
	if (getauxval(AT_SECURE)) {
		vprof_config.enable = 0;
		return;
	}
	for (char **e = is_initial ? NULL : environ; e && *e; e++)
		if (!strncmp(*e, "VPROF_", 6))
			parse_entry(*e);
	if (!vprof_config.out[0])
		strcpy(vprof_config.out, "out");
	vprof_capture_init();
}

void vprof_config_complain(void)
{
	vprof_capture_complain();
	if (!bad_row)
		return;
	vprof_log("%s=%s is not understood; %s holds", bad_row->name, bad_value, bad_row->initial);
	bad_row = NULL;
}

int vprof_enabled(void)
{
	if (vprof_config_is_initial())
		return 1;
	vprof_config_read();
	return vprof_config.enable != 0;
}

int vprof_wants_facts(void)
{
	return vprof_config.facts != 0;
}

int vprof_saves_modules(void)
{
	return vprof_config.save_modules != 0;
}

uint32_t vprof_gpu_start(void)
{
	return (uint32_t)vprof_config.gpu;
}

uint32_t vprof_gpu_twins(void)
{
	return vprof_config.gpu_twins < UINT32_MAX ? (uint32_t)vprof_config.gpu_twins : UINT32_MAX;
}

uint32_t vprof_gpu_parts(void)
{
	uint64_t parts = vprof_config.gpu_parts;

	return parts < GPU_PARTS_MOST ? (uint32_t)parts : GPU_PARTS_MOST;
}
