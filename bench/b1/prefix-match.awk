# Floor of B1: reads "PREFIX STACK" lines (a stack's own directory, and the modules that it uses), then for each commit a
# line "@ NUMBER" and the changed paths; writes "NUMBER STACK" once for each affected stack.
FILENAME == ARGV[1] { users[$1] = users[$1] == "" ? $2 : users[$1] " " $2; next }
$1 == "@" { number = $2; delete seen; next }
{
  path = $0
  while (match(path, /\/[^\/]*$/)) {
    path = substr(path, 1, RSTART - 1)
    if (!(path in users) || (path in seen)) continue
    seen[path] = 1
    count = split(users[path], found, " ")
    for (i = 1; i <= count; i++)
      if (!(found[i] in seen) || found[i] == path) { seen[found[i]] = 1; print number, found[i] }
  }
}
