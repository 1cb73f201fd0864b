# Benchmarks: `make bench` prints one row for each figure.
BENCH_PROGRAMS := $(BUILD)/bench/record_cost $(BUILD)/bench/range_cost $(BUILD)/bench/count_cost $(BUILD)/bench/cold_cost $(BUILD)/bench/control_cost $(BUILD)/bench/exec_cost $(BUILD)/bench/tail $(BUILD)/bench/paced

$(BUILD)/bench/%: tests/bench/%.c preload/elf.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $(filter %.c,$^) -ldl -lpthread -o $@

$(BUILD)/bench/spill_cost: $(BUILD)/tools/tests/bench/spill_cost.c.o $(TOOL_OBJ) \
		$(BUILD)/lib/preload/spill_pack.c.o $(BUILD)/lib/preload/spill_codec.c.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

bench: $(BUILD)/bench/spill_cost $(SPILL_PROGRAMS)

bench: all $(BENCH_PROGRAMS) $(BENCH_NEEDS) ## every performance figure, against its anchor
	$(Q)BUILD='$(BUILD)' tests/bench/run

bench: $(BUILD)/tests/shim/all/libcuda.so.1 $(BUILD)/tests/shim/walk

.PHONY: bench
