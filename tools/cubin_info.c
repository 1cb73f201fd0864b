/*
 * cubin_info.c - the records in .nv.info and .nv.compat, and NVIDIA's notes.
 *
 * A record is a format byte, an attribute byte and, by the format, nothing, a byte or a half word (in
 * the next two bytes), or a length of 16 bits and that many bytes.
 */
#include <errno.h>
#include <stdlib.h>
#include "tools/cubin_inner.h"
#include "tools/list.h"

enum { FORMAT_NONE = 1, FORMAT_BYTE = 2, FORMAT_HALF = 3, FORMAT_SIZED = 4 };

enum attribute {
	INFO_MAX_THREADS = 0x05,
	INFO_PARAM_CBANK = 0x0a,
	INFO_REQUIRED_THREADS = 0x10,
	INFO_FRAME_SIZE = 0x11,
	INFO_MIN_STACK_SIZE = 0x12,
	INFO_PARAM = 0x17,
	INFO_PARAM_SIZE = 0x19,
	INFO_MAX_STACK_SIZE = 0x23,
	INFO_REGISTERS = 0x2f,
	INFO_TOOLKIT = 0x37,
	INFO_CLUSTER = 0x3d,
	INFO_CLUSTER_MOST = 0x3f,
	INFO_PARAM_LARGE = 0x45, /* of kernels whose parameters are larger than INFO_PARAM can tell */
	INFO_BARRIERS = 0x4c,
};

enum { COMPAT_SPECIAL = 0x09 };
enum { PARAMS_MOST = 4096, STACK_MOST = 1 << 24 };

struct attribute_record {
	uint32_t format, attribute;
	uint32_t value;          /* of FORMAT_BYTE and FORMAT_HALF */
	struct cubin_bytes data; /* of FORMAT_SIZED */
};

/* Takes one record off the front. 1, or 0 at the end or where the rest makes no sense. */
static int take_record(struct cubin_bytes *bytes, struct attribute_record *record)
{
	const uint8_t *at = bytes->at;
	size_t size = 4;

	if (bytes->size < 4)
		return 0;
	*record = (struct attribute_record){ at[0], at[1], at[2], { at + 4, 0 } };
	if (at[0] == FORMAT_HALF)
		record->value = cubin_u16(at + 2);
	if (at[0] == FORMAT_SIZED) {
		record->data.size = cubin_u16(at + 2);
		size += record->data.size;
	} else if (at[0] < FORMAT_NONE || at[0] > FORMAT_SIZED) {
		return 0;
	}
	if (size > bytes->size)
		return 0;
	bytes->at += size;
	bytes->size -= size;
	return 1;
}

static int add_param(struct cubin_kernel *kernel, const struct attribute_record *record)
{
	const uint8_t *at = record->data.at;

	if (kernel->param_count == PARAMS_MOST)
		return 0;
	if (list_grow(kernel->params, kernel->param_count))
		return -ENOMEM;
	kernel->params[kernel->param_count++] = (struct cubin_param){
		.ordinal = cubin_u16(at + 4), .offset = cubin_u16(at + 6),
		.size = record->attribute == INFO_PARAM ? cubin_u32(at + 8) >> 18 : cubin_u32(at + 8),
	};
	return 0;
}

static void read_three(uint32_t *to, const struct attribute_record *record)
{
	for (int i = 0; i < 3; i++)
		to[i] = cubin_u32(record->data.at + 4 * i);
}

static void raise_to(uint32_t *value, uint32_t to)
{
	if (to > *value)
		*value = to;
}

/* A record with data, of a kernel's own section. */
static int read_kernel_data(struct cubin_kernel *kernel, const struct attribute_record *record)
{
	size_t size = record->data.size;

	switch (record->attribute) {
	case INFO_PARAM:
	case INFO_PARAM_LARGE:
		return size >= 12 ? add_param(kernel, record) : 0;
	case INFO_MAX_THREADS:
	case INFO_REQUIRED_THREADS:
		if (size >= 12)
			read_three(kernel->threads, record);
		kernel->threads_exact = record->attribute == INFO_REQUIRED_THREADS;
		break;
	case INFO_CLUSTER:
		if (size >= 12)
			read_three(kernel->cluster, record);
		break;
	case INFO_CLUSTER_MOST:
		if (size >= 4)
			kernel->cluster_most = cubin_u32(record->data.at);
		break;
	case INFO_PARAM_CBANK:
		if (size >= 8)
			kernel->param_base = cubin_u16(record->data.at + 4);
		if (size >= 8)
			raise_to(&kernel->param_bytes, cubin_u16(record->data.at + 6));
		break;
	}
	return 0;
}

/* A record of the whole file's section: a symbol, and a value for its kernel. */
static void read_symbol_data(struct cubin *cubin, const struct cubin_maps *maps,
			     const struct attribute_record *record)
{
	struct cubin_kernel *kernel;
	uint32_t symbol, value;

	if (record->data.size < 8)
		return;
	symbol = cubin_u32(record->data.at);
	value = cubin_u32(record->data.at + 4);
	if (symbol >= maps->symbols || maps->by_symbol[symbol] == CUBIN_NONE)
		return;
	kernel = &cubin->kernels[maps->by_symbol[symbol]];
	switch (record->attribute) {
	case INFO_REGISTERS:
		kernel->registers = value;
		break;
	case INFO_FRAME_SIZE:
	case INFO_MIN_STACK_SIZE:
	case INFO_MAX_STACK_SIZE: /* all bits set: not bounded */
		if (value < STACK_MOST)
			raise_to(&kernel->stack, value);
		break;
	}
}

int cubin_read_info(struct cubin *cubin, const struct cubin_maps *maps, struct cubin_kernel *kernel,
		    struct cubin_bytes bytes)
{
	struct attribute_record record;
	int error = 0;

	while (!error && take_record(&bytes, &record)) {
		if (record.attribute == INFO_TOOLKIT && record.data.size >= 4 && !cubin->toolkit)
			cubin->toolkit = cubin_u32(record.data.at);
		else if (record.format == FORMAT_SIZED && kernel)
			error = read_kernel_data(kernel, &record);
		else if (record.format == FORMAT_SIZED)
			read_symbol_data(cubin, maps, &record);
		else if (kernel && record.attribute == INFO_PARAM_SIZE)
			raise_to(&kernel->param_bytes, record.value);
		else if (kernel && record.attribute == INFO_BARRIERS)
			kernel->barriers = record.value;
	}
	return error;
}

static int compare_params(const void *a, const void *b)
{
	const struct cubin_param *x = a, *y = b;

	return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

void cubin_sort_params(struct cubin_kernel *kernel)
{
	uint32_t kept = 0;

	if (!kernel->param_count)
		return;
	qsort(kernel->params, kernel->param_count, sizeof(*kernel->params), compare_params);
	for (uint32_t i = 0; i < kernel->param_count; i++)
		if (!kept || kernel->params[i].ordinal != kernel->params[kept - 1].ordinal)
			kernel->params[kept++] = kernel->params[i];
	kernel->param_count = kept;
}

int cubin_is_special(struct cubin_bytes compat)
{
	struct attribute_record record;

	while (take_record(&compat, &record))
		if (record.format == FORMAT_BYTE && record.attribute == COMPAT_SPECIAL)
			return (record.value & 0xff) == 1;
	return 0;
}

/*
 * Notes: name size, description size and type of 4 bytes each, then "NVIDIA Corp" and NUL, then the
 * description. That of the tool (type 2000) is six numbers, version 2 the first and then places
 * in the strings behind them: object, tool, its version, its build, its options.
 */
enum { NOTE_TOOL = 2000, NOTE_CUDA = 1000, TOOL_STRINGS = 24 };

static const char *note_string(struct cubin_bytes note, uint32_t index)
{
	size_t at = TOOL_STRINGS + (size_t)cubin_u32(note.at + 4 * index);

	if (at >= note.size || !memchr(note.at + at, 0, note.size - at))
		return NULL;
	return (const char *)note.at + at;
}

static void read_tool(struct cubin *cubin, struct cubin_bytes note)
{
	const char *tool;

	if (note.size <= TOOL_STRINGS || cubin_u32(note.at) != 2)
		return;
	tool = note_string(note, 2);
	if (!tool || (cubin->tool && strcmp(tool, "ptxas")))
		return; /* of several tools, a linker among them, ptxas is the one of interest */
	cubin->tool = tool;
	cubin->version = note_string(note, 3);
	cubin->build = note_string(note, 4);
	cubin->options = note_string(note, 5);
}

void cubin_read_notes(struct cubin *cubin, struct cubin_bytes bytes)
{
	while (bytes.size >= 12) {
		size_t name = (cubin_u32(bytes.at) + 3ull) & ~3ull;
		size_t whole = 12 + name + ((cubin_u32(bytes.at + 4) + 3ull) & ~3ull);
		uint32_t type = cubin_u32(bytes.at + 8);
		struct cubin_bytes note = { bytes.at + 12 + name, cubin_u32(bytes.at + 4) };

		if (name > bytes.size || note.size > bytes.size || 12 + name + note.size > bytes.size)
			return;
		if (type == NOTE_TOOL)
			read_tool(cubin, note);
		else if (type == NOTE_CUDA && note.size >= 8 && !cubin->toolkit)
			cubin->toolkit = cubin_u32(note.at + 4);
		if (whole > bytes.size)
			return;
		bytes.at += whole;
		bytes.size -= whole;
	}
}
