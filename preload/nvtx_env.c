/*
 * nvtx_env.c - NVTX in the environment: what VPROF_NVTX wants of it, and the variable by which it finds us.
 *
 * The library's constructor names the library in NVTX_INJECTION64_PATH (vprof_nvtx_announce()),
 * so that each copy of NVTX in the process finds us at its first call. A value that the user has
 * set stays, but for one that names a libvprof.so: that is ours, from the process before.
 */
#include <string.h>
#include "preload/config.h"
#include "preload/elf.h"
#include "preload/inner.h"
#include "preload/process.h"
#include "preload/text.h"

static int is_word(const char *text, const char *const *words)
{
	while (*words && strcmp(text, *words))
		words++;
	return *words != NULL;
}

AT_LOAD int vprof_nvtx_is_wanted(const char **patterns)
{
	static const char *const no[] = { "0", "off", "no", "false", "", NULL };
	static const char *const yes[] = { "1", "on", "yes", "true", NULL };

	*patterns = NULL;
	if (vprof_config_is_initial())
		return 1;
	if (!vprof_enabled() || is_word(vprof_config.nvtx, no))
		return 0;
	*patterns = is_word(vprof_config.nvtx, yes) ? NULL : vprof_config.nvtx;
	return 1;
}

AT_LOAD static const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Is the variable the user's? One that names a library of our name was set by a process before us. */
AT_LOAD static int is_users(const char *value)
{
	return *value && strcmp(file_name(value), "libvprof.so") != 0;
}

AT_LOAD void vprof_nvtx_announce(void)
{
	AT_LOAD_DATA static char name[] = "NVTX_INJECTION64_PATH=";
	AT_LOAD_DATA static char entry[sizeof(name) + 128];
	AT_LOAD_DATA static char *room[256];
	static char long_entry[sizeof(name) + PATH_TEXT];
	struct vprof_text text = VPROF_TEXT(entry), long_text = VPROF_TEXT(long_entry);
	const char *value, *path, *patterns;

	if (!vprof_nvtx_is_wanted(&patterns))
		return;
	value = vprof_environ_value(name);
	path = vprof_own_path();
	if (!path || (value && (vprof_text_same(value, path) || is_users(value))))
		return;
	if (strlen(path) > sizeof(entry) - sizeof(name))
		text = long_text;
	vprof_text_put(&text, name);
	vprof_text_put(&text, path);
	if (!text.cut)
		vprof_environ_put(text.text, name, room, ARRAY_SIZE(room));
}
