/*
 * wrap_module.c - modules and libraries, and the functions looked up in them.
 *
 * A lookup tells the name of a handle, and whether the handle is a CUkernel; that is
 * remembered for its launches. After an unload handles may come back as others.
 */
#include "shim/image.h"
#include "shim/kernels.h"
#include "shim/twin.h"
#include "shim/wrap.h"

#define FILL(handle, from, size) \
	fill_head(r.slot, VPROF_KIND_MODULE, call, object); fill_words(r.slot, WORD(handle), WORD(from), size, 0)

/* ---- loading: `out` is where the driver returns the handle ---- */

#define LOAD(name, params, args, from, image, file) \
	WRAP_KEEP(EXPORT, name, params, args, , FILL(0, from, 0), \
		  uint64_t size = vprof_module_loaded(*out, image, file), \
		  r.slot->module.handle = WORD(*out); r.slot->module.size = size)

LOAD(cuModuleLoad,          (CUmodule *out, const char *file),  (out, file), file, NULL, file);
LOAD(cuModuleLoadData,      (CUmodule *out, const void *image), (out, image), image, image, NULL);
LOAD(cuModuleLoadFatBinary, (CUmodule *out, const void *image), (out, image), image, image, NULL);
LOAD(cuModuleLoadDataEx, (CUmodule *out, const void *image, unsigned n, void *options, void **values),
     (out, image, n, options, values), image, image, NULL);

#define LIBRARY_LOAD(name, type, image, file) \
	LOAD(name, \
	     (CUlibrary *out, const type *from, void *jit, void **jit_values, unsigned jits, void *options, \
	      void **values, unsigned n), \
	     (out, from, jit, jit_values, jits, options, values, n), from, image, file)

LIBRARY_LOAD(cuLibraryLoadData,     void, from, NULL);
LIBRARY_LOAD(cuLibraryLoadFromFile, char, NULL, from);

/* ---- unloading ---- */

#define UNLOAD(name, type) \
	WRAP_KEEP(EXPORT, name, (type handle), (handle), vprof_twins_functions_go(), FILL(handle, 0, 0), \
		  vprof_kernels_recheck(), )

UNLOAD(cuModuleUnload,  CUmodule);
UNLOAD(cuLibraryUnload, CUlibrary);

/* ---- looking up ---- */

#define LOOKUP(call, params, args, from, learn) \
	WRAP_KEEP(EXPORT, call, params, args, , FILL(0, from, 0), object = learn, \
		  r.slot->object = object; r.slot->module.handle = WORD(*out))

LOOKUP(cuModuleGetFunction, (CUfunction *out, CUmodule module, const char *name), (out, module, name), module,
       vprof_kernel_seen(*out, 0, name, module));
LOOKUP(cuLibraryGetKernel, (CUkernel *out, CUlibrary library, const char *name), (out, library, name), library,
       vprof_kernel_seen(*out, 1, name, library));
LOOKUP(cuKernelGetFunction, (CUfunction *out, CUkernel kernel), (out, kernel), kernel,
       vprof_kernel_seen(*out, 0, vprof_kernel_name(kernel), NULL));

/* All kernels of a library: their names are asked for when they are launched. */
static void kernels_seen(CUkernel *out, unsigned count)
{
	for (unsigned i = 0; out && i < count && out[i]; i++)
		vprof_kernel_seen(out[i], 1, NULL, NULL);
}

WRAP_KEEP(EXPORT, cuLibraryEnumerateKernels, (CUkernel *out, unsigned count, CUlibrary library),
	  (out, count, library), , FILL(0, library, count), kernels_seen(out, count), );
