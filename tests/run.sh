#!/bin/sh
# All tests, in three runs beside each other: much of their time is spent waiting for container engines and Elasticsearch.
# Each run has a folder of its own, for pytest's usual one is not made for several; in lower case, for Podman takes paths
# for names. What the first two say is shown at the end, and kept in build/. A shell has what it runs in the background
# ignore Ctrl-C, which tests send: env undoes that.
set -u
cd "$(dirname "$0")/.."
pytest="${1:-.venv/bin/pytest}"
engines="tests/site/engines tests/site/install tests/site/parts tests/site/rehearse tests/end_to_end/test_site.py"
elastic="tests/assets tests/package"
place="${TMPDIR:-/tmp}/llm-bundle-tests-$$"
mkdir -p build
mkdir -m 700 "$place" "$place/e" "$place/k" "$place/o" || exit 1
trap 'kill $(jobs -p) 2> /dev/null; rm -rf "$place"; exit 130' INT TERM

env --default-signal=INT "$pytest" --basetemp="$place/e/t" $engines > build/engines.log 2>&1 &
first=$!
env --default-signal=INT "$pytest" --basetemp="$place/k/t" $elastic > build/elastic.log 2>&1 &
second=$!
ignored=""
for path in $engines $elastic; do ignored="$ignored --ignore=$path"; done
"$pytest" --basetemp="$place/o/t" $ignored
code=$?
wait "$second" || code=1
cat build/elastic.log
wait "$first" || code=1
cat build/engines.log
rm -rf "$place"
exit "$code"
