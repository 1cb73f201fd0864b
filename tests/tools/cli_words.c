/*
 * cli_words.c - options, times, sizes, nearest words, tables.
 */
#include "tests/tap.h"
#include "tools/cli.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct values {
	int json, verbose;
	const char *out;
	uint64_t count, size;
	struct cli_time last, from;
	struct cli_list pids;
};

#define FIELD(name) offsetof(struct values, name)

static const struct cli_option options[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "as JSON" },
	{ "verbose", 'v', CLI_FLAG, FIELD(verbose), NULL, "more" },
	{ "output", 'o', CLI_TEXT, FIELD(out), "FILE", "where to" },
	{ "count", 0, CLI_COUNT, FIELD(count), "N", "how many" },
	{ "size", 0, CLI_SIZE, FIELD(size), "BYTES", "how large" },
	{ "last", 'l', CLI_TIME, FIELD(last), "TIME", "how long" },
	{ "from", 0, CLI_MOMENT, FIELD(from), "TIME", "from when" },
	{ "pid", 'p', CLI_LIST, FIELD(pids), "PID", "whose" },
	{ 0 },
};
static const struct cli_command command = { "test", "FILE...", "Tests.", NULL, options };

/* Parses the words of `line`, which are kept in `argv`. */
static int parse(struct values *v, char *line, char **argv)
{
	int argc = 1;

	argv[0] = (char *)"test";
	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	memset(v, 0, sizeof(*v));
	return cli_parse(&command, v, argc, argv);
}

static void check_parse(void)
{
	struct values v;
	char *argv[32];
	char mixed[] = "a -jv -oX b --count=7 --size 2k --last 1.5 -- -c --d";
	char before[] = "--from -2s", after[] = "--from=2";
	char joined[] = "-p 1,2 --pid=3 -l5ms --out Y";

	ok(parse(&v, mixed, argv) == 4, "options and operands mixed");
	ok(!strcmp(argv[1], "a") && !strcmp(argv[2], "b") && !strcmp(argv[3], "-c") && !strcmp(argv[4], "--d"), "operands in their order");
	ok(v.json && v.verbose && !strcmp(v.out, "X") && v.count == 7 && v.size == 2048 && v.last.ns == 1500000000 && v.last.given, "values");
	ok(parse(&v, joined, argv) == 0, "no operand");
	ok(v.pids.count == 3 && cli_list_has(&v.pids, "2") && cli_list_has(&v.pids, "3") && !cli_list_has(&v.pids, "1,2"), "a list from commas and repeats");
	ok(v.last.ns == 5000000 && !strcmp(v.out, "Y"), "argument in the word; a name cut short");
	cli_list_free(&v.pids);
	ok(parse(&v, before, argv) == 0 && v.from.given && v.from.before && v.from.ns == 2000000000,
	   "a moment before the end");
	ok(parse(&v, after, argv) == 0 && !v.from.before && v.from.ns == 2000000000 && !v.last.given,
	   "a moment after the beginning");
}

/* What `parse` of the line says on standard error goes into `said`. */
static int parse_quietly(struct values *v, char *line, char **argv, char *said, size_t size)
{
	int saved = dup(STDERR_FILENO), file = memfd_create("said", 0), code;
	ssize_t n;

	fflush(stderr);
	dup2(file, STDERR_FILENO);
	code = parse(v, line, argv);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	n = pread(file, said, size - 1, 0);
	said[n > 0 ? n : 0] = '\0';
	close(file);
	close(saved);
	return code;
}

static void check_wrong(void)
{
	static const char *const lines[] = {
		"--jsn", "-x", "--output", "-o", "--json=1", "--count 1.5", "--count -1", "--count x",
		"--size 5x", "--size 99999999999G", "--last 5parsecs", "--last", "--", "--last .",
		"--last -5s", "--from --5s", "--from -",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char line[64], said[512], *argv[32];
		struct values v;
		int wanted = strcmp(lines[i], "--") ? CLI_STOP(CLI_USAGE) : 0;

		snprintf(line, sizeof(line), "%s", lines[i]);
		ok(parse_quietly(&v, line, argv, said, sizeof(said)) == wanted, "'%s' ends with code %d", lines[i],
		   wanted ? CLI_USAGE : 0);
		ok(wanted ? strstr(said, "test: ") == said && strstr(said, "Try 'test --help'.") : !*said,
		   "'%s' says what is wrong, or nothing", lines[i]);
		cli_list_free(&v.pids);
	}
}

static void check_values(void)
{
	static const struct { const char *text; int64_t ns; } times[] = {
		{ "5s", 5000000000 }, { "200ms", 200000000 }, { "1.5", 1500000000 }, { "10us", 10000 },
		{ "7ns", 7 }, { "2m", 120000000000 }, { "1h", 3600000000000 }, { ".5s", 500000000 },
		{ "0", 0 }, { "0.000000001", 1 }, { "5x", -1 }, { "", -1 }, { "s", -1 }, { "1 s", -1 },
		{ "-5s", -1 }, { "99999999999999", -1 }, { "5.s", 5000000000 },
	};
	static const struct { const char *text; uint64_t bytes; } sizes[] = {
		{ "0", 0 }, { "4096", 4096 }, { "64K", 65536 }, { "1.5M", 1572864 }, { "2GiB", 2147483648 },
		{ "1b", 1 }, { "18446744073709551615", UINT64_MAX }, { "1T", 1ull << 40 },
	};
	char text[32];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		int64_t ns = -1;

		cli_parse_time(times[i].text, &ns);
		ok(ns == times[i].ns, "time '%s' is %" PRId64, times[i].text, ns);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t bytes = 1234567;

		ok(!cli_parse_size(sizes[i].text, &bytes) && bytes == sizes[i].bytes, "size '%s' is %" PRIu64, sizes[i].text, bytes);
	}
	ok(!strcmp(cli_size_text(text, sizeof(text), 67108864), "64 MiB"), "64 MiB");
	ok(!strcmp(cli_size_text(text, sizeof(text), 1572864), "1.5 MiB"), "1.5 MiB");
	ok(!strcmp(cli_size_text(text, sizeof(text), 17), "17 B"), "17 B");
	ok(!strcmp(cli_time_text(text, sizeof(text), 12345678), "12.3 ms"), "12.3 ms");
}

static void check_nearest(void)
{
	static const char *const words[] = { "dump", "info", "help" };

	ok(!strcmp(cli_nearest("dmup", words, 3), "dump"), "nearest to dmup");
	ok(!strcmp(cli_nearest("inf", words, 3), "info"), "nearest to inf");
	ok(!cli_nearest("zzzzzz", words, 3), "nothing near zzzzzz");
}

static void check_table(void)
{
	struct cli_table *table = cli_table_new("lr");
	char text[256] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	cli_table_cell(table, "name");
	cli_table_cell(table, "N");
	cli_table_cell(table, "µs");
	cli_table_cell(table, "%d", 12345);
	ok(!cli_table_print(table, out, 1), "table prints");
	fclose(out);
	ok(!strcmp(text, " name      N\n µs    12345\n"), "columns are aligned");
	text[0] = '\0';
	out = fmemopen(text, sizeof(text), "w");
	cli_json_string(out, "a\"b\\\n\001\xff");
	fclose(out);
	ok(!strcmp(text, "\"a\\\"b\\\\\\u000a\\u0001\\ufffd\""),
	   "JSON string: %s", text);
}

int main(void)
{
	check_parse();
	check_wrong();
	check_values();
	check_nearest();
	check_table();
	return done_testing();
}
