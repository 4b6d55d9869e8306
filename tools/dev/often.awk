#!/usr/bin/awk -f
# Keeps of a record in llvm-profdata's text form the functions in which something ran `rare` times or more.
# A function is a paragraph: its name, "# Counter Values:" and a number a line, then perhaps other parts that
# begin with "#". The lines before the first function say what kind of record it is.
BEGIN { RS = ""; FS = "\n"; ORS = "\n\n" }
{
  counts = 0
  most = 0
  for (line = 1; line <= NF; ++line) {
    if ($line ~ /^#/) {
      counts = $line == "# Counter Values:"
    } else if (counts && $line + 0 > most) {
      most = $line + 0
    }
  }
  if (NR == 1 || most >= rare) print
}
