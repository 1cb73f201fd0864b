# The spill: a program whose launches can be told apart, and what is there of them.
SPILL_PROGRAMS := $(BUILD)/spill/loop $(BUILD)/spill/check

$(BUILD)/spill/loop: tests/spill/loop.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -o $@ $(LDFLAGS) -ldl -lpthread

$(BUILD)/spill/check: $(BUILD)/tools/tests/spill/check.c.o $(TOOL_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $^ $(LDFLAGS) $(TOOL_LIBS) -o $@

TEST_NEEDS += $(SPILL_PROGRAMS)
