/*
 * marks.c - what include/vprof/vprof.h finds in the library: a program's marks.
 *
 * These signatures are an interface: programs that were compiled long ago call them.
 */
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "preload/inner.h"
#include "preload/ranges.h"

EXPORT void vprof_hook_range_begin(const char *name);
EXPORT void vprof_hook_range_end(void);
EXPORT void vprof_hook_mark(const char *name);
EXPORT void vprof_hook_counter(const char *name, double value);
EXPORT void vprof_hook_name_thread(const char *name);
EXPORT void vprof_hook_name_stream(const void *stream, const char *name);

static struct vprof_said said_of(const char *name)
{
	struct vprof_said said = { .text = name ? name : "" };

	said.length = strnlen(said.text, VPROF_NAME_MOST);
	if (said.length == VPROF_NAME_MOST) {
		said.length--;
		said.flags = VPROF_RANGE_CUT;
	}
	return said;
}

void vprof_hook_range_begin(const char *name)
{
	struct vprof_said said = said_of(name);

	if (vprof_enabled())
		vprof_range_push(&said);
}

void vprof_hook_range_end(void)
{
	vprof_range_pop(NULL);
}

void vprof_hook_mark(const char *name)
{
	struct vprof_said said = said_of(name);

	vprof_range_moment(VPROF_KIND_MARK, &said);
}

void vprof_hook_counter(const char *name, double value)
{
	struct vprof_said said = said_of(name);

	said.payload_type = VPROF_PAYLOAD_F64;
	memcpy(&said.payload, &value, sizeof(value));
	vprof_range_moment(VPROF_KIND_COUNTER, &said);
}

void vprof_hook_name_thread(const char *name)
{
	if (name && vprof_enabled())
		vprof_name_label(VPROF_LABEL_THREAD, (uint64_t)syscall(SYS_gettid), NULL, name);
}

void vprof_hook_name_stream(const void *stream, const char *name)
{
	if (name && vprof_enabled())
		vprof_name_label(VPROF_LABEL_STREAM, (uintptr_t)stream, NULL, name);
}
