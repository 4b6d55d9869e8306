#include "marks.h"

namespace troth::sim {
namespace {

// In the order of Mark.
constexpr std::array<std::string_view, kMarks> kNames = {
    "a save met another server's",
    "a save of a dead server was stored",
    "a save nobody confirmed was stored",
    "several saves in one batch",
    "a claim after a crash",
    "two servers called the same operation",
    "a server called after another had taken over",
    "an action arrived after its compensation",
    "a compensation arrived before its action",
    "a service was called again",
    "an answer came late or twice",
    "another server ended it than began it",
    "a waiting client was told success",
    "a waiting client was told failure",
    "a waiting client was told ongoing",
    "a waiting client was told an error",
    "a client was told overloaded",
    "a client was told that the server stops",
    "a client asked another server",
    "a saga rolled back by a refusal",
    "a saga rolled back by its timeout",
    "a saga rolled back by its retry limit",
    "a concurrent saga ended",
    "a tcc was confirmed",
    "a tcc was cancelled by its client",
    "a tcc was cancelled by its timeout",
    "an xa was committed",
    "an xa was rolled back",
    "a message was checked back and found committed",
    "a message was checked back and dropped",
    "a message waited for its delay",
    "a workflow succeeded",
    "a workflow was rolled back by its client",
    "a workflow was called back",
    "a workflow went on from what was recorded",
    "an operator ended a transfer by force",
};

}  // namespace

std::string_view MarkName(Mark mark) { return kNames[static_cast<size_t>(mark)]; }

}  // namespace troth::sim
