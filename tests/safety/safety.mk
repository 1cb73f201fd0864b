# What a program under the preload must not notice, and what a kill must not cost.
SAFETY          := $(BUILD)/safety
SAFETY_CFLAGS   := $(CSTD) $(CFLAGS)
SAFETY_PROGRAMS := launcher
SAFETY_NEEDS    := $(addprefix $(SAFETY)/,$(SAFETY_PROGRAMS) ring_check)
TEST_NEEDS      += $(SAFETY_NEEDS) $(BUILD)/fakecuda/libcuda.so.1

safety-programs: $(SAFETY_NEEDS)

$(addprefix $(SAFETY)/,$(SAFETY_PROGRAMS)): $(SAFETY)/%: tests/safety/%.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) $< -o $@ $(LDFLAGS) -ldl -lpthread

$(SAFETY)/ring_check: tests/safety/ring_check.c $(wildcard tools/ring*.c) tools/text.c
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC) $(SAFETY_CFLAGS) -MF $@.d $^ -o $@ $(LDFLAGS)

.PHONY: safety-programs
