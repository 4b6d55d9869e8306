// troth: the server's program.

#include "server/program.h"

int main(int argc, char** argv) { return troth::RunProgram(argc, argv); }
