# The menu; the logic is in xtask. "make run" opens a demo desk on recorded markets.
run test check bench sim load fmt clean:
	@cargo xtask $@ $(ARGS)
.PHONY: run test check bench sim load fmt clean
