#!/bin/sh
# Every linter, over the whole tree; a tool that is absent fails the run. All run, then the failed ones are named.
set -u
PATH="$PWD/.venv/bin:$PATH"
export PATH
failed=""
run() {
    name=$1
    shift
    echo "== $name: $*"
    "$@" || failed="$failed $name"
}
run ruff ruff check .
run ruff-format ruff format --check .
run yamllint yamllint --strict .
run mypy mypy -p ansible_collections.lycee.openerp.plugins
run mypy-tree mypy lab tools bench tests roles/schedule/files
run ansible-lint ansible-lint --offline --profile production
run changelog antsibull-changelog lint
if [ -n "$failed" ]; then
    echo "lint: failed:$failed" >&2
    exit 1
fi
echo "lint: ruff, ruff format, yamllint, mypy, ansible-lint and antsibull-changelog passed"
