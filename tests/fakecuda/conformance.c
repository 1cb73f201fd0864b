/*
 * conformance.c - what both the real driver and the fake one must do.
 *
 * Prints the same TAP lines on either; the fake driver is only as good as
 * this says. Functions come from dlopen and cuGetProcAddress, or, built with
 * CONFORMANCE_PLT, from the linker. `conformance DEVICE` needs no argument; it
 * uses device 0.
 */
#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include "tests/fakecuda/conformance.h"
#include "tests/tap.h"

struct driver cu;
struct conformance t;

#define PTX_HEAD(name) \
	".visible .entry " #name "(.param .u64 p, .param .u32 n, .param .u32 v)\n" \
	"{ .reg .u64 %rd<4>; .reg .u32 %r<8>; .reg .pred %q;\n" \
	"ld.param.u64 %rd0, [p]; ld.param.u32 %r0, [n]; ld.param.u32 %r5, [v];\n" \
	"mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ntid.x; mov.u32 %r3, %tid.x;\n" \
	"mad.lo.u32 %r1, %r1, %r2, %r3; setp.ge.u32 %q, %r1, %r0; @%q ret;\n" \
	"mul.wide.u32 %rd1, %r1, 4; add.u64 %rd1, %rd0, %rd1; ld.global.u32 %r4, [%rd1];\n"
#define PTX_TAIL "st.global.u32 [%rd1], %r4; ret; }\n"

const char conformance_ptx[] =
	".version 7.0\n.target sm_75\n.address_size 64\n"
	PTX_HEAD(add_one) "add.u32 %r4, %r4, 1;\n" PTX_TAIL
	PTX_HEAD(double_it) "shl.b32 %r4, %r4, 1;\n" PTX_TAIL
	PTX_HEAD(set_all) "mov.u32 %r4, %r5;\n" PTX_TAIL
	".visible .entry spin_20ms()\n"
	"{ .reg .u64 %t<3>; .reg .pred %q; mov.u64 %t0, %globaltimer;\n"
	"LOOP: mov.u64 %t1, %globaltimer; sub.u64 %t2, %t1, %t0;\n"
	"setp.lt.u64 %q, %t2, 20000000; @%q bra LOOP; ret; }\n";

/* One counter for all files; what tap.h keeps is each file's own. */
bool conf_ok(bool pass, const char *name, ...)
{
	char text[256];
	va_list args;

	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	return ok(pass, "%s", text);
}

bool check_result(const char *name, CUresult got, CUresult want)
{
	bool pass = conf_ok(got == want, "%s: %d", name, want);

	if (!pass)
		printf("# got %d\n", got);
	return pass;
}

void check_data(const char *name, int want)
{
	int host[CONF_INTS], wrong = 0;
	CUresult result = cu.cuMemcpyDtoH_v2(host, t.data, sizeof(host));

	for (int i = 0; i < CONF_INTS; i++)
		wrong += host[i] != want;
	if (!conf_ok(!result && !wrong, "%s", name))
		printf("# result %d, %d of %d wrong, the first is %d\n", result, wrong, CONF_INTS, host[0]);
}

CUresult conf_launch(CUfunction f, CUstream stream, int value)
{
	int n = CONF_INTS;
	void *params[] = { &t.data, &n, &value };

	return cu.cuLaunchKernel(f, CONF_INTS / 128, 1, 1, 128, 1, 1, 0, stream, params, NULL);
}

static int held; /* by the test; read by the driver's thread that holds the stream */

static void wait_for_go(void *user)
{
	while (__atomic_load_n((int *)user, __ATOMIC_ACQUIRE))
		usleep(100);
}

void conf_hold(CUstream stream)
{
	__atomic_store_n(&held, 1, __ATOMIC_RELEASE);
	check_result("the stream is held", cu.cuLaunchHostFunc(stream, wait_for_go, &held), CUDA_SUCCESS);
}

void conf_let_go(void)
{
	__atomic_store_n(&held, 0, __ATOMIC_RELEASE);
}

#ifdef CONFORMANCE_PLT
#define D(name, base, version, ...) extern CUresult name(__VA_ARGS__);
DRIVER_API
#undef D
extern CUresult cuGetProcAddress(const char *, void **, int, uint64_t);
extern CUresult cuGetProcAddress_v2(const char *, void **, int, uint64_t, int *);

static void *symbol(const char *name)
{
	return dlsym(RTLD_DEFAULT, name);
}

static void driver_open(void)
{
#define D(name, base, version, ...) cu.name = name;
	DRIVER_API
#undef D
	cu.symbol = symbol;
	cu.gpa1 = cuGetProcAddress;
	cu.gpa2 = cuGetProcAddress_v2;
}
#else
static void *driver;

static void *symbol(const char *name)
{
	return dlsym(driver, name);
}

static void gpa(const char *base, int version, void *out)
{
	void *address = NULL;

	cu.gpa2(base, &address, version, 0, NULL);
	if (!address) {
		printf("Bail out! the driver has no %s of version %d\n", base, version);
		exit(1);
	}
	memcpy(out, &address, sizeof(address));
}

static void driver_open(void)
{
	driver = dlopen("libcuda.so.1", RTLD_NOW);
	if (!driver)
		skip_all("no libcuda.so.1");
	cu.symbol = symbol;
	*(void **)&cu.gpa1 = symbol("cuGetProcAddress");
	*(void **)&cu.gpa2 = symbol("cuGetProcAddress_v2");
#define D(name, base, version, ...) gpa(#base, version, &cu.name);
	DRIVER_API
#undef D
}
#endif

int main(void)
{
	driver_open();
	conf_lookup();
	conf_before_init();
	conf_context();
	conf_module();
	conf_memory();
	conf_copy();
	conf_stream();
	conf_capture();
	conf_ask();
	conf_graph();
	conf_facts();
	conf_stamp();
	conf_twin();
	conf_end();
	return done_testing();
}
