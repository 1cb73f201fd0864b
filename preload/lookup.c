/*
 * lookup.c - which lookups of driver functions get a wrapper.
 *
 * The real lookup runs first and what it sets in dlerror() stays. Its result is
 * swapped only when it is the driver's own function (vprof_shim_swap decides).
 *
 * Our exported cu* functions make one kind of lookup lie: through the global scope
 * (RTLD_DEFAULT, dlopen(NULL), RTLD_NEXT) it finds them where there is no driver at
 * all. Such a lookup is asked again from behind us, and gives what it would without
 * us: NULL and a dlerror().
 *
 * RTLD_NEXT and RTLD_DEFAULT depend on the caller: what lies behind it, and what is in a
 * scope of its own. So they leave untouched, but for the lookups that would lie: RTLD_NEXT
 * where the next definition is ours and there is no driver (with one it finds our
 * wrapper, as a call through the PLT would), RTLD_DEFAULT of a name that we export.
 */
#include <dlfcn.h>
#include <errno.h>
#include "preload/elf.h"
#include "preload/lookup.h"

void *(*vprof_real_dlsym)(void *, const char *);
void *(*vprof_real_dlvsym)(void *, const char *, const char *);

void vprof_lookup_init(void)
{
	__atomic_store_n(&vprof_real_dlvsym, vprof_next_symbol("dlvsym"), __ATOMIC_RELAXED);
	__atomic_store_n(&vprof_real_dlsym, vprof_next_symbol("dlsym"), __ATOMIC_RELEASE);
}

int vprof_driver_find(struct vprof_object *object)
{
	return vprof_object_find("libcuda.so.", object) ? vprof_object_find("libcuda.so", object) : 0;
}

/* Remembered once seen: the driver is never unloaded by the programs that use it. */
static int driver_loaded(void)
{
	static int seen;
	struct vprof_object driver;

	if (!__atomic_load_n(&seen, __ATOMIC_RELAXED) && !vprof_driver_find(&driver))
		__atomic_store_n(&seen, 1, __ATOMIC_RELAXED);
	return __atomic_load_n(&seen, __ATOMIC_RELAXED);
}

static int is_exported(const char *name)
{
	struct vprof_object self;

	return !vprof_object_at((const void *)vprof_lookup_takes, &self) && vprof_object_symbol(&self, name);
}

int vprof_lookup_takes(void *handle, const char *name, const void *caller)
{
	int saved = errno, takes = 1;

	if (!vprof_real_dlsym)
		vprof_lookup_init();
	if (handle == RTLD_NEXT)
		takes = !driver_loaded() && vprof_shim_owns(vprof_symbol_behind(caller, name));
	else if (handle == RTLD_DEFAULT)
		takes = is_exported(name);
	errno = saved;
	return takes;
}

static void *driver_symbol(const char *name)
{
	struct vprof_object driver;

	if (vprof_driver_find(&driver))
		return NULL;
	return vprof_object_symbol(&driver, name);
}

/*
 * What a definition of ours covers: another preload's, or that of a driver that the program is
 * linked with. Up to libc, where the objects begin that are loaded later, into scopes of their own.
 */
static void *covered_symbol(const char *name)
{
	struct vprof_object behind[64];
	size_t count = vprof_objects_behind(behind, ARRAY_SIZE(behind));
	void *found = NULL;

	for (size_t i = 0; i < count && !found; i++)
		found = vprof_object_symbol(&behind[i], name);
	return found;
}

/* `found` is what the real lookup gave: ours, when it went through the global scope. */
static void *swapped(const char *name, void *found)
{
	void *real;

	if (!found || !vprof_shim_owns(found))
		return found ? vprof_shim_swap(name, found) : NULL;
	real = covered_symbol(name);
	if (!real)
		real = driver_symbol(name);
	if (real)
		return vprof_shim_swap(name, real);
	real = vprof_real_dlsym(RTLD_NEXT, name);
	/* Not a tail call: it would ask in the name of our caller, and find us. */
	__asm__ volatile("" : "+r"(real));
	return real;
}

void *vprof_lookup_dlsym(void *handle, const char *name)
{
	return swapped(name, vprof_real_dlsym(handle, name));
}

void *vprof_lookup_dlvsym(void *handle, const char *name, const char *version)
{
	return swapped(name, vprof_real_dlvsym(handle, name, version));
}
