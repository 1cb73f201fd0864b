/*
 * module.c - modules and libraries, and how the functions and kernels in them are found.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fakecuda/fake.h"

CUresult fk_function_add(CUmodule module, const char *name, const struct fk_layout *layout,
	CUfunction *out)
{
	CUfunction function = fk_new(FK_FUNC, sizeof(*function));

	if (!function)
		return CUDA_ERROR_OUT_OF_MEMORY;
	function->name = strdup(name);
	function->module = module;
	if (layout)
		function->layout = *layout;
	fk_kernel_bind(function);
	function->next = module->functions;
	module->functions = function;
	if (out)
		*out = function;
	return CUDA_SUCCESS;
}

static void module_free(CUmodule module)
{
	for (CUfunction f = module->functions, next; f; f = next) {
		next = f->next;
		free(f->name);
		f->name = NULL;
		fk_delete(f);
	}
	fk_delete(module);
}

static CUmodule modules; /* under fk_lock; a library's is not among them: it belongs to no context */

static void module_unlist_locked(CUmodule module)
{
	CUmodule *link = &modules;

	while (*link && *link != module)
		link = &(*link)->next;
	if (*link)
		*link = module->next;
}

static void module_list(CUmodule module)
{
	pthread_mutex_lock(&fk_lock);
	module->next = modules;
	modules = module;
	pthread_mutex_unlock(&fk_lock);
}

void fk_modules_drop(CUcontext ctx)
{
	pthread_mutex_lock(&fk_lock);
	for (CUmodule m = modules, next; m; m = next) {
		next = m->next;
		if (m->ctx != ctx)
			continue;
		module_unlist_locked(m);
		module_free(m);
	}
	pthread_mutex_unlock(&fk_lock);
}

static CUresult module_new(CUmodule *out, const void *image)
{
	CUmodule module;
	CUresult result;

	if (!out || !image)
		return CUDA_ERROR_INVALID_VALUE;
	module = fk_new(FK_MODULE, sizeof(*module));
	if (!module)
		return CUDA_ERROR_OUT_OF_MEMORY;
	module->ctx = fk_ctx();
	result = fk_image_functions(module, image);
	if (result)
		module_free(module);
	else
		*out = module;
	return result;
}

static CUresult module_load(CUmodule *out, const void *image)
{
	CUresult result = module_new(out, image);

	if (!result)
		module_list(*out);
	return result;
}

/* The whole file, NUL-terminated; the caller frees it. */
static CUresult file_read(const char *path, char **out)
{
	FILE *file;
	long size;
	char *text = NULL;

	if (!path)
		return CUDA_ERROR_INVALID_VALUE;
	file = fopen(path, "rb");
	if (!file)
		return CUDA_ERROR_FILE_NOT_FOUND;
	if (!fseek(file, 0, SEEK_END) && (size = ftell(file)) >= 0 && !fseek(file, 0, SEEK_SET) &&
	    (text = calloc(1, (size_t)size + 1)) && fread(text, 1, (size_t)size, file) != (size_t)size) {
		free(text);
		text = NULL;
	}
	fclose(file);
	*out = text;
	return text ? CUDA_SUCCESS : CUDA_ERROR_FILE_NOT_FOUND;
}

static CUresult module_load_file(CUmodule *out, const char *path)
{
	char *text;
	CUresult result = file_read(path, &text);

	if (result)
		return result;
	result = module_load(out, text);
	free(text);
	return result;
}

static CUresult module_unload(CUmodule module)
{
	if (!fk_is(module, FK_MODULE) || module->library)
		return CUDA_ERROR_INVALID_HANDLE;
	fk_ctx_wait(module->ctx); /* its functions may be queued */
	pthread_mutex_lock(&fk_lock);
	module_unlist_locked(module);
	module_free(module);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult function_find(CUfunction *out, CUmodule module, const char *name)
{
	CUresult result = CUDA_ERROR_NOT_FOUND;

	if (!out || !name || !*name)
		return CUDA_ERROR_INVALID_VALUE;
	if (!fk_is(module, FK_MODULE))
		return CUDA_ERROR_INVALID_HANDLE;
	pthread_mutex_lock(&fk_lock);
	for (CUfunction f = module->functions; f && result; f = f->next) {
		if (strcmp(f->name, name))
			continue;
		*out = f;
		result = CUDA_SUCCESS;
	}
	if (result && module->anything)
		result = fk_function_add(module, name, NULL, out);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

/* ---- libraries ----------------------------------------------------------- */

static CUresult kernel_add(CUlibrary library, CUfunction function, CUkernel *out)
{
	CUkernel kernel = function->kernel;

	if (!kernel) {
		kernel = fk_new(FK_KERNEL, sizeof(*kernel));
		if (!kernel)
			return CUDA_ERROR_OUT_OF_MEMORY;
		kernel->library = library;
		kernel->function = function;
		kernel->next = library->kernels;
		library->kernels = kernel;
		function->kernel = kernel;
	}
	if (out)
		*out = kernel;
	return CUDA_SUCCESS;
}

static CUresult library_new(CUlibrary *out, const void *image)
{
	CUmodule module;
	CUlibrary library;
	CUresult result;

	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	result = module_new(&module, image);
	if (result)
		return result;
	library = fk_new(FK_LIBRARY, sizeof(*library));
	if (!library) {
		module_free(module);
		return CUDA_ERROR_OUT_OF_MEMORY;
	}
	library->module = module;
	module->library = library;
	for (CUfunction f = module->functions; f && !result; f = f->next)
		result = kernel_add(library, f, NULL);
	*out = library;
	return result;
}

static CUresult library_load_file(CUlibrary *out, const char *path)
{
	char *text;
	CUresult result = file_read(path, &text);

	if (result)
		return result;
	result = library_new(out, text);
	free(text);
	return result;
}

static CUresult library_unload(CUlibrary library)
{
	if (!fk_is(library, FK_LIBRARY))
		return CUDA_ERROR_INVALID_HANDLE;
	if (library->module->ctx)
		fk_ctx_wait(library->module->ctx);
	pthread_mutex_lock(&fk_lock);
	for (CUkernel k = library->kernels, next; k; k = next) {
		next = k->next;
		fk_delete(k);
	}
	module_free(library->module);
	fk_delete(library);
	pthread_mutex_unlock(&fk_lock);
	return CUDA_SUCCESS;
}

static CUresult kernel_find(CUkernel *out, CUlibrary library, const char *name)
{
	CUfunction function;
	CUresult result;

	if (!fk_is(library, FK_LIBRARY))
		return CUDA_ERROR_INVALID_HANDLE;
	if (!out)
		return CUDA_ERROR_INVALID_VALUE;
	result = function_find(&function, library->module, name);
	if (result)
		return result;
	pthread_mutex_lock(&fk_lock);
	result = kernel_add(library, function, out);
	pthread_mutex_unlock(&fk_lock);
	return result;
}

static CUresult kernels_list(CUkernel *out, unsigned int room, CUlibrary library, unsigned int *count)
{
	unsigned int n = 0;

	if (!fk_is(library, FK_LIBRARY))
		return CUDA_ERROR_INVALID_HANDLE;
	if (!out && !count)
		return CUDA_ERROR_INVALID_VALUE;
	for (CUkernel k = library->kernels; k; k = k->next, n++)
		if (out && n < room)
			out[n] = k;
	if (count)
		*count = n;
	return CUDA_SUCCESS;
}

static CUresult functions_list(CUfunction *out, unsigned int room, CUmodule module,
	unsigned int *count)
{
	unsigned int n = 0;

	if (!fk_is(module, FK_MODULE))
		return CUDA_ERROR_INVALID_HANDLE;
	if (!out && !count)
		return CUDA_ERROR_INVALID_VALUE;
	for (CUfunction f = module->functions; f; f = f->next, n++)
		if (out && n < room)
			out[n] = f;
	if (count)
		*count = n;
	return CUDA_SUCCESS;
}

FK_API(FK_CTX, cuModuleLoad, (CUmodule *out, const char *path),
	module_load_file(out, path))
FK_API(FK_CTX, cuModuleLoadData, (CUmodule *out, const void *image),
	module_load(out, image))
FK_API(FK_CTX, cuModuleLoadDataEx,
	(CUmodule *out, const void *image, unsigned int count, int *options, void **values),
	(void)count, (void)options, (void)values, module_load(out, image))
FK_API(FK_CTX, cuModuleLoadFatBinary, (CUmodule *out, const void *image),
	module_load(out, image))
FK_API(FK_CTX | FK_UNSAFE, cuModuleUnload, (CUmodule module), module_unload(module))
FK_API(FK_CTX, cuModuleGetFunction, (CUfunction *out, CUmodule module, const char *name),
	function_find(out, module, name))
FK_API(FK_CTX, cuModuleGetFunctionCount, (unsigned int *count, CUmodule module),
	functions_list(NULL, 0, module, count))
FK_API(FK_CTX, cuModuleEnumerateFunctions, (CUfunction *out, unsigned int room, CUmodule module),
	functions_list(out, room, module, NULL))
FK_API(FK_INIT, cuLibraryLoadData,
	(CUlibrary *out, const void *code, int *jit, void **jit_values, unsigned int jit_count,
	 int *options, void **values, unsigned int count),
	(void)jit, (void)jit_values, (void)jit_count, (void)options, (void)values, (void)count,
	library_new(out, code))
FK_API(FK_INIT, cuLibraryLoadFromFile,
	(CUlibrary *out, const char *path, int *jit, void **jit_values, unsigned int jit_count,
	 int *options, void **values, unsigned int count),
	(void)jit, (void)jit_values, (void)jit_count, (void)options, (void)values, (void)count,
	library_load_file(out, path))
FK_API(FK_INIT | FK_UNSAFE, cuLibraryUnload, (CUlibrary library), library_unload(library))
FK_API(FK_INIT, cuLibraryGetKernel, (CUkernel *out, CUlibrary library, const char *name),
	kernel_find(out, library, name))
FK_API(FK_CTX, cuLibraryGetModule, (CUmodule *out, CUlibrary library),
	FK_FACT(library, FK_LIBRARY, out, library->module))
FK_API(FK_INIT, cuLibraryGetKernelCount, (unsigned int *count, CUlibrary library),
	kernels_list(NULL, 0, library, count))
FK_API(FK_INIT, cuLibraryEnumerateKernels, (CUkernel *out, unsigned int room, CUlibrary library),
	kernels_list(out, room, library, NULL))
