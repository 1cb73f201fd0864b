/*
 * verify_cupti.c - reads what the recorder of CUPTI's activities wrote.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/verify_read.h"

enum { GRAPH_FIELD = 5, START_FIELD = 7, END_FIELD = 8, SHAPE_FIELD = 9, FIELDS = 15, FIELDS_UNSHAPED = SHAPE_FIELD };

/* No execution takes longer, 26 days: sums of what a file says stay within 64 bits. */
#define LONGEST_NS (1ull << 51)

struct reading {
	struct verify *verify;
	struct verify_source *source;
	uint32_t process;
};

/* Parts a line at its tabs; how many fields it has, FIELDS + 1 when there are more. */
static int split(char *line, char *fields[FIELDS])
{
	int count = 0;

	for (char *at = line; at; count++) {
		char *field = strsep(&at, "\t");

		if (count == FIELDS)
			return FIELDS + 1;
		fields[count] = field;
	}
	return count;
}

static int number(const char *text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno ? -EINVAL : 0;
}

static int read_shape(char *const fields[], struct verify_shape *shape)
{
	uint64_t value;

	for (int i = 0; i < 6; i++) {
		if (number(fields[i], &value) || value > UINT32_MAX)
			return -EINVAL;
		*(i < 3 ? &shape->grid[i] : &shape->block[i - 3]) = (uint32_t)value;
	}
	return 0;
}

static int kind_of(const char *word)
{
	for (int kind = 0; kind < VERIFY_KINDS; kind++)
		if (!strcmp(verify_kinds[kind], word))
			return kind;
	return -EINVAL;
}

static int read_remark(struct reading *reading, const char *line)
{
	struct verify_source *source = reading->source;
	uint64_t lost;

	if (!strncmp(line, "# error ", 8) && !*source->error)
		snprintf(source->error, sizeof(source->error), "%s", line + 8);
	if (!strncmp(line, "# dropped ", 10) && !number(line + 10, &lost))
		reading->verify->ops[VERIFY_CUPTI].lost += lost;
	return 0;
}

/* 0, -ENOMEM, or -EINVAL for a line that is none. */
static int read_execution(struct reading *reading, char *line)
{
	struct verify_op op = { .process = reading->process };
	char *fields[FIELDS];
	uint64_t graph, end;
	int kind, error, count = split(line, fields);

	if (count != FIELDS_UNSHAPED && (count != FIELDS || read_shape(fields + SHAPE_FIELD, &op.shape)))
		return -EINVAL;
	kind = kind_of(fields[0]);
	if (kind < 0 || number(fields[GRAPH_FIELD], &graph) || number(fields[START_FIELD], &op.start_ns) ||
	    number(fields[END_FIELD], &end) || end < op.start_ns ||
	    end - op.start_ns > LONGEST_NS || graph > UINT32_MAX)
		return -EINVAL;
	op.kind = (uint16_t)kind;
	op.graph = (uint32_t)graph;
	op.ns = end - op.start_ns;
	error = verify_name(reading->verify, fields[1], &op.name);
	if (!error)
		error = verify_add(reading->verify, VERIFY_CUPTI, &op);
	if (!error)
		reading->source->executions++;
	return error;
}

static int read_lines(struct reading *reading, FILE *file)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t length;
	int error = 0;

	while (error != -ENOMEM && (length = getline(&line, &room, file)) > 0) {
		/* The last one may be torn: its process was killed. */
		if (line[length - 1] != '\n')
			break;
		line[length - 1] = '\0';
		error = *line == '#' ? read_remark(reading, line) : read_execution(reading, line);
		reading->source->bad += error == -EINVAL;
	}
	free(line);
	return error == -ENOMEM ? error : ferror(file) ? -EIO : 0;
}

static int read_file(struct reading *reading, const char *folder, const char *name, const char *program)
{
	uint64_t bad = reading->source->bad;
	FILE *file;
	char *path;
	int error;

	if (asprintf(&path, "%s/%s", folder, name) < 0)
		return -ENOMEM;
	file = fopen(path, "re");
	error = file ? read_lines(reading, file) : -errno;
	if (error)
		fprintf(stderr, "%s: %s: %s\n", program, path, strerror(-error));
	else if (!reading->verify->reread && reading->source->bad > bad)
		fprintf(stderr, "%s: %s: %llu lines that are no execution\n", program, path,
			(unsigned long long)(reading->source->bad - bad));
	if (file)
		fclose(file);
	free(path);
	return error;
}

static int is_tsv(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && !strcmp(dot, ".tsv");
}

int verify_read_cupti(struct verify *verify, struct verify_source *source, const char *folder, const char *program)
{
	struct reading reading = { .verify = verify, .source = source };
	struct dirent **names;
	int count = scandir(folder, &names, is_tsv, alphasort), error = 0;

	*source = (struct verify_source){ 0 };
	if (count < 0) {
		error = -errno;
		fprintf(stderr, "%s: %s: %s\n", program, folder, strerror(-error));
		return error;
	}
	for (int i = 0; i < count; i++) {
		reading.process = (uint32_t)i;
		if (!error)
			error = read_file(&reading, folder, names[i]->d_name, program);
		free(names[i]);
	}
	free(names);
	source->processes = (size_t)count;
	return error;
}
