/*
 * kernels.cu - what the cubins in corpus/ were made from (make_corpus says how): kernels whose
 * facts are known from here.
 */
struct pair {
	double value;
	int index;
};

/* Nothing at all. */
extern "C" __global__ void vprof_empty(void)
{
}

/* 20 bytes of parameters at 0, 8 and 16. */
extern "C" __global__ void vprof_scale(const float *x, float *y, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		y[i] = x[i] * 2;
}

/* 4096 bytes of static shared memory, at most 128 threads. A mangled name, a structure by value. */
namespace vprof_test {
template <typename T, int N>
__global__ void __launch_bounds__(128) turn(T *out, pair p, char c)
{
	__shared__ T part[N];

	part[threadIdx.x] = out[threadIdx.x] + (T)p.value + c;
	__syncthreads();
	out[threadIdx.x] = part[N - 1 - threadIdx.x] + p.index;
}
template __global__ void turn<float, 1024>(float *, pair, char);
}

/* A stack: 2048 bytes that are indexed by what is not known before. */
extern "C" __global__ void vprof_stack(int *out, int from, int to)
{
	volatile int table[512];

	for (int i = 0; i < 512; i++)
		table[i] = out[i] + from;
	out[from] = table[to & 511] + table[from & 511];
}

/* Exactly 64 x 2 threads, in clusters of 2 blocks where the GPU has clusters. */
#if __CUDA_ARCH__ >= 900
#define IN_CLUSTERS __cluster_dims__(2, 1, 1) __block_size__((64, 2, 1))
#define SMALL_CLUSTERS __launch_bounds__(96, 1, 4)
#else
#define IN_CLUSTERS
#define SMALL_CLUSTERS __launch_bounds__(96)
#endif
extern "C" __global__ void IN_CLUSTERS vprof_cluster(int *out)
{
	out[blockIdx.x] = threadIdx.x;
}

/* At most 4 blocks a cluster. */
extern "C" __global__ void SMALL_CLUSTERS vprof_small_cluster(int *out, short a, long b)
{
	out[blockIdx.x] = threadIdx.x + a + (int)b;
}
