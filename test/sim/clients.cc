#include "clients.h"

#include <utility>

#include "base/text.h"

namespace troth::sim {
namespace {

constexpr int kAttemptsMax = 6;
constexpr Duration kPatience = Millis(4'000);         // for an answer
constexpr Duration kWaitPatience = Millis(15'000);    // when it asked to wait for the result
constexpr Duration kServicePatience = Millis(3'000);  // for the first phase of a branch

}  // namespace

// A request on its way to an answer.
struct Clients::Question {
  Request request;
  ToldFn then;
  int attempts = 0;
  int waits_for = 0;  // the attempt whose answer is still hoped for; 0: none
  size_t server = 0;
  bool answered = false;
};

Clients::Clients(Context& context,
                 Network& network,
                 Auditor& auditor,
                 Services& services,
                 const Workload& workload,
                 std::vector<std::unique_ptr<SimServer>>& servers)
    : context_(context),
      network_(network),
      auditor_(auditor),
      services_(services),
      workload_(workload),
      servers_(servers),
      workflows_(context, services, [this](Request request, ToldFn then) {
        Ask(std::move(request), std::move(then));
      }) {
  services_.OnWorkflowCalled([this](const std::string& gid) { workflows_.Run(workload_.of(gid)); });
}

void Clients::Start() {
  for (const TransferSpec& spec : workload_.transfers) {
    context_.scheduler.After(spec.start, [this, &spec] { Run(spec); });
  }
}

// --- What applications do

void Clients::Run(const TransferSpec& spec) {
  switch (spec.type) {
    case TransType::kMsg: return spec.prepared ? RunPreparedMessage(spec) : Submit(spec);
    case TransType::kSaga: return Submit(spec);
    case TransType::kTcc:
    case TransType::kXa:
      return Ask(PrepareRequest(spec), [this, &spec](const Told& told) {
        if (told.ok()) TryBranches(spec, 0);
      });
    case TransType::kWorkflow: return workflows_.Run(spec);
  }
}

void Clients::Submit(const TransferSpec& spec) {
  Ask(SubmitRequest(spec), [](const Told&) {});
}

void Clients::Abort(const TransferSpec& spec) {
  auditor_.OnAbortAsked(spec.gid);
  Ask(AbortRequest(spec), [](const Told&) {});
}

void Clients::ForceStop(const TransferSpec& spec) {
  auditor_.OnForceStopAsked(spec.gid);
  Ask(ForceStopRequest(spec), [](const Told&) {});
}

void Clients::RunPreparedMessage(const TransferSpec& spec) {
  Ask(PrepareRequest(spec), [this, &spec](const Told& told) {
    if (!told.ok()) return;
    // Its own work takes a while: maybe so long that it is checked back.
    const Duration work =
        context_.Between(Millis(1), Millis(context_.random.OneIn(4) ? 60'000 : 50));
    context_.scheduler.After(work, [this, &spec] {
      const bool committed = spec.sender_commits && services_.CommitLocally(spec);
      committed ? Submit(spec) : Abort(spec);
    });
  });
}

void Clients::TryBranches(const TransferSpec& spec, size_t branch) {
  if (branch == spec.branches.size()) return Submit(spec);
  Ask(RegisterRequest(spec, branch), [this, &spec, branch](const Told& told) {
    // Asked again after a lost answer, it is there already.
    const bool there = told.known && told.message.find("UniqueKeyConflict") != std::string::npos;
    if (told.ok() || there) {
      TryBranch(spec, branch);
    } else {
      Abort(spec);
    }
  });
}

void Clients::TryBranch(const TransferSpec& spec, size_t branch) {
  const BranchSpec& of = spec.branches[branch];
  auto open = std::make_shared<bool>(true);
  const auto finish = [this, &spec, branch, open](bool done) {
    if (!std::exchange(*open, false)) return;
    done ? TryBranches(spec, branch + 1) : Abort(spec);
  };
  context_.scheduler.After(kServicePatience, [finish] { finish(false); });
  services_.Call(kClients,
                 {.gid = spec.gid, .branch_id = of.branch_id, .op = "try", .service = of.service},
                 [finish](ServiceAnswer answer) { finish(answer == ServiceAnswer::kDone); });
}

// --- Asking

void Clients::Ask(Request request, ToldFn then) {
  auto question = std::make_shared<Question>(std::move(request), std::move(then));
  question->server = context_.random.Below(servers_.size());
  if (context_.faults.Strikes(Fault::kClientVanishes)) {
    context_.log.Add("the client of ", question->request.draft.gid, " vanishes");
    question->then = nullptr;
    question->attempts = kAttemptsMax;  // whatever it sends now is its last
  }
  if (context_.faults.Strikes(Fault::kClientRepeats)) SendOnce(question);
  SendOnce(question);
}

void Clients::SendOnce(const std::shared_ptr<Question>& question) {
  const int attempt = ++question->attempts;
  question->waits_for = attempt;
  SimServer& server = *servers_[question->server];
  const Node node = kFirstServer + server.number();
  network_.SendRequest(kClients, node, [this, &server, node, question, attempt] {
    server.Receive(question->request, [this, node, question, attempt](const ClientReply& reply) {
      auto told = std::make_shared<ClientReply>();
      told->code = reply.code;
      told->message = reply.message;
      if (reply.txn != nullptr) told->txn = std::make_unique<Transaction>(*reply.txn);
      network_.SendReply(
          node, kClients, [this, question, attempt, told] { OnReply(question, attempt, *told); });
    });
  });
  const bool waits = question->request.draft.options.wait_result;
  context_.scheduler.After(waits ? kWaitPatience : kPatience,
                           [this, question, attempt] { AskAgain(question, attempt); });
}

void Clients::OnReply(const std::shared_ptr<Question>& question,
                      int attempt,
                      const ClientReply& reply) {
  if (question->answered) return;
  switch (reply.code) {
    case ReplyCode::kOverloaded:
      context_.marks.Reached(Mark::kClientToldOverloaded);
      return AskAgain(question, attempt);
    case ReplyCode::kUnavailable:
      context_.marks.Reached(Mark::kClientToldStopping);
      return AskAgain(question, attempt);
    case ReplyCode::kInternal: return AskAgain(question, attempt);
    case ReplyCode::kOk:
    case ReplyCode::kFailure:
    case ReplyCode::kOngoing:
    case ReplyCode::kError: break;
  }
  question->answered = true;
  if (!question->then) return;
  Told told{.known = true, .code = reply.code, .message = reply.message};
  if (reply.txn != nullptr) told.txn = std::make_shared<const Transaction>(*reply.txn);
  question->then(told);
}

void Clients::AskAgain(const std::shared_ptr<Question>& question, int attempt) {
  if (question->answered || attempt != question->waits_for) return;
  question->waits_for = 0;
  if (question->attempts >= kAttemptsMax) {
    question->answered = true;
    if (question->then) question->then({});
    return;
  }
  const size_t server = context_.random.Below(servers_.size());
  if (server != question->server) context_.marks.Reached(Mark::kClientAsksAnotherServer);
  question->server = server;
  context_.scheduler.After(context_.Between(Millis(100), Millis(2'000)), [this, question] {
    if (!question->answered) SendOnce(question);
  });
}

}  // namespace troth::sim
