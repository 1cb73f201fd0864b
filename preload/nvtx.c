/*
 * nvtx.c - NVTX calls of the program: what they say, in the terms of ranges.h.
 *
 * Each copy of NVTX in the process opens us at its first call, since the library's constructor has named the
 * library in the environment (nvtx_env.c), and has us fill in its table of functions.
 *
 * A library that was not loaded with the program (a child got the variable without LD_PRELOAD)
 * answers that it will not do, and NVTX does nothing, as without the variable.
 *
 * Errno is kept by what is called; strings are copied, never kept.
 */
#include <string.h>
#include "preload/elf.h"
#include "preload/glob.h"
#include "preload/nvtx_abi.h"
#include "preload/process.h"
#include "preload/ranges.h"

/* ---- which ---- */

static const char *patterns; /* NULL: everything */

static int unwanted(const struct vprof_name *domain, const char *text, size_t length)
{
	return unlikely(patterns != NULL) &&
	       !vprof_glob_named(patterns, domain ? domain->text : NULL, domain ? domain->length : 0, text, length);
}

/* ---- what is said ---- */

struct nvtx_domain;

static struct vprof_name *domain_of(struct nvtx_domain *handle)
{
	return vprof_name_is(handle, VPROF_DEF_DOMAIN) ? (struct vprof_name *)(void *)handle : NULL;
}

/* `wide`: room of VPROF_NAME_MOST bytes for a text that has to be made narrow. */
static void say_text(struct vprof_said *said, int type, union nvtx_message message, char *wide)
{
	said->text = "";
	if (type == NVTX_MESSAGE_ASCII && message.ascii) {
		said->text = message.ascii;
		said->length = strnlen(message.ascii, VPROF_NAME_MOST);
	} else if (type == NVTX_MESSAGE_WIDE && message.wide) {
		said->length = vprof_name_narrow(wide, VPROF_NAME_MOST, message.wide);
		said->text = wide;
	} else if (type == NVTX_MESSAGE_REGISTERED && vprof_name_is(message.registered, VPROF_DEF_TEXT)) {
		said->kept = (struct vprof_name *)(uintptr_t)message.registered;
		said->text = said->kept->text;
		said->length = said->kept->length;
	}
	if (said->length >= VPROF_NAME_MOST) {
		said->length = VPROF_NAME_MOST - 1;
		said->flags |= VPROF_RANGE_CUT;
	}
	said->unwanted = (uint8_t)unwanted(said->domain, said->text, said->length);
}

static void say(struct vprof_said *said, struct nvtx_domain *domain, const struct nvtx_attributes *a, char *wide)
{
	static const struct nvtx_attributes nothing;

	if (!a || a->size < sizeof(*a))
		a = &nothing;
	memset(said, 0, sizeof(*said));
	said->domain = domain_of(domain);
	said->category = a->category;
	if (a->color_type == NVTX_COLOR_ARGB) {
		said->color = a->color;
		said->flags = VPROF_RANGE_COLOR;
	}
	if (a->payload_type > VPROF_PAYLOAD_NONE && a->payload_type <= VPROF_PAYLOAD_F32) {
		said->payload_type = (uint8_t)a->payload_type;
		said->payload = a->payload_type >= VPROF_PAYLOAD_U32 ? (uint32_t)a->payload : a->payload;
	}
	say_text(said, a->message_type, a->message, wide);
}

/* Nothing but a text, in the default domain. */
static void say_only(struct vprof_said *said, const char *ascii, const wchar_t *wide_text, char *wide)
{
	memset(said, 0, sizeof(*said));
	if (ascii)
		say_text(said, NVTX_MESSAGE_ASCII, (union nvtx_message){ .ascii = ascii }, wide);
	else
		say_text(said, NVTX_MESSAGE_WIDE, (union nvtx_message){ .wide = wide_text }, wide);
}

/* ---- ranges and marks ---- */

/* NAME(domain, attributes), and the forms of it that NVTX has, each of which ends in `act`. */
#define FORMS(result, name, act)                                                        \
	static result name##_domain(struct nvtx_domain *domain, const struct nvtx_attributes *attributes) \
	{                                                                               \
		char wide[VPROF_NAME_MOST];                                             \
		struct vprof_said said;                                                 \
                                                                                        \
		say(&said, domain, attributes, wide);                                   \
		act;                                                                    \
	}                                                                               \
	static result name##_ex(const struct nvtx_attributes *attributes)               \
	{                                                                               \
		return name##_domain(NULL, attributes);                                 \
	}                                                                               \
	static result name##_ascii(const char *text)                                    \
	{                                                                               \
		struct vprof_said said;                                                 \
                                                                                        \
		say_only(&said, text ? text : "", NULL, NULL);                          \
		act;                                                                    \
	}                                                                               \
	static result name##_wide(const wchar_t *text)                                  \
	{                                                                               \
		char wide[VPROF_NAME_MOST];                                             \
		struct vprof_said said;                                                 \
                                                                                        \
		say_only(&said, NULL, text, wide);                                      \
		act;                                                                    \
	}

FORMS(void, mark, vprof_range_moment(VPROF_KIND_MARK, &said))
FORMS(int, push, return vprof_range_push(&said))
FORMS(uint64_t, start, return vprof_range_start(&said))

static int pop_domain(struct nvtx_domain *domain)
{
	return vprof_range_pop(domain_of(domain));
}

static int pop(void)
{
	return vprof_range_pop(NULL);
}

static void end_domain(struct nvtx_domain *domain, uint64_t id)
{
	(void)domain;
	vprof_range_end(id);
}

/* ---- names ---- */

static void *kept(enum vprof_def_type type, const char *ascii, const wchar_t *wide_text)
{
	char wide[VPROF_NAME_MOST];

	if (!ascii)
		vprof_name_narrow(wide, sizeof(wide), wide_text);
	return vprof_name_keep(type, ascii ? ascii : wide);
}

static void *domain_ascii(const char *name)
{
	return kept(VPROF_DEF_DOMAIN, name, NULL);
}

static void *domain_wide(const wchar_t *name)
{
	return kept(VPROF_DEF_DOMAIN, NULL, name);
}

/* Records refer to it for as long as the ring lives, and the program may make it anew. */
static void domain_destroy(struct nvtx_domain *domain)
{
	(void)domain;
}

static void *string_ascii(struct nvtx_domain *domain, const char *text)
{
	(void)domain;
	return kept(VPROF_DEF_TEXT, text, NULL);
}

static void *string_wide(struct nvtx_domain *domain, const wchar_t *text)
{
	(void)domain;
	return kept(VPROF_DEF_TEXT, NULL, text);
}

static void category_domain_ascii(struct nvtx_domain *domain, uint32_t category, const char *name)
{
	vprof_name_category(domain_of(domain), category, name ? name : "");
}

static void category_domain_wide(struct nvtx_domain *domain, uint32_t category, const wchar_t *name)
{
	char wide[VPROF_NAME_MOST];

	vprof_name_narrow(wide, sizeof(wide), name);
	vprof_name_category(domain_of(domain), category, wide);
}

static void category_ascii(uint32_t category, const char *name)
{
	category_domain_ascii(NULL, category, name);
}

static void category_wide(uint32_t category, const wchar_t *name)
{
	category_domain_wide(NULL, category, name);
}

static void label(enum vprof_label_of of, uint64_t handle, const char *ascii, const wchar_t *wide_text)
{
	char wide[VPROF_NAME_MOST];

	if (!ascii)
		vprof_name_narrow(wide, sizeof(wide), wide_text);
	vprof_name_label(of, handle, NULL, ascii ? ascii : wide);
}

/* Both forms of a function that names a `type`. */
#define LABELS(name, type, of)                                                          \
	static void name##_ascii(type handle, const char *text)                         \
	{                                                                               \
		label(of, (uint64_t)(uintptr_t)handle, text, NULL);                     \
	}                                                                               \
	static void name##_wide(type handle, const wchar_t *text)                       \
	{                                                                               \
		label(of, (uint64_t)(uintptr_t)handle, NULL, text);                     \
	}

LABELS(thread, uint32_t, VPROF_LABEL_THREAD)
LABELS(device, int, VPROF_LABEL_DEVICE)
LABELS(context, void *, VPROF_LABEL_CONTEXT)
LABELS(stream, void *, VPROF_LABEL_STREAM)
LABELS(event, void *, VPROF_LABEL_EVENT)

static enum vprof_label_of label_of(int type)
{
	switch (type) {
	case NVTX_RESOURCE_THREAD_NATIVE:
		return VPROF_LABEL_THREAD;
	case NVTX_RESOURCE_CUDA_DEVICE:
	case NVTX_RESOURCE_CUDART_DEVICE:
		return VPROF_LABEL_DEVICE;
	case NVTX_RESOURCE_CUDA_CONTEXT:
		return VPROF_LABEL_CONTEXT;
	case NVTX_RESOURCE_CUDA_STREAM:
	case NVTX_RESOURCE_CUDART_STREAM:
		return VPROF_LABEL_STREAM;
	case NVTX_RESOURCE_CUDA_EVENT:
	case NVTX_RESOURCE_CUDART_EVENT:
		return VPROF_LABEL_EVENT;
	}
	return VPROF_LABEL_OTHER;
}

/* The handle that it returns is for destroying, which we have no use for; but it may not be NULL. */
static void *resource_create(struct nvtx_domain *domain, const struct nvtx_resource_attributes *a)
{
	char wide[VPROF_NAME_MOST];
	struct vprof_said said = { 0 };

	if (!a || a->size < sizeof(*a))
		return NULL;
	say_text(&said, a->message_type, a->message, wide);
	if (said.text != wide) { /* terminated */
		memcpy(wide, said.text, said.length);
		wide[said.length] = 0;
	}
	vprof_name_label(label_of(a->type), a->handle, domain_of(domain), wide);
	return (void *)(uintptr_t)1;
}

static void resource_destroy(void *resource)
{
	(void)resource;
}

/* ---- the tables ---- */

#define FUNCTION(f) ((nvtx_function)(void (*)(void))(f))

static const struct function {
	uint8_t module, index;
	nvtx_function function;
} functions[] = {
	{ NVTX_MODULE_CORE, 1, FUNCTION(mark_ex) },
	{ NVTX_MODULE_CORE, 2, FUNCTION(mark_ascii) },
	{ NVTX_MODULE_CORE, 3, FUNCTION(mark_wide) },
	{ NVTX_MODULE_CORE, 4, FUNCTION(start_ex) },
	{ NVTX_MODULE_CORE, 5, FUNCTION(start_ascii) },
	{ NVTX_MODULE_CORE, 6, FUNCTION(start_wide) },
	{ NVTX_MODULE_CORE, 7, FUNCTION(vprof_range_end) },
	{ NVTX_MODULE_CORE, 8, FUNCTION(push_ex) },
	{ NVTX_MODULE_CORE, 9, FUNCTION(push_ascii) },
	{ NVTX_MODULE_CORE, 10, FUNCTION(push_wide) },
	{ NVTX_MODULE_CORE, 11, FUNCTION(pop) },
	{ NVTX_MODULE_CORE, 12, FUNCTION(category_ascii) },
	{ NVTX_MODULE_CORE, 13, FUNCTION(category_wide) },
	{ NVTX_MODULE_CORE, 14, FUNCTION(thread_ascii) },
	{ NVTX_MODULE_CORE, 15, FUNCTION(thread_wide) },
	{ NVTX_MODULE_CUDA, 1, FUNCTION(device_ascii) },
	{ NVTX_MODULE_CUDA, 2, FUNCTION(device_wide) },
	{ NVTX_MODULE_CUDA, 3, FUNCTION(context_ascii) },
	{ NVTX_MODULE_CUDA, 4, FUNCTION(context_wide) },
	{ NVTX_MODULE_CUDA, 5, FUNCTION(stream_ascii) },
	{ NVTX_MODULE_CUDA, 6, FUNCTION(stream_wide) },
	{ NVTX_MODULE_CUDA, 7, FUNCTION(event_ascii) },
	{ NVTX_MODULE_CUDA, 8, FUNCTION(event_wide) },
	{ NVTX_MODULE_CUDART, 1, FUNCTION(device_ascii) },
	{ NVTX_MODULE_CUDART, 2, FUNCTION(device_wide) },
	{ NVTX_MODULE_CUDART, 3, FUNCTION(stream_ascii) },
	{ NVTX_MODULE_CUDART, 4, FUNCTION(stream_wide) },
	{ NVTX_MODULE_CUDART, 5, FUNCTION(event_ascii) },
	{ NVTX_MODULE_CUDART, 6, FUNCTION(event_wide) },
	{ NVTX_MODULE_CORE2, 1, FUNCTION(mark_domain) },
	{ NVTX_MODULE_CORE2, 2, FUNCTION(start_domain) },
	{ NVTX_MODULE_CORE2, 3, FUNCTION(end_domain) },
	{ NVTX_MODULE_CORE2, 4, FUNCTION(push_domain) },
	{ NVTX_MODULE_CORE2, 5, FUNCTION(pop_domain) },
	{ NVTX_MODULE_CORE2, 6, FUNCTION(resource_create) },
	{ NVTX_MODULE_CORE2, 7, FUNCTION(resource_destroy) },
	{ NVTX_MODULE_CORE2, 8, FUNCTION(category_domain_ascii) },
	{ NVTX_MODULE_CORE2, 9, FUNCTION(category_domain_wide) },
	{ NVTX_MODULE_CORE2, 10, FUNCTION(string_ascii) },
	{ NVTX_MODULE_CORE2, 11, FUNCTION(string_wide) },
	{ NVTX_MODULE_CORE2, 12, FUNCTION(domain_ascii) },
	{ NVTX_MODULE_CORE2, 13, FUNCTION(domain_wide) },
	{ NVTX_MODULE_CORE2, 14, FUNCTION(domain_destroy) },
};

/* A pointer that we leave as it is becomes NULL in the program: a call that does nothing. */
static void install(const struct nvtx_callbacks *callbacks)
{
	for (int module = NVTX_MODULE_CORE; module <= NVTX_MODULE_SYNC; module++) {
		nvtx_function **list = NULL;
		unsigned size = 0;

		if (!callbacks->module(module, &list, &size) || !list)
			continue;
		for (const struct function *f = functions; f < functions + ARRAY_SIZE(functions); f++)
			if (f->module == module && f->index < size && list[f->index])
				*list[f->index] = f->function;
	}
}

EXPORT int InitializeInjectionNvtx2(nvtx_get_table get_table);

int InitializeInjectionNvtx2(nvtx_get_table get_table)
{
	const struct nvtx_callbacks *callbacks;

	if (!vprof_nvtx_is_wanted(&patterns) || !vprof_own_path())
		return 0;
	callbacks = get_table ? get_table(NVTX_TABLE_CALLBACKS) : NULL;
	if (!callbacks || callbacks->size < sizeof(*callbacks) || !callbacks->module)
		return 0;
	install(callbacks);
	return 1;
}
