/*
 * cubin.c - finds the kernels of a cubin and the sections that speak of them.
 *
 * A kernel is a function of the symbol table that is marked as an entry. The sections of a kernel
 * (.nv.info.NAME, .nv.shared.NAME, ...) name the index of its code's section in sh_info. Strings
 * are looked up here and not by libelf, which would unpack compressed sections of any size.
 */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include "tools/cubin_inner.h"
#include "tools/list.h"
#include "tools/refuse.h"

enum {
	MACHINE_CUDA = 190,
	ABI_CUDA_13 = 0x41,      /* EI_OSABI from CUDA 13 on; before: 0x33 */
	SYMBOL_ENTRY = 0x10,     /* of st_other */
	FLAG_SPECIAL_12 = 0x800, /* of e_flags before CUDA 13: for one GPU alone, "sm_90a" */
	SHARED_KEPT = 1024,      /* bytes that the system keeps at the beginning, from sm_90 on */
};

struct reader {
	Elf *elf;
	struct cubin *cubin;
	struct cubin_maps maps;
	struct cubin_bytes names; /* of sections */
};

static struct cubin_bytes section_bytes(Elf_Scn *section)
{
	Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;

	if (!data || !data->d_buf)
		return (struct cubin_bytes){ 0 };
	return (struct cubin_bytes){ data->d_buf, data->d_size };
}

static const char *string_at(struct cubin_bytes strings, uint64_t at)
{
	if (at >= strings.size || !memchr(strings.at + at, 0, strings.size - at))
		return "?";
	return (const char *)strings.at + at;
}

static int check_header(const GElf_Ehdr *header, char *why, size_t why_size)
{
	if (header->e_machine != MACHINE_CUDA)
		return refuse(-EINVAL, why, why_size, "is an ELF file for another machine, not a cubin");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(-EINVAL, why, why_size, "is a cubin of 32 bits, from before CUDA 9");
	return 0;
}

static void read_flags(struct cubin *cubin, const GElf_Ehdr *header)
{
	int new = header->e_ident[EI_OSABI] == ABI_CUDA_13;
	int special = !new && header->e_flags & FLAG_SPECIAL_12;

	cubin->sm = new ? header->e_flags >> 8 & 0xff : header->e_flags & 0xff;
	cubin->relocatable = header->e_type == ET_REL;
	snprintf(cubin->arch, sizeof(cubin->arch), "sm_%u%s", cubin->sm, special ? "a" : "");
}

/* All sections, in the order of the file, as elf_getscn() numbers them. */
static int list_sections(struct reader *r)
{
	struct cubin *cubin = r->cubin;
	size_t count, names;

	if (elf_getshdrnum(r->elf, &count) || elf_getshdrstrndx(r->elf, &names))
		return -EINVAL;
	r->names = section_bytes(elf_getscn(r->elf, names));
	cubin->sections = calloc(count + 1, sizeof(*cubin->sections));
	r->maps.by_section = malloc((count + 1) * sizeof(*r->maps.by_section));
	if (!cubin->sections || !r->maps.by_section)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		GElf_Shdr header = { 0 };
		Elf_Scn *section = elf_getscn(r->elf, i);

		r->maps.by_section[i] = CUBIN_NONE;
		if (section)
			gelf_getshdr(section, &header);
		cubin->sections[i] = (struct cubin_section){
			.name = i ? string_at(r->names, header.sh_name) : "", .offset = header.sh_offset,
			.size = header.sh_size, .type = header.sh_type, .info = header.sh_info,
			.flags = header.sh_flags,
		};
	}
	cubin->section_count = r->maps.sections = count;
	return 0;
}

static int is_kernel(const struct reader *r, const Elf64_Sym *symbol)
{
	return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_other & SYMBOL_ENTRY &&
	       symbol->st_shndx && symbol->st_shndx < r->maps.sections &&
	       r->maps.by_section[symbol->st_shndx] == CUBIN_NONE;
}

static int add_kernel(struct reader *r, size_t index, const Elf64_Sym *symbol, const char *name)
{
	struct cubin *cubin = r->cubin;
	size_t count = cubin->kernel_count;

	if (list_grow(cubin->kernels, count))
		return -ENOMEM;
	cubin->kernels[count] = (struct cubin_kernel){ .name = name, .code = symbol->st_size };
	r->maps.by_section[symbol->st_shndx] = (uint32_t)count;
	r->maps.by_symbol[index] = (uint32_t)count;
	cubin->kernel_count++;
	return 0;
}

static int read_symbols(struct reader *r, size_t section)
{
	struct cubin_bytes table = section_bytes(elf_getscn(r->elf, section)), strings;
	GElf_Shdr header = { 0 };
	int error = 0;

	gelf_getshdr(elf_getscn(r->elf, section), &header);
	strings = section_bytes(elf_getscn(r->elf, header.sh_link));
	r->maps.symbols = table.size / sizeof(Elf64_Sym);
	r->maps.by_symbol = malloc((r->maps.symbols + 1) * sizeof(*r->maps.by_symbol));
	if (!r->maps.by_symbol)
		return -ENOMEM;
	for (size_t i = 0; i < r->maps.symbols && !error; i++) {
		Elf64_Sym symbol;

		memcpy(&symbol, table.at + i * sizeof(symbol), sizeof(symbol));
		r->maps.by_symbol[i] = CUBIN_NONE;
		if (is_kernel(r, &symbol))
			error = add_kernel(r, i, &symbol, string_at(strings, symbol.st_name));
	}
	return error;
}

static int find_symbols(struct reader *r)
{
	for (size_t i = 1; i < r->cubin->section_count; i++)
		if (r->cubin->sections[i].type == SHT_SYMTAB)
			return read_symbols(r, i);
	return 0;
}

static int begins(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

static void read_shared(const struct cubin *cubin, struct cubin_kernel *kernel, uint64_t size)
{
	if (cubin->sm >= 90 && !cubin->relocatable && size >= SHARED_KEPT)
		size -= SHARED_KEPT;
	kernel->shared = size < UINT32_MAX ? (uint32_t)size : UINT32_MAX;
}

/* A section that belongs to one kernel. */
static int read_kernel_section(struct reader *r, size_t index, struct cubin_kernel *kernel)
{
	const struct cubin_section *section = &r->cubin->sections[index];
	uint32_t size = section->size < UINT32_MAX ? (uint32_t)section->size : UINT32_MAX;

	if (begins(section->name, ".nv.info."))
		return cubin_read_info(r->cubin, &r->maps, kernel, section_bytes(elf_getscn(r->elf, index)));
	if (begins(section->name, ".nv.shared."))
		read_shared(r->cubin, kernel, section->size);
	else if (begins(section->name, ".nv.constant0."))
		kernel->constant = size;
	else if (begins(section->name, ".nv.local."))
		kernel->local = size;
	return 0;
}

static int read_section(struct reader *r, size_t index)
{
	const struct cubin_section *section = &r->cubin->sections[index];
	struct cubin *cubin = r->cubin;
	struct cubin_bytes bytes;

	if (section->info < r->maps.sections && r->maps.by_section[section->info] != CUBIN_NONE)
		return read_kernel_section(r, index, &cubin->kernels[r->maps.by_section[section->info]]);
	bytes = section_bytes(elf_getscn(r->elf, index));
	if (!strcmp(section->name, ".nv.info"))
		return cubin_read_info(cubin, &r->maps, NULL, bytes);
	if (section->type == SHT_NOTE)
		cubin_read_notes(cubin, bytes);
	else if (!strcmp(section->name, ".nv.compat") && cubin_is_special(bytes))
		snprintf(cubin->arch, sizeof(cubin->arch), "sm_%ua", cubin->sm);
	else if (!strcmp(section->name, ".nv.constant3"))
		cubin->constant = section->size < UINT32_MAX ? (uint32_t)section->size : UINT32_MAX;
	return 0;
}

static int read_all(struct reader *r)
{
	int error = list_sections(r);

	if (!error)
		error = find_symbols(r);
	for (size_t i = 1; i < r->cubin->section_count && !error; i++)
		error = read_section(r, i);
	for (size_t i = 0; i < r->cubin->kernel_count && !error; i++) {
		struct cubin_kernel *kernel = &r->cubin->kernels[i];

		cubin_sort_params(kernel);
		if (kernel->stack > kernel->local)
			kernel->local = kernel->stack;
	}
	free(r->maps.by_section);
	free(r->maps.by_symbol);
	return error;
}

int cubin_read(struct cubin *cubin, void *bytes, size_t size, char *why, size_t why_size)
{
	struct reader reader = { .cubin = cubin };
	GElf_Ehdr header;
	int error;

	memset(cubin, 0, sizeof(*cubin));
	if (elf_version(EV_CURRENT) == EV_NONE)
		return refuse(-ENOSYS, why, why_size, "cannot be read: this libelf is too old");
	cubin->elf = reader.elf = elf_memory(bytes, size);
	if (!reader.elf || elf_kind(reader.elf) != ELF_K_ELF || !gelf_getehdr(reader.elf, &header)) {
		error = refuse(-EINVAL, why, why_size, "is no ELF file, or cut short");
		goto err;
	}
	error = check_header(&header, why, why_size);
	if (error)
		goto err;
	read_flags(cubin, &header);
	error = read_all(&reader);
	if (error == -ENOMEM)
		refuse(error, why, why_size, "no memory");
	else if (error || cubin->section_count < 2)
		error = refuse(-EINVAL, why, why_size,
			       "has no table of sections where it should be: cut short, or damaged");
	if (!error)
		return 0;
err:
	cubin_free(cubin);
	return error;
}

void cubin_free(struct cubin *cubin)
{
	for (size_t i = 0; i < cubin->kernel_count; i++)
		free(cubin->kernels[i].params);
	free(cubin->kernels);
	free(cubin->sections);
	if (cubin->elf)
		elf_end(cubin->elf);
	memset(cubin, 0, sizeof(*cubin));
}

const struct cubin_kernel *cubin_find(const struct cubin *cubin, const char *name)
{
	for (size_t i = 0; i < cubin->kernel_count; i++)
		if (!strcmp(cubin->kernels[i].name, name))
			return &cubin->kernels[i];
	return NULL;
}

char *cubin_tool_version(const struct cubin *cubin, char *text, size_t size)
{
	const char *at = cubin->version ? strstr(cubin->version, ", V") : NULL;

	snprintf(text, size, "%.*s", at ? (int)strspn(at + 3, "0123456789.") : 0, at ? at + 3 : "");
	return text;
}
