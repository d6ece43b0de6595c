# `make help` lists the targets. Each does its own set-up; what it installs, it says before.

CARGO ?= cargo

.DEFAULT_GOAL := help
.PHONY: help build check lint unit fleet fuzz fuzz-minute cluster test test-language test-roles test-cluster test-versions test-hostile test-all demo advisories

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST) | sort

build: ## build target/release/windlass
	$(CARGO) build --release --locked

check: lint unit ## the fast tier: formatting, lints, unit and snapshot tests; no root, no network but for crates

lint:
	tests/setup-check.sh
	$(CARGO) fmt --all -- --check
	$(CARGO) clippy --workspace --all-targets --all-features --locked -- -D warnings
	tests/shellcheck.sh
	tests/lab/selftest

unit:
	tests/setup-check.sh
	INSTA_UPDATE=no $(CARGO) test --workspace --locked

fleet: ## tests over real loopback sshd and sudo, and of other users' files and full disks (root)
	tests/setup-check.sh
	tests/fleet/setup.sh
	tests/install/setup.sh
	$(CARGO) test --locked -p windlass-modules --lib -- --ignored
	INSTA_UPDATE=no $(CARGO) test --locked -p windlass-tests --features fleet --test 'fleet*'

# How long each kind of input is fuzzed, in seconds.
FUZZ_SECONDS ?= 600

fuzz: ## fuzz all that reads what others write, ten minutes each (FUZZ_SECONDS)
	tests/fuzz/run $(FUZZ_SECONDS)

# The same inputs each time: a change should not fail by another's bad luck.
fuzz-minute: ## the same, a minute each, with the same inputs in every run
	FUZZ_SEED=1 tests/fuzz/run 60

cluster: ## tests of the shipped playbooks on a real kubeadm (root, or a Docker engine)
	tests/setup-check.sh
	$(CARGO) build --locked
	INSTA_UPDATE=no $(CARGO) test --locked -p windlass-tests --features cluster --test 'cluster*' -- --nocapture --test-threads=1

test: check fleet cluster fuzz-minute ## check, fleet, cluster and a minute of fuzzing: all that every change must pass

test-language: ## random plays and cases of roles, each run by ansible-core and Windlass and compared
	tests/setup-check.sh
	$(CARGO) build --locked
	tests/compare/run 1 40
	tests/compare/roles/run

test-roles: ## twenty roles in the style of published ones, run by both on nodes of a lab: the same state after (root, or a Docker engine)
	tests/setup-check.sh
	$(CARGO) build --locked
	tests/published/run

# Two clusters at a time: each waits more than it works.
test-cluster: ## the whole life of clusters on a real kubeadm, a line for each part (root, or a Docker engine)
	tests/setup-check.sh
	$(CARGO) build --locked
	INSTA_UPDATE=no $(CARGO) test --locked -p windlass-tests --features cluster --test life -- --nocapture --test-threads=2

# One at a time: what is asked of the cluster while it is upgraded should not wait for another's work.
test-versions: ## Kubernetes 1.34 to 1.37 on real nodes: built, upgraded while it is asked, restored (root, or a Docker engine)
	tests/setup-check.sh
	$(CARGO) build --locked
	INSTA_UPDATE=no $(CARGO) test --locked -p windlass-tests --features cluster --test life -- --ignored --nocapture --test-threads=1

test-hostile: ## a node that misbehaves in every way, with every module, a line for each run (root)
	tests/setup-check.sh
	tests/fleet/setup.sh
	$(CARGO) build --locked
	$(CARGO) test --locked -p windlass-tests --features hostile --test fleet_hostile -- --nocapture

test-all: test test-language test-roles test-cluster test-versions test-hostile fuzz ## all of these: two hours and more

demo: ## build a real cluster of six nodes in containers, and show it (root, or a Docker engine)
	@tests/lab/demo

advisories: ## known vulnerabilities of the dependencies, where the database can be reached
	@command -v cargo-audit >/dev/null || { echo "cargo-audit is not installed: cargo install cargo-audit --locked"; exit 1; }
	cargo audit

include tests/lab/lab.mk
