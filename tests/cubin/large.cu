/* large.cu - likewise: parameters beyond what a small record can tell, constants, a call. */
struct big {
	char c[20000];
};

__constant__ int table[100];

extern "C" __global__ void vprof_big(big b, int *out)
{
	out[threadIdx.x] = b.c[threadIdx.x] + table[threadIdx.x];
}

/* Not a kernel: it is not to be listed. */
__device__ __noinline__ int helper(int a)
{
	volatile int t[8];

	t[a & 7] = a;
	return t[(a + 1) & 7];
}

extern "C" __global__ void vprof_calls(int *out)
{
	out[0] = helper(out[0]);
}
