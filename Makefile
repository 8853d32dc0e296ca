# The two commands of the README are `make run` and `make test`; both install what is missing by themselves.

SWIFT_FORMAT = swift format

.PHONY: run build test check bench fuzz sanitize format screenshots clean

# A release build: it takes as long as a debug one, and what people run should be fast.
run:
	scripts/setup run
	swift build -c release --scratch-path .build-release --product hearth
	@exec .build-release/release/hearth serve $(ARGS)

build:
	swift build

# Everything that must pass: the checks, Swift's tests with the fuzzers' corpus, the page's tests, real browsers and phones.
test:
	scripts/setup test
	.venv/bin/python scripts/test $(ARGS)

# The quick part of it, before every commit.
check:
	scripts/setup test
	.venv/bin/python scripts/test check

bench:
	scripts/setup bench
	swift build -c release --scratch-path .build-release --product hearth
	.venv/bin/python Benchmarks/run.py $(ARGS)

# SECONDS of fuzzing per target; TARGETS to pick some.
fuzz:
	scripts/fuzz $(or $(SECONDS),60) $(TARGETS)

# Swift's tests under the address and the thread sanitizer, each with a build of its own: 10 minutes each the first time.
sanitize:
	scripts/setup run
	scripts/sanitize $(ARGS)

# The pictures of the README, of a real call in real browsers.
screenshots: build
	scripts/setup test
	HEARTH_BINARY=.build/debug/hearth .venv/bin/python scripts/screenshots

format:
	$(SWIFT_FORMAT) format --in-place --recursive --parallel Sources Tests Plugins Fuzz Package.swift

clean:
	rm -rf .build .build-release .build-fuzz .build-address .build-thread .venv
