# Real readers of traces: the tests run the demo.
TEST_NEEDS += $(DEMO_NEEDS)

TEST_NEEDS += $(BUILD)/tests/kineto_made

$(BUILD)/tests/kineto_made: tests/readers/kineto_made.c $(TOOL_OBJ)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(TOOL_CFLAGS) $< $(TOOL_OBJ) $(LDFLAGS) $(TOOL_LIBS) -o $@
