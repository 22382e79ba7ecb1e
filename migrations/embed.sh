#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh OUT.c FILES... -- turns migrations/*.sql into the table migration_files[] of
# runtime/config/migrations.h, sorted by name. Refuses a name that is not <name>.<dialect>.sql, and a
# migration that exists in one dialect only.
set -eu
export LC_ALL=C

if [ $# -lt 2 ]; then
    echo "usage: embed.sh OUT.c FILES..." >&2
    exit 1
fi
out=$1
shift

for file in "$@"; do
    base=${file##*/}
    case $base in
    *.sqlite.sql) other=${file%.sqlite.sql}.postgres.sql ;;
    *.postgres.sql) other=${file%.postgres.sql}.sqlite.sql ;;
    *)
        echo "embed.sh: $base: expected <name>.sqlite.sql or <name>.postgres.sql" >&2
        exit 1
        ;;
    esac
    case " $* " in
    *" $other "*) ;;
    *)
        echo "embed.sh: $base has no counterpart ${other##*/}" >&2
        exit 1
        ;;
    esac
done

trap 'rm -f "$out.new"' EXIT
{
    echo '/* SPDX-License-Identifier: Apache-2.0 */'
    echo '/* Made by migrations/embed.sh from the SQL beside it. */'
    echo '#include "config/migrations.h"'
    echo
    echo 'const struct migration_file migration_files[] = {'
    printf '%s\n' "$@" | sort | while IFS= read -r file; do
        base=${file##*/}
        stem=${base%.sql}
        printf '    {"%s", "%s",\n' "${stem%.*}" "${stem##*.}"
        sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
        echo '    },'
    done
    echo '    {0},'
    echo '};'
} >"$out.new"
mv "$out.new" "$out"
