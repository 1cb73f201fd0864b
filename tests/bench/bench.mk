# Benchmarks: `make bench` prints one row for each figure.
BENCH_PROGRAMS := $(addprefix $(BUILD)/bench/,record_cost range_cost count_cost cold_cost cold_ask cold_step control_cost exec_cost \
	tail paced spill_cost)

$(BUILD)/bench/%: tests/bench/%.c preload/elf.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $(filter %.c,$^) -ldl -lpthread -o $@

$(BUILD)/bench/spill_cost: $(BUILD)/tools/tests/bench/spill_cost.c.o $(TOOL_OBJ) \
		$(BUILD)/lib/preload/spill_pack.c.o $(BUILD)/lib/preload/spill_codec.c.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

# What its scripts run of other folders, the .mk there adds.
bench: all $(BENCH_PROGRAMS) ## every performance figure, against its anchor
	$(Q)BUILD='$(BUILD)' tests/bench/run

.PHONY: bench
