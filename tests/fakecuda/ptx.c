/*
 * ptx.c - finds the kernels of an image: the .entry names of PTX text, and
 * where their parameters lie.
 *
 * A parameter reads `.param [.ptr…] [.align N] .TYPE NAME[SIZE]`; a type's
 * digits are its width in bits, and arrays are of bytes. An image that starts
 * with "fake" has no list: any name asked for is a kernel. Cubins and fatbins are taken by
 * their first bytes, and have no kernels.
 *
 * Of what the text says of itself, .version and .target are held against the
 * compiler of CUDA 13.0 and the device (FAKECUDA_SM).
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/fake.h"

enum { NEWEST_PTX = 90 }; /* of CUDA 13.0 */
enum { UNSUPPORTED_PTX_VERSION = 222 }; /* CUDA_ERROR_… */

static const char *word_end(const char *at)
{
	while (isalnum((unsigned char)*at) || *at == '_' || *at == '$' || *at == '.' || *at == '%')
		at++;
	return at;
}

static const char *skip_space(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

static bool layout_add(struct fk_layout *layout, uint32_t size, uint32_t align)
{
	uint32_t at;

	if (!size || !align || layout->count == FK_MAX_PARAMS)
		return false;
	at = (layout->bytes + align - 1) / align * align;
	layout->offset[layout->count] = (uint16_t)at;
	layout->size[layout->count++] = (uint16_t)size;
	layout->bytes = at + size;
	return true;
}

/* One parameter, from behind ".param"; returns what follows it, NULL when malformed. */
static const char *param_parse(const char *at, struct fk_layout *layout)
{
	uint32_t align = 0, size = 0;
	const char *open;

	for (at = skip_space(at); *at == '.'; at = skip_space(word_end(at))) {
		if (!strncmp(at, ".align", 6)) {
			align = (uint32_t)strtoul(at + 6, (char **)&at, 10);
			continue;
		}
		if (strchr("usbf", at[1]) && isdigit((unsigned char)at[2]))
			size = (uint32_t)strtoul(at + 2, NULL, 10) / 8;
	}
	open = word_end(at); /* past the name */
	if (*open == '[') {
		size *= (uint32_t)strtoul(open + 1, (char **)&open, 10);
		open++;
	}
	return layout_add(layout, size, align ? align : size) ? open : NULL;
}

static const char *entry_parse(CUmodule module, const char *at, CUresult *result)
{
	struct fk_layout layout = { 0 };
	const char *name = skip_space(at), *end = word_end(name), *close;
	char *copy = strndup(name, (size_t)(end - name));

	close = strpbrk(end, "){");
	at = strchr(end, '(');
	*result = CUDA_ERROR_INVALID_PTX;
	if (copy && close && at && at < close)
		while ((at = strstr(at, ".param")) && at < close)
			if (!(at = param_parse(at + 6, &layout)))
				goto out;
	if (copy && close)
		*result = fk_function_add(module, copy, &layout, NULL);
out:
	free(copy);
	return close;
}

static bool is_binary(const char *image)
{
	return !strncmp(image, "\177ELF", 4) || !strncmp(image, "\xb1\x43\x62\x46", 4) ||
		!strncmp(image, "\x50\xed\x55\xba", 4);
}

/* The number behind a directive's word, as in ".target sm_90"; -1: there is none. */
static int directive(const char *image, const char *word, const char **end)
{
	const char *at = strstr(image, word);

	return at ? (int)strtol(at + strlen(word), (char **)end, 10) : -1;
}

/* What the just-in-time compiler would refuse: text too new for it, or for another GPU. */
static CUresult target_check(const char *image)
{
	const char *end;
	int major = directive(image, ".version ", &end);
	int minor = major >= 0 && *end == '.' ? (int)strtol(end + 1, NULL, 10) : 0;
	int sm = directive(image, ".target sm_", &end);

	if (major < 0 || sm < 0) /* left out, as tests do that are not about it */
		return CUDA_SUCCESS;
	if (major * 10 + minor > NEWEST_PTX)
		return UNSUPPORTED_PTX_VERSION;
	if (sm > fk_config.sm || (*end == 'a' && sm != fk_config.sm))
		return CUDA_ERROR_NO_BINARY_FOR_GPU;
	if (strstr(image, "griddepcontrol") && (sm < 90 || major * 10 + minor < 78))
		return CUDA_ERROR_INVALID_PTX;
	return CUDA_SUCCESS;
}

CUresult fk_image_functions(CUmodule module, const void *image)
{
	const char *at = skip_space(image);
	CUresult result = CUDA_SUCCESS;

	if (!strncmp(at, "fake", 4)) {
		module->anything = true;
		return CUDA_SUCCESS;
	}
	if (is_binary(image))
		return CUDA_SUCCESS;
	if (strncmp(at, "//", 2) && strncmp(at, ".version", 8))
		return CUDA_ERROR_INVALID_IMAGE;
	result = target_check(at);
	while (!result && (at = strstr(at, ".entry")))
		if (!(at = entry_parse(module, at + 6, &result)))
			return CUDA_ERROR_INVALID_PTX;
	return result;
}
