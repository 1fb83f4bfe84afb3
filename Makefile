# The menu; the logic is in xtask. "make run" opens a demo desk on recorded markets.
run test check bench bench-ui sim load schemathesis ui fmt clean:
	@cargo xtask $@ $(ARGS)
# Session acceptance scripts against the echo acceptor: make fix-acceptance SCRIPTS=dir
fix-acceptance:
	@cargo xtask fix-acceptance $(SCRIPTS)
.PHONY: run test check bench bench-ui sim load schemathesis ui fmt clean fix-acceptance
