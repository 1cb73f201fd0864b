# Real readers of traces: the tests run the demo.
TEST_NEEDS += $(DEMO_NEEDS)
