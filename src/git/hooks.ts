import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The second look at what may be pushed, in the process that moves the refs; the first, with words for every case, is
 * `push-rules.ts`. The shell alone decides: nothing here starts a program, which may be missing, or not start for want of
 * room. Whatever fails refuses, and so does everything where the server has said nothing. Reads TRUEUP_PROTECTED (full ref
 * names, one a line), TRUEUP_DEFAULT (full name) and TRUEUP_BOOTSTRAP.
 */
const PRE_RECEIVE = `#!/bin/sh
# Written by Trueup at every start; changes are lost.
set -eu
protected="
\${TRUEUP_PROTECTED?}
"
default=\${TRUEUP_DEFAULT:?}
is_zero() { case $1 in *[!0]*) return 1 ;; *) return 0 ;; esac; }
refuse() {
  printf '%s\n' "Trueup: $1 was not pushed: $2" >&2 || :
  exit 1
}
while read -r old new ref; do
  case $ref in
    refs/heads/-* | refs/tags/-* | refs/heads/HEAD | refs/heads/refs/*) refuse "$ref" "the name is easily taken for something else" ;;
    refs/heads/?*) ;;
    refs/tags/?* | refs/notes/?*) continue ;;
    *) refuse "$ref" "only branches, tags and notes can be pushed" ;;
  esac
  case $protected in
    *"
$ref
"*) guarded=1 ;;
    *) guarded=0 ;;
  esac
  if is_zero "$new" && { [ "$guarded" = 1 ] || [ "$ref" = "$default" ]; }; then refuse "$ref" "it is the default branch"; fi
  if [ "$guarded" = 1 ]; then
    if [ "\${TRUEUP_BOOTSTRAP:-0}" = 1 ] && [ "$ref" = "$default" ] && is_zero "$old"; then continue; fi
    refuse "$ref" "it is protected; changes come in by merge requests only"
  fi
done
exit 0
`

/**
 * Records what was pushed for the server, whole or not at all, and tells the pusher how to go on. The format is read by
 * push-file.ts. A line feed inside an option could forge a line, so it becomes a space. TRUEUP_OPEN_MRS: "NUMBER BRANCH"
 * of open merge requests, one a line; a branch that is neither new nor among them is not commented. Options and refusals
 * are those of engine/ref-sync.ts and of openMergeRequest, which run when the pusher listens no more.
 */
const POST_RECEIVE = `#!/bin/sh
# Written by Trueup at every start; changes are lost.
set -u
file=\${TRUEUP_PUSH_FILE:-}
default=$(git symbolic-ref -q HEAD || echo refs/heads/main)
target=\${default#refs/heads/}
hints=
wants_mr=0
is_zero() { case $1 in *[!0]*) return 1 ;; *) return 0 ;; esac; }
open_mr() {
  printf '%s\\n' "\${TRUEUP_OPEN_MRS:-}" | while read -r number branch; do
    if [ "$branch" = "$1" ]; then printf '%s' "$number"; break; fi
  done
}
# Why the server will not open a merge request, as openMergeRequest decides; nothing where it will.
refusal() {
  if [ "$1" = "$target" ]; then
    printf 'it is the target itself. Next: git push -o mr origin HEAD:refs/heads/my-change'
  elif ! git rev-parse -q --verify "refs/heads/$target^{commit}" >/dev/null 2>&1; then
    printf 'there is no branch %s. Push it first, or name another target.' "$target"
  elif git merge-base --is-ancestor "$2" "refs/heads/$target" 2>/dev/null; then
    printf 'it has no commit that %s lacks. Commit something and push again.' "$target"
  fi
}
hint() {
  number=$(open_mr "$1")
  if [ -n "$number" ]; then
    hints="\${hints}Trueup: !$number is updated: trueup mr show $number
"
  elif [ "$wants_mr" = 1 ]; then
    why=$(refusal "$1" "$3")
    if [ -n "$why" ]; then
      hints="\${hints}Trueup: no merge request is opened for $1: $why
"
    else
      hints="\${hints}Trueup: a merge request for $1 is being opened: trueup mr show
"
    fi
  elif is_zero "$2"; then
    hints="\${hints}Trueup: to open a merge request for $1: trueup mr create, or push with -o mr
"
  fi
}
options() {
  i=0
  while [ "$i" -lt "\${GIT_PUSH_OPTION_COUNT:-0}" ]; do
    eval "option=\\$GIT_PUSH_OPTION_$i"
    printf 'option %s\\n' "$(printf '%s' "$option" | tr '\\n\\r' '  ')"
    case \${option%%=*} in mr | mr.title | mr.target | mr.draft | merge_request.create) wants_mr=1 ;; esac
    case $option in mr.target=?*) target=\${option#mr.target=} ;; mr.target | mr.target=) target=\${default#refs/heads/} ;; esac
    i=$((i + 1))
  done
}
record() {
  printf 'trueup-push 1\\nrepository %s\\nuser %s\\n' "\${TRUEUP_REPOSITORY:-}" "\${TRUEUP_USER_ID:-}"
  options
  while read -r old new ref; do
    printf 'update %s %s %s\\n' "$old" "$new" "$ref"
    if is_zero "$new"; then continue; fi
    case $ref in "$default") ;; refs/heads/*) hint "\${ref#refs/heads/}" "$old" "$new" ;; esac
  done
  printf 'end\\n'
}
if [ -n "$file" ]; then
  record >"$file.tmp" && mv "$file.tmp" "$file"
else
  record >/dev/null
fi
printf '%s' "$hints" >&2
exit 0
`

const HOOKS: [name: string, text: string][] = [
  ['pre-receive', PRE_RECEIVE],
  ['post-receive', POST_RECEIVE],
]

/** Writes the hooks that all repositories share (core.hooksPath); existing ones of another version are replaced. */
export async function installHooks(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  for (const [name, text] of HOOKS) {
    const file = join(directory, name)
    if ((await readFile(file, 'utf8').catch(() => null)) !== text) {
      await writeFile(`${file}.tmp`, text, { mode: 0o755 })
      await rename(`${file}.tmp`, file)
    }
    await chmod(file, 0o755)
  }
}
