# tests/gpu: what needs a real GPU. `make check` leaves these tests out; each
# skips, and says so, where there is none.
GPU_PROGRAMS := preload_probe stuck_launch launch_cost kernel_facts gpu_kernels stale_reads
GPU_NEEDS    := all $(addprefix $(BUILD)/gpu/,$(GPU_PROGRAMS) handle_probe.so cupti_counts.so cupti_times.so empty.so)
GPU_NEEDS    += $(BUILD)/tests/graphs/client $(BUILD)/memory/holder $(BUILD)/tests/shim/walk
GPU_NEEDS    += $(addprefix $(BUILD)/fakecuda/,conformance conformance-plt libcuda.so.1)
GPU_CFLAGS   := $(CSTD) $(CFLAGS)
TESTS        := $(filter-out tests/gpu/%,$(TESTS))
GPU_TESTS    += $(sort $(wildcard tests/gpu/*.t))

gpu-programs: $(GPU_NEEDS)

check-gpu: gpu-programs ## run the tests that need a GPU (T='tests/gpu/gdb.t' runs some); skips without one
	$(Q)BUILD='$(BUILD)' CC='$(CC)' tests/gpu/run $(if $(filter command%,$(origin T)),$(T),$(GPU_TESTS))

$(addprefix $(BUILD)/gpu/,$(GPU_PROGRAMS)): $(BUILD)/gpu/%: tests/gpu/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GPU_CFLAGS) $< -o $@ $(LDFLAGS) -ldl -lpthread

$(BUILD)/gpu/handle_probe.so: tests/gpu/handle_probe.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GPU_CFLAGS) -fPIC -shared $< -o $@ $(LDFLAGS) -ldl

# A preload that does nothing, to measure beside.
$(BUILD)/gpu/empty.so:
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)echo 'int vprof_test_empty_library = 1;' | $(CC) -x c -fPIC -shared - -o $@

$(BUILD)/gpu/cupti_counts.so: tests/gpu/clients/cupti_counts.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(GPU_CFLAGS) -fPIC -shared $< -o $@ $(LDFLAGS) -ldl -lpthread

bench: $(addprefix $(BUILD)/gpu/,gpu_kernels preload_probe cupti_times.so)

.PHONY: gpu-programs check-gpu
