/*
 * cmd_cubin.c - `vprof cubin`: the kernels in cubins, fatbins, and programs with GPU code.
 */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "tools/cli.h"
#include "tools/cubin.h"
#include "tools/demangle.h"
#include "tools/images.h"
#include "tools/verbs.h"

struct options {
	int json, sections, params, raw;
	const char *kernel, *arch;
};

#define FIELD(name) offsetof(struct options, name)

static const struct cli_option table[] = {
	{ "json", 'j', CLI_FLAG, FIELD(json), NULL, "a JSON array with an object for each cubin and PTX text" },
	{ "kernel", 'k', CLI_TEXT, FIELD(kernel), "PATTERN", "only kernels whose name fits, mangled or not: '*gemm*'" },
	{ "arch", 'a', CLI_TEXT, FIELD(arch), "ARCH", "only cubins for ARCH, as sm_90" },
	{ "params", 'p', CLI_FLAG, FIELD(params), NULL, "each parameter, as offset:size in bytes" },
	{ "sections", 's', CLI_FLAG, FIELD(sections), NULL, "the sections of each cubin too" },
	{ "raw-names", 0, CLI_FLAG, FIELD(raw), NULL, "kernel names as the cubin has them, not demangled" },
	{ 0 },
};

static const struct cli_command command = {
	"vprof cubin", "FILE...",
	"Prints what kernels need: registers, shared memory, stack, parameters; read from GPU code.",
	"FILE is a cubin (VPROF_SAVE_MODULES=1 keeps those of a run), a fatbin, or a program or library\n"
	"with fatbins in it. SHARED is static shared memory and STACK local memory of a thread, in bytes;\n"
	"THREADS the most threads of a block, or =XxYxZ exactly; CLUSTER the blocks of a cluster.", table,
};

/* What is being printed. */
struct printing {
	const struct options *options;
	const char *path;
	uint64_t printed;      /* objects, for the commas of JSON */
	int failed;
};

static void complain(struct printing *printing, const struct image *image, const char *why)
{
	printing->failed = 1;
	if (image->sm)
		fprintf(stderr, "%s: %s: image %u, for sm_%u: %s\n", command.name, printing->path, image->number,
			image->sm, why);
	else
		fprintf(stderr, "%s: %s: %s\n", command.name, printing->path, why);
}

static char *shown_name(const struct options *options, const char *name)
{
	return options->raw ? strdup(name) : demangle_full(name);
}

static int fits(const struct options *options, const char *name)
{
	char *full, *brief;
	int fit;

	if (!options->kernel || !fnmatch(options->kernel, name, 0))
		return 1;
	full = demangle_full(name);
	brief = demangle_short(name);
	fit = (full && !fnmatch(options->kernel, full, 0)) || (brief && !fnmatch(options->kernel, brief, 0));
	free(full);
	free(brief);
	return fit;
}

/* "sm_90" is for "sm_90" and "90"; "sm_90a" for these and "sm_90a". */
static int arch_fits(const char *wanted, const char *arch)
{
	size_t digits;

	if (!wanted)
		return 1;
	arch += 3;
	wanted += !strncmp(wanted, "sm_", 3) ? 3 : 0;
	digits = strspn(arch, "0123456789");
	return !strcmp(wanted, arch) || (strlen(wanted) == digits && !strncmp(wanted, arch, digits));
}

/* Is there anything to show of this cubin? */
static int cubin_fits(const struct options *options, const struct cubin *cubin)
{
	if (!arch_fits(options->arch, cubin->arch))
		return 0;
	for (size_t i = 0; i < cubin->kernel_count; i++)
		if (fits(options, cubin->kernels[i].name))
			return 1;
	return !options->kernel;
}

static const char *params_text(char *text, size_t size, const struct cubin_kernel *kernel)
{
	size_t used = 0;

	snprintf(text, size, "-");
	for (uint32_t i = 0; i < kernel->param_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%u:%u", i ? " " : "", kernel->params[i].offset,
					 kernel->params[i].size);
	return text;
}

static const char *threads_text(char *text, size_t size, const struct cubin_kernel *kernel)
{
	const uint32_t *n = kernel->threads;

	if (!n[0])
		return "-";
	if (kernel->threads_exact)
		snprintf(text, size, "=%ux%ux%u", n[0], n[1], n[2]);
	else
		snprintf(text, size, "%" PRIu64, (uint64_t)n[0] * (n[1] ? n[1] : 1) * (n[2] ? n[2] : 1));
	return text;
}

static const char *cluster_text(char *text, size_t size, const struct cubin_kernel *kernel)
{
	if (kernel->cluster[0])
		snprintf(text, size, "%ux%ux%u", kernel->cluster[0], kernel->cluster[1], kernel->cluster[2]);
	else if (kernel->cluster_most)
		snprintf(text, size, "<=%u", kernel->cluster_most);
	else
		return "-";
	return text;
}

static void kernel_row(struct cli_table *cells, const struct options *options, const struct cubin_kernel *kernel)
{
	char text[1024], *name = shown_name(options, kernel->name);

	cli_table_cell(cells, "%" PRIu64, kernel->code);
	cli_table_cell(cells, "%u", kernel->registers);
	cli_table_cell(cells, "%u", kernel->shared);
	cli_table_cell(cells, "%u", kernel->local);
	cli_table_cell(cells, "%u", kernel->constant);
	cli_table_cell(cells, "%u", kernel->param_count);
	cli_table_cell(cells, "%u", kernel->param_bytes);
	cli_table_cell(cells, "%s", threads_text(text, sizeof(text), kernel));
	cli_table_cell(cells, "%s", cluster_text(text, sizeof(text), kernel));
	if (options->params)
		cli_table_cell(cells, "%s", params_text(text, sizeof(text), kernel));
	cli_table_cell(cells, "%s", name ? name : kernel->name);
	free(name);
}

static void print_kernels(const struct options *options, const struct cubin *cubin)
{
	struct cli_table *cells = cli_table_new(options->params ? "rrrrrrrrrll" : "rrrrrrrrrl");

	if (!cells)
		return;
	cli_table_heads(cells, "CODE", "REGS", "SHARED", "STACK", "CONST", "PARAMS", "BYTES", "THREADS",
			"CLUSTER");
	if (options->params)
		cli_table_heads(cells, "PARAMETERS");
	cli_table_heads(cells, "KERNEL");
	for (size_t i = 0; i < cubin->kernel_count; i++)
		if (fits(options, cubin->kernels[i].name))
			kernel_row(cells, options, &cubin->kernels[i]);
	cli_table_print(cells, stdout, 2);
}

static void print_sections(const struct cubin *cubin)
{
	struct cli_table *cells = cli_table_new("rrrrl");

	if (!cells)
		return;
	cli_table_heads(cells, "SECTION", "TYPE", "OFFSET", "BYTES", "NAME");
	for (size_t i = 1; i < cubin->section_count; i++) {
		const struct cubin_section *section = &cubin->sections[i];

		cli_table_cell(cells, "%zu", i);
		cli_table_cell(cells, "%#x", section->type);
		cli_table_cell(cells, "%" PRIu64, section->offset);
		cli_table_cell(cells, "%" PRIu64, section->size);
		cli_table_cell(cells, "%s", section->name);
	}
	cli_table_print(cells, stdout, 2);
}

/* "sm_90, CUDA 13.0, ptxas 13.0.88" */
static void print_maker(const struct cubin *cubin)
{
	char version[64], tool[32];

	printf("%s", cubin->arch);
	if (cubin->toolkit)
		printf(", CUDA %u.%u", cubin->toolkit / 10, cubin->toolkit % 10);
	if (!cubin->tool)
		return;
	snprintf(tool, sizeof(tool), "%s", cubin->tool);
	printf(", %s %s", cli_clean(tool), cubin_tool_version(cubin, version, sizeof(version)));
}

static void print_title(const struct printing *printing, const struct image *image)
{
	printf("%s", printing->printed ? "\n" : "");
	printf("%s: ", printing->path);
	if (image->sm)
		printf("image %u: ", image->number);
}

static void print_packing(const struct image *image)
{
	if (strcmp(image->packing, "none"))
		printf(", %" PRIu64 " bytes packed with %s into %" PRIu64, image->size, image->packing, image->packed);
	else
		printf(", %" PRIu64 " bytes", image->size);
}

static void print_cubin(struct printing *printing, const struct image *image, const struct cubin *cubin)
{
	print_title(printing, image);
	printf("%scubin for ", cubin->relocatable ? "relocatable " : "");
	print_maker(cubin);
	print_packing(image);
	printf(", %zu %s\n", cubin->kernel_count, cli_word(cubin->kernel_count, "kernel", "kernels"));
	if (cubin->kernel_count)
		print_kernels(printing->options, cubin);
	if (printing->options->sections) {
		putchar('\n');
		print_sections(cubin);
	}
	printing->printed++;
}

static void json_text(const char *key, const char *text)
{
	if (!text)
		return;
	printf(", \"%s\": ", key);
	cli_json_string(stdout, text);
}

static void json_three(const char *key, const uint32_t *n)
{
	if (n[0])
		printf(", \"%s\": [%u, %u, %u]", key, n[0], n[1], n[2]);
}

static void json_kernel(const struct options *options, const struct cubin_kernel *kernel)
{
	char *name = shown_name(options, kernel->name);

	printf("{\"symbol\": ");
	cli_json_string(stdout, kernel->name);
	json_text("kernel", name ? name : kernel->name);
	free(name);
	printf(", \"code\": %" PRIu64
	       ", \"registers\": %u, \"shared\": %u, \"stack\": %u, \"local\": %u, \"constant\": %u"
	       ", \"barriers\": %u", kernel->code, kernel->registers, kernel->shared, kernel->stack, kernel->local,
	       kernel->constant, kernel->barriers);
	json_three(kernel->threads_exact ? "required_threads" : "max_threads", kernel->threads);
	json_three("cluster", kernel->cluster);
	if (kernel->cluster_most)
		printf(", \"max_cluster\": %u", kernel->cluster_most);
	printf(", \"param_base\": %u, \"param_bytes\": %u, \"params\": [", kernel->param_base, kernel->param_bytes);
	for (uint32_t i = 0; i < kernel->param_count; i++)
		printf("%s{\"offset\": %u, \"size\": %u}", i ? ", " : "", kernel->params[i].offset,
		       kernel->params[i].size);
	printf("]}");
}

static void json_sections(const struct cubin *cubin)
{
	printf(",\n  \"sections\": [");
	for (size_t i = 1; i < cubin->section_count; i++) {
		printf("%s\n   {\"name\": ", i > 1 ? "," : "");
		cli_json_string(stdout, cubin->sections[i].name);
		printf(", \"type\": %u, \"flags\": %" PRIu64 ", \"offset\": %" PRIu64 ", \"bytes\": %" PRIu64 "}",
		       cubin->sections[i].type, cubin->sections[i].flags, cubin->sections[i].offset,
		       cubin->sections[i].size);
	}
	putchar(']');
}

static void json_image(struct printing *printing, const struct image *image, const char *kind)
{
	printf("%s\n {\"file\": ", printing->printed++ ? "," : "");
	cli_json_string(stdout, printing->path);
	printf(", \"image\": %u, \"kind\": \"%s\", \"packing\": \"%s\", \"packed\": %" PRIu64 ", \"bytes\": %" PRIu64,
	       image->number, kind, image->packing, image->packed, image->size);
}

static void json_cubin(struct printing *printing, const struct image *image, const struct cubin *cubin)
{
	const char *comma = "";

	json_image(printing, image, "cubin");
	json_text("arch", cubin->arch);
	printf(", \"relocatable\": %s", cubin->relocatable ? "true" : "false");
	if (cubin->toolkit)
		printf(", \"toolkit\": \"%u.%u\"", cubin->toolkit / 10, cubin->toolkit % 10);
	json_text("tool", cubin->tool);
	json_text("version", cubin->version);
	json_text("build", cubin->build);
	json_text("options", cubin->options);
	printf(", \"constants\": %u,\n  \"kernels\": [", cubin->constant);
	for (size_t i = 0; i < cubin->kernel_count; i++) {
		if (!fits(printing->options, cubin->kernels[i].name))
			continue;
		printf("%s\n   ", comma);
		json_kernel(printing->options, &cubin->kernels[i]);
		comma = ",";
	}
	putchar(']');
	if (printing->options->sections)
		json_sections(cubin);
	putchar('}');
}

static void see_cubin(struct printing *printing, const struct image *image)
{
	struct cubin cubin;
	char why[160];

	if (!image->bytes) {
		complain(printing, image, image->why);
		return;
	}
	if (cubin_read(&cubin, image->bytes, image->size, why, sizeof(why))) {
		complain(printing, image, why);
		return;
	}
	if (cubin_fits(printing->options, &cubin))
		(printing->options->json ? json_cubin : print_cubin)(printing, image, &cubin);
	cubin_free(&cubin);
}

/* PTX and what has no name yet: a line each. */
static void see_other(struct printing *printing, const struct image *image)
{
	char arch[16];

	snprintf(arch, sizeof(arch), "sm_%u", image->sm);
	if (printing->options->kernel || !arch_fits(printing->options->arch, arch))
		return;
	if (printing->options->json) {
		json_image(printing, image, image->kind == IMAGE_PTX ? "ptx" : "other");
		json_text("arch", arch);
		putchar('}');
		return;
	}
	print_title(printing, image);
	printf("%s for %s", image->kind == IMAGE_PTX ? "PTX" : "something else", arch);
	print_packing(image);
	putchar('\n');
	printing->printed++;
}

static int see_image(void *context, const struct image *image)
{
	(image->kind == IMAGE_CUBIN ? see_cubin : see_other)(context, image);
	return 0;
}

int cmd_cubin(int argc, char **argv)
{
	struct options options = { 0 };
	struct printing printing = { .options = &options };
	int count = cli_parse(&command, &options, argc, argv), code;
	char why[160];

	if (count < 0)
		return CLI_CODE(count);
	if (!count)
		return cli_usage(&command, "which files?");
	if (options.json)
		putchar('[');
	for (int i = 1; i <= count; i++) {
		printing.path = argv[i];
		if (images_each(argv[i], see_image, &printing, why, sizeof(why))) {
			fprintf(stderr, "%s: %s: %s\n", command.name, argv[i], why);
			printing.failed = 1;
		}
	}
	if (options.json)
		printf(printing.printed ? "\n]\n" : "]\n");
	else if (!printing.printed && !printing.failed)
		fprintf(stderr, "%s: nothing fits --kernel and --arch\n", command.name);
	code = cli_finish(command.name);
	return printing.failed ? CLI_FAILED : code;
}
