#!/usr/bin/awk -f
# Keeps of a record in llvm-profdata's text form the functions in which something ran `rare` times or more and that
# `part` compiles: rocksdb, what is not ours; release, what is not in RocksDB's namespace. Templates of libraries are in both.
# A function is a paragraph: its name, "# Counter Values:" and a number a line, then perhaps other parts that
# begin with "#". The lines before the first function say what kind of record it is.
BEGIN { RS = ""; FS = "\n"; ORS = "\n\n" }
{
  header = NR == 1
  name = header ? $3 : $1  # nothing is between the header and the first function
  ours = name ~ /5troth/
  if (part == "rocksdb" ? ours : !ours && name ~ /7rocksdb/) {
    if (header) print $1 "\n" $2
    next
  }
  counts = 0
  most = 0
  for (line = 1; line <= NF; ++line) {
    if ($line ~ /^#/) {
      counts = $line == "# Counter Values:"
    } else if (counts && $line + 0 > most) {
      most = $line + 0
    }
  }
  if (header || most >= rare) print
}
