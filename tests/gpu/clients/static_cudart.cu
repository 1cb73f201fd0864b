/*
 * static_cudart.cu - the CUDA runtime linked in statically, as nvcc does by default.
 *
 *	nvcc -cudart static static_cudart.cu -o static_cudart -ldl
 *
 * The same known work three times, the third to be counted: see client.py, whose marks and
 * words (cupti_counts.c) this program uses in the same way. MODE is vprof, cupti or both.
 */
#include <cuda_runtime.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 5000 };

#define TRY(call) \
	do { \
		cudaError_t error = (call); \
		if (error) { \
			fprintf(stderr, "%s: %s\n", #call, cudaGetErrorName(error)); \
			exit(2); \
		} \
	} while (0)

template <typename T> __global__ void vprof_scale(const T *x, T *y, T factor, int n)
{
	int i = blockIdx.x * blockDim.x + threadIdx.x;

	if (i < n)
		y[i] = x[i] * factor;
}

__global__ void vprof_shared(float *y)
{
	__shared__ float part[256];

	part[threadIdx.x] = y[threadIdx.x];
	__syncthreads();
	y[threadIdx.x] = part[255 - threadIdx.x];
}

static float *x, *y, *pinned, pageable[N];
static double *xd, *yd;
static cudaStream_t stream;
static cudaGraphExec_t graph;

static void launch_all(void)
{
	vprof_scale<float><<<20, 256, 0, stream>>>(x, y, 2, N);
	vprof_scale<double><<<20, 256, 0, stream>>>(xd, yd, 2, N);
	vprof_shared<<<1, 256, 0, stream>>>(y);
}

static void prepare(void)
{
	cudaGraph_t captured;

	TRY(cudaMalloc(&x, N * sizeof(*x)));
	TRY(cudaMalloc(&y, N * sizeof(*y)));
	TRY(cudaMalloc(&xd, N * sizeof(*xd)));
	TRY(cudaMalloc(&yd, N * sizeof(*yd)));
	TRY(cudaMallocHost(&pinned, N * sizeof(*pinned)));
	TRY(cudaStreamCreate(&stream));
	launch_all();
	TRY(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed));
	launch_all();
	TRY(cudaMemsetAsync(y, 0, 3000, stream));
	TRY(cudaMemcpyAsync(x, pinned, 2000, cudaMemcpyHostToDevice, stream));
	TRY(cudaStreamEndCapture(stream, &captured));
	TRY(cudaGraphInstantiate(&graph, captured, 0));
}

static void work(void)
{
	TRY(cudaMemset(x, 0, N * sizeof(*x)));
	TRY(cudaMemcpy(x, pageable, N * sizeof(*x), cudaMemcpyHostToDevice));
	for (int i = 0; i < 10; i++)
		launch_all();
	for (int i = 0; i < 6; i++)
		TRY(cudaGraphLaunch(graph, stream));
	TRY(cudaMemcpyAsync(pinned, y, N * sizeof(*y), cudaMemcpyDeviceToHost, stream));
	TRY(cudaMemcpyAsync(y, x, 1000, cudaMemcpyDeviceToDevice, stream));
	vprof_scale<float><<<20, 256>>>(x, y, 3, N);
	TRY(cudaGetLastError());
	TRY(cudaDeviceSynchronize());
	TRY(cudaMemcpy(pageable, y, 400, cudaMemcpyDeviceToHost));
}

static void cupti(const char *mode, const char *name)
{
	int (*function)(void) = (int (*)(void))dlsym(RTLD_DEFAULT, name);

	if (!strcmp(mode, "vprof"))
		return;
	if (!function || function()) {
		fprintf(stderr, "%s failed\n", name);
		exit(2);
	}
}

static void mark(const char *mode, const char *name)
{
	int (*function)(void) = (int (*)(void))dlsym(dlopen("libcuda.so.1", RTLD_NOW), name);

	if (strcmp(mode, "cupti") && function)
		function();
}

static void tell(const char *folder)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/told.0.json", folder);
	file = fopen(path, "w");
	if (!file)
		exit(2);
	fprintf(file, "{\"pid\": %d, \"rank\": \"0\"}\n", (int)getpid());
	fclose(file);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	cupti(argv[1], "cupti_counts_prepare");
	prepare();
	work();
	work();
	usleep(20000);
	cupti(argv[1], "cupti_counts_begin");
	mark(argv[1], "cuProfilerStart");
	work();
	usleep(20000);
	mark(argv[1], "cuProfilerStop");
	cupti(argv[1], "cupti_counts_end");
	tell(argv[2]);
	return 0;
}
