#!/bin/sh
# Lints every shell script of the repository.
set -eu
cd "$(dirname "$0")/.."
git ls-files -z -- '*.sh' |
    xargs -0 shellcheck --severity=style
# Scripts without an ending: whatever git tracks as executable and begins like a shell script.
git ls-files -s | awk '$1 == "100755" { print $4 }' | grep -v '\.sh$' | while read -r file; do
    if head -n 1 "$file" | grep -Eq '^#!.*[/ ](ba|da)?sh'; then
        shellcheck --severity=style "$file"
    fi
done
echo "shellcheck: nothing to fix"
