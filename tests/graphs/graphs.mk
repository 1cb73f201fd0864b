# Graphs: a program that has them, and what the tools say of them.
$(BUILD)/tests/graphs/client: tests/graphs/client.c
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CSTD) $(CFLAGS) -MF $@.d $< -ldl -lpthread -o $@

TEST_NEEDS += $(BUILD)/tests/graphs/client
bench: $(BUILD)/tests/graphs/client $(BUILD)/fakecuda/libcuda.so.1
