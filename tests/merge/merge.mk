TEST_NEEDS += $(BUILD)/tests/forge

$(BUILD)/tests/forge: tests/merge/forge.c include/vprof/ring.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) $< -o $@

TESTS += $(BUILD)/tests/merge_text
TEST_NEEDS += $(BUILD)/tests/merge_text

$(BUILD)/tests/merge_text: tests/merge/text.c tools/text.c tools/text.h
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) tests/merge/text.c tools/text.c -o $@

bench: $(BUILD)/tests/forge
