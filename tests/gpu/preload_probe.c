/*
 * preload_probe.c - what vprof assumes of a machine and of its driver, asked of them.
 *
 *	preload_probe            everything below
 *	preload_probe device     name of the first GPU; exit code 77 without one
 *	preload_probe machine    kernel, C library, clocks, /dev/shm, what debuggers may do
 *	preload_probe names      which name functions answer for which kind of handle
 *	preload_probe addresses  is what cuGetProcAddress gives the exported symbol,
 *	                         for each row of shim/cuda_api.def
 *
 * Run it without the preload: it asks the driver, not vprof. A question that may
 * crash (a handle of the wrong kind) is asked in a process of its own.
 */
#include <errno.h>
#include <gnu/libc-version.h>
#include <signal.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/gpu/driver.h"

/* ---- machine ---- */

/* First line of a file whose text after `key` is wanted (NULL: the first line). */
static void print_line(const char *label, const char *path, const char *key)
{
	FILE *f = fopen(path, "re");
	char line[8192];

	while (f && fgets(line, sizeof(line), f)) {
		if (key && strncmp(line, key, strlen(key)))
			continue;
		line[strcspn(line, "\n")] = 0;
		printf("%s\t%s\n", label, line);
		fclose(f);
		return;
	}
	printf("%s\t(no %s)\n", label, path);
	if (f)
		fclose(f);
}

static void print_clock_flags(void)
{
	static const char *const wanted[] = { "constant_tsc", "nonstop_tsc", "rdtscp", "tsc_known_freq", "hypervisor" };
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[8192] = "";

	while (f && fgets(line, sizeof(line), f) && strncmp(line, "flags", 5))
		;
	if (f)
		fclose(f);
	printf("clock flags\t");
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		printf("%s%s ", strstr(line, wanted[i]) ? "" : "no-", wanted[i]);
	printf("\n");
}

static int machine(void)
{
	struct statvfs shm;
	struct utsname name;

	uname(&name);
	printf("kernel\t%s %s %s\n", name.sysname, name.release, name.machine);
	printf("glibc\t%s\n", gnu_get_libc_version());
	printf("processors\t%ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	print_line("processor", "/proc/cpuinfo", "model name");
	print_clock_flags();
	print_line("clock source", "/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL);
	if (!statvfs("/dev/shm", &shm))
		printf("/dev/shm\t%llu MiB, %llu MiB free\n",
		       (unsigned long long)shm.f_blocks * shm.f_frsize >> 20,
		       (unsigned long long)shm.f_bavail * shm.f_frsize >> 20);
	print_line("core pattern", "/proc/sys/kernel/core_pattern", NULL);
	print_line("ptrace scope", "/proc/sys/kernel/yama/ptrace_scope", NULL);
	print_line("driver", "/proc/driver/nvidia/version", NULL);
	return 0;
}

static int device(void)
{
	struct driver d = driver_open();
	char name[256] = "";
	int version = 0;

	d.cuDriverGetVersion(&version);
	DRIVER_TRY(d.cuDeviceGetName(name, sizeof(name), 0));
	printf("gpu\t%s, driver API %d\n", name, version);
	return 0;
}

/* ---- names ---- */

typedef CUresult name_fn(const char **name, void *handle);
typedef CUresult other_fn(void **other, void *handle);
typedef CUresult load_fn(CUlibrary *library, const void *code, void *, void **, unsigned int,
			 void *, void **, unsigned int);
typedef CUresult kernel_fn(CUkernel *kernel, CUlibrary library, const char *name);

enum question {
	FUNC_NAME_OF_FUNCTION, FUNC_NAME_OF_KERNEL, KERNEL_NAME_OF_KERNEL, KERNEL_NAME_OF_FUNCTION,
	FUNCTION_OF_KERNEL, FUNCTION_OF_FUNCTION, MODULE_OF_FUNCTION, MODULE_OF_KERNEL, LAUNCH_OF_KERNEL,
	FUNC_NAME_OF_MODULE_FUNCTION, KERNEL_NAME_OF_MODULE_FUNCTION, FUNCTION_OF_MODULE_FUNCTION,
	QUESTIONS,
};

static const struct {
	const char *text, *symbol;
} questions[QUESTIONS] = {
	[FUNC_NAME_OF_FUNCTION] = { "cuFuncGetName(CUfunction made from a CUkernel)", "cuFuncGetName" },
	[FUNC_NAME_OF_KERNEL] = { "cuFuncGetName((CUfunction)CUkernel)", "cuFuncGetName" },
	[KERNEL_NAME_OF_KERNEL] = { "cuKernelGetName(CUkernel)", "cuKernelGetName" },
	[KERNEL_NAME_OF_FUNCTION] = { "cuKernelGetName((CUkernel)CUfunction made from a CUkernel)", "cuKernelGetName" },
	[FUNCTION_OF_KERNEL] = { "cuKernelGetFunction(CUkernel)", "cuKernelGetFunction" },
	[FUNCTION_OF_FUNCTION] = { "cuKernelGetFunction((CUkernel)CUfunction made from a CUkernel)", "cuKernelGetFunction" },
	[MODULE_OF_FUNCTION] = { "cuFuncGetModule(CUfunction made from a CUkernel)", "cuFuncGetModule" },
	[MODULE_OF_KERNEL] = { "cuFuncGetModule((CUfunction)CUkernel)", "cuFuncGetModule" },
	[LAUNCH_OF_KERNEL] = { "cuLaunchKernel((CUfunction)CUkernel)", "cuLaunchKernel" },
	[FUNC_NAME_OF_MODULE_FUNCTION] = { "cuFuncGetName(CUfunction of cuModuleGetFunction)", "cuFuncGetName" },
	[KERNEL_NAME_OF_MODULE_FUNCTION] = { "cuKernelGetName((CUkernel)CUfunction of cuModuleGetFunction)", "cuKernelGetName" },
	[FUNCTION_OF_MODULE_FUNCTION] = { "cuKernelGetFunction((CUkernel)CUfunction of cuModuleGetFunction)", "cuKernelGetFunction" },
};

static void *symbol(const struct driver *d, const char *name)
{
	void *p = dlsym(d->opened, name);

	if (!p) {
		printf("the driver has no %s\n", name);
		exit(0);
	}
	return p;
}

/* The handle that question `q` is about. */
static void *subject(const struct driver *d, enum question q)
{
	CUlibrary library;
	CUkernel kernel;
	CUmodule module;
	CUfunction f;
	void *function;

	if (q >= FUNC_NAME_OF_MODULE_FUNCTION) {
		DRIVER_TRY(d->cuModuleLoadData(&module, driver_ptx));
		DRIVER_TRY(d->cuModuleGetFunction(&f, module, "vprof_test_empty"));
		return f;
	}
	DRIVER_TRY(((load_fn *)symbol(d, "cuLibraryLoadData"))(&library, driver_ptx, NULL, NULL, 0, NULL, NULL, 0));
	DRIVER_TRY(((kernel_fn *)symbol(d, "cuLibraryGetKernel"))(&kernel, library, "vprof_test_empty"));
	DRIVER_TRY(((other_fn *)symbol(d, "cuKernelGetFunction"))(&function, kernel));
	switch (q) {
	case FUNC_NAME_OF_FUNCTION:
	case KERNEL_NAME_OF_FUNCTION:
	case FUNCTION_OF_FUNCTION:
	case MODULE_OF_FUNCTION:
		return function;
	default:
		return kernel;
	}
}

static int ask(enum question q)
{
	struct driver d = driver_open();
	void *handle, *other = NULL, *asked = symbol(&d, questions[q].symbol);
	const char *name = NULL;
	CUresult result;

	driver_context(&d);
	handle = subject(&d, q);
	if (q == LAUNCH_OF_KERNEL) {
		result = d.cuLaunchKernel(handle, 1, 1, 1, 1, 1, 1, 0, NULL, NULL, NULL);
		printf("result %d, then synchronize %d\n", result, d.cuCtxSynchronize());
	} else if (strstr(questions[q].symbol, "Name")) {
		result = ((name_fn *)asked)(&name, handle);
		printf("result %d, name %s\n", result, name ? name : "NULL");
	} else {
		result = ((other_fn *)asked)(&other, handle);
		printf("result %d, %s\n", result, !other ? "NULL" : other == handle ? "the same handle" : "another handle");
	}
	return 0;
}

static int names(const char *self)
{
	char number[16];
	int status;
	pid_t pid;

	for (int q = 0; q < QUESTIONS; q++) {
		printf("%s\t", questions[q].text);
		fflush(stdout);
		snprintf(number, sizeof(number), "%d", q);
		pid = fork();
		if (!pid) {
			alarm(20);
			execl("/proc/self/exe", self, "ask", number, (char *)NULL);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid)
			printf("not asked: %s\n", strerror(errno));
		else if (WIFSIGNALED(status))
			printf("died by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
		else if (WEXITSTATUS(status))
			printf("exit code %d\n", WEXITSTATUS(status));
	}
	return 0;
}

/* ---- addresses ---- */

static const struct row {
	const char *symbol, *base;
	int version, flags, alias;
} rows[] = {
#define CU_ROW(symbol, base, version, flags, ...) { #symbol, #base, version, flags, 0 },
#define CU_ALIAS(symbol, base, version, flags, ...) { #symbol, #base, version, flags, 1 },
#include "shim/cuda_api.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const char *address_name(void *address)
{
	Dl_info info;

	return dladdr(address, &info) && info.dli_sname ? info.dli_sname : "no exported symbol";
}

static int addresses(void)
{
	struct driver d = driver_open();
	int same = 0, absent = 0, differ = 0;

	for (size_t i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		CUdriverProcAddressQueryResult status = -1;
		void *exported = dlsym(d.opened, r->symbol), *given = NULL;
		CUresult result = d.cuGetProcAddress(r->base, &given, r->version, (uint64_t)r->flags, &status);

		if (!exported && !given) {
			absent++;
			printf("neither exported nor given\t%s\n", r->symbol);
		} else if (exported == given) {
			same++;
		} else {
			differ++;
			printf("%s\t%s: exported %s; (%s, %d, %d) gives result %d, status %d, %s%s\n",
			       r->alias ? "alias" : "DIFFERENT", r->symbol, exported ? "yes" : "no", r->base, r->version,
			       r->flags, result, status, given ? "address of " : "nothing",
			       given ? address_name(given) : "");
		}
	}
	printf("addresses\t%d rows: %d the exported symbol, %d another address, %d neither\n",
	       (int)ROWS, same, differ, absent);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(verb, "device"))
		return device();
	if (!strcmp(verb, "machine"))
		return machine();
	if (!strcmp(verb, "addresses"))
		return addresses();
	if (!strcmp(verb, "names"))
		return names(argv[0]);
	if (!strcmp(verb, "ask") && argc > 2 && atoi(argv[2]) < QUESTIONS)
		return ask((enum question)atoi(argv[2]));
	if (*verb) {
		fprintf(stderr, "usage: preload_probe [device|machine|names|addresses]\n");
		return 2;
	}
	/* names() first: its children open the driver, and this process must not have before it forks. */
	machine();
	names(argv[0]);
	device();
	return addresses();
}
