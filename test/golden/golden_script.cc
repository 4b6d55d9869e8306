#include "golden_script.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "engine/engine_script_test_util.h"

namespace troth {
namespace {

// The words of an input line: the plain ones in order, those like KEY=VALUE and +KEY by key.
struct Words {
  std::vector<std::string> plain;
  std::map<std::string, std::string> keys;

  std::string at(size_t i) const { return i < plain.size() ? plain[i] : std::string(); }
  bool has(const std::string& key) const { return keys.contains(key); }
  std::string key(const std::string& name) const { return has(name) ? keys.at(name) : ""; }
  int64_t number(const std::string& name) const { return ParseInt(key(name)).value_or(0); }
  // Plain words from `i` on, as one text.
  std::string rest(size_t i) const {
    std::string text;
    for (; i < plain.size(); ++i) CatTo(text, text.empty() ? "" : " ", plain[i]);
    return text;
  }
};

Words SplitWords(std::string_view line) {
  Words words;
  for (const std::string_view word : Split(line, ' ')) {
    const size_t equals = word.find('=');
    if (word.empty()) continue;
    if (word.front() == '+') {
      words.keys[std::string(word.substr(1))] = "yes";
    } else if (equals == std::string_view::npos || equals == 0) {
      words.plain.emplace_back(word);
    } else {
      words.keys[std::string(word.substr(0, equals))] = word.substr(equals + 1);
    }
  }
  return words;
}

Duration ParseSeconds(const std::string& text) {
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::strtod(text.c_str(), nullptr)));
}

// "2:0,1;3:2": step 2 after steps 0 and 1, step 3 after step 2.
std::vector<StepOrder> ParseOrders(std::string_view text) {
  std::vector<StepOrder> orders;
  for (const std::string_view part : Split(text, ';')) {
    const auto sides = Split(part, ':');
    StepOrder order;
    order.step = static_cast<uint32_t>(ParseInt(sides.front()).value_or(0));
    for (const std::string_view after : Split(sides.back(), ',')) {
      order.after.push_back(static_cast<uint32_t>(ParseInt(after).value_or(0)));
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

void SetOptions(const Words& words, Transaction& draft) {
  TransOptions& options = draft.options;
  options.wait_result = words.has("wait");
  options.concurrent = words.has("concurrent") && draft.type == TransType::kMsg;
  options.timeout_to_fail = words.number("timeout_to_fail");
  options.request_timeout = words.number("request_timeout");
  options.retry_interval = words.number("retry_interval");
  options.retry_limit = words.number("retry_limit");
  options.retry_count = words.number("retry_count");
  draft.query_prepared = words.key("check");
  draft.msg_delay = words.number("delay");
  draft.saga_concurrent = words.has("concurrent") && draft.type == TransType::kSaga;
  if (words.has("orders")) draft.saga_orders = ParseOrders(words.key("orders"));
  if (words.has("delay")) draft.custom_data = Cat("{\"delay\":", words.key("delay"), "}");
}

class Runner {
 public:
  // False: the line is not understood.
  bool Run(const std::string& line);
  std::vector<std::string> Take();

 private:
  EngineScript& script();
  bool SetOption(const std::string& name, const std::string& value);
  bool SendRequest(const Words& words);
  bool AnswerStore(const Words& words);
  bool AnswerCall(const Words& words);
  bool Happen(const Words& words);

  EngineOptions options_;
  std::unique_ptr<EngineScript> script_;
  size_t breaches_ = 0;
};

EngineScript& Runner::script() {
  if (!script_) script_ = std::make_unique<EngineScript>(options_);
  return *script_;
}

bool Runner::Run(const std::string& line) {
  const Words words = SplitWords(line);
  const std::string verb = words.at(0);
  if (verb == "option") return SetOption(words.at(1), words.at(2));
  if (verb == "done") return AnswerCall(words);
  return SendRequest(words) || AnswerStore(words) || Happen(words);
}

bool Runner::SetOption(const std::string& name, const std::string& value) {
  const auto number = ParseInt(value).value_or(0);
  Limits& limits = options_.limits;
  if (name == "alerts") return options_.alerts = true;
  if (name == "request_timeout") return options_.request_timeout = Seconds(number), true;
  if (name == "retry_interval_max") return limits.retry_interval_max = number, true;
  if (name == "parallel_calls_max") {
    return limits.parallel_calls_max = static_cast<size_t>(number), true;
  }
  return false;
}

bool Runner::SendRequest(const Words& words) {
  const std::string verb = words.at(0);
  const std::string gid = words.at(1);
  const TransType type = ParseTransType(words.at(2)).value_or(TransType::kMsg);
  Request request;
  if (verb == "submit" || verb == "prepare") {
    const auto first = words.plain.begin() + std::min<ptrdiff_t>(3, std::ssize(words.plain));
    request = SubmitOf(gid, type, {first, words.plain.end()});
    if (verb == "prepare") request.kind = RequestKind::kPrepare;
    SetOptions(words, request.draft);
    request.workflow_status = words.key("status");
    request.workflow_result = words.key("result");
    request.rollback_reason = words.key("reason");
  } else if (verb == "register") {
    request = RegisterOf(gid, type, words.at(3), words.at(4));
    if (words.has("data")) request.draft.payloads = {words.key("data")};
    if (words.key("status") == "failed") {
      request.draft.branches.front().status = BranchStatus::kFailed;
    }
  } else if (verb == "abort") {
    request = RequestOf(RequestKind::kAbort, gid, type);
    request.type_given = words.at(2) != "-";
    request.rollback_reason = words.key("reason");
  } else if (verb == "prepare-workflow") {
    request = RequestOf(RequestKind::kPrepareWorkflow, gid, TransType::kWorkflow);
    request.draft.query_prepared = words.at(2);
    request.draft.workflow_name = "flow";
    request.draft.payloads = {"input"};
    request.draft.workflow_input = 0;
  } else if (verb == "force-stop" || verb == "reset-cron") {
    request =
        RequestOf(verb == "force-stop" ? RequestKind::kForceStop : RequestKind::kResetNextCronTime,
                  gid,
                  TransType::kMsg);
    request.type_given = false;
  } else {
    return false;
  }
  script().Send(std::move(request));
  return true;
}

bool Runner::AnswerStore(const Words& words) {
  const std::string verb = words.at(0);
  const std::string gid = words.at(1);
  const bool save = script().HasOpenSave(gid);
  const bool load = script().HasOpenLoad(gid);
  if (verb == "saved" && save) return script().Saved(gid), true;
  if (verb == "written" && save) return script().Written(gid), true;
  if (verb == "conflict" && save) return script().Conflict(gid), true;
  if (verb == "refused" && save) return script().Refused(gid), true;
  if (verb == "unknown" && save) return script().Unknown(gid, words.at(2) == "stored"), true;
  if (verb == "loaded" && load) return script().Loaded(gid), true;
  if (verb == "load-failed" && load) return script().LoadFailed(gid, words.rest(2)), true;
  if (verb == "ask-claim" && script().HasStored(gid)) return script().AskClaim(gid), true;
  if (verb == "claim" && script().HasStored(gid)) return script().Claim(gid), true;
  return false;
}

std::optional<CallResult> ParseResult(const Words& words) {
  const std::string outcome = words.at(3);
  const std::string text = words.rest(4);
  if (outcome == "ok") return Succeeds();
  if (outcome == "failed") return text.empty() ? Fails() : Fails(text);
  if (outcome == "ongoing") return Ongoing();
  if (!outcome.starts_with("unknown")) return std::nullopt;
  CallResult result = text.empty() ? Unknown() : Unknown(text);
  if (outcome.size() > 9) result.grpc_code = std::atoi(outcome.c_str() + 8);  // "unknown(14)"
  return result;
}

std::optional<BranchOp> ParseCalledOp(std::string_view name) {
  if (name == WireName(BranchOp::kMsg)) return BranchOp::kMsg;
  if (name == WireName(BranchOp::kWorkflow)) return BranchOp::kWorkflow;
  return ParseBranchOp(name);
}

bool Runner::AnswerCall(const Words& words) {
  const auto target = Split(words.plain.at(1), '/');
  const std::optional<BranchOp> op = ParseCalledOp(words.at(2));
  std::optional<CallResult> result = ParseResult(words);
  if (target.size() != 2 || !op || !result) return false;
  const std::string gid(target[0]);
  const auto& calls = script().calls();
  const bool open = std::any_of(calls.begin(), calls.end(), [&](const auto& call) {
    return call.gid == gid && call.branch_id == target[1] && call.op == *op;
  });
  if (open) script().Done(gid, target[1], *op, std::move(*result));
  return open;
}

bool Runner::Happen(const Words& words) {
  const std::string verb = words.at(0);
  const std::string gid = words.at(1);
  if (verb == "auto") {
    script().auto_store |= gid == "store";
    script().auto_claim |= gid == "claim";
    return gid == "store" || gid == "claim";
  }
  if (verb == "wait") return script().Advance(ParseSeconds(gid)), true;
  if (verb == "crash") return script().Crash(), true;
  if (verb == "stop") return script().StopStarting(), true;
  if (verb == "hand-back") return script().HandBack(), true;
  if (verb == "erase") return script().EraseStored(gid), true;
  if (verb == "other" && script().HasStored(gid)) {
    Transaction& txn = script().stored(gid);
    txn.status = ParseTransStatus(words.at(2)).value_or(txn.status);
    ++txn.version;
    return true;
  }
  return false;
}

std::vector<std::string> Runner::Take() {
  std::vector<std::string> lines = script().Take();
  const auto& breaches = script().breaches();
  for (; breaches_ < breaches.size(); ++breaches_) {
    lines.push_back(Cat("BROKEN ", breaches[breaches_]));
  }
  return lines;
}

}  // namespace

std::string RunGoldenScript(std::string_view script) {
  Runner runner;
  std::string out;
  bool in_answer = false;
  for (const std::string_view line : Split(script, '\n')) {
    if (line.empty()) in_answer = false;
    if (in_answer) continue;
    CatTo(out, line, "\n");
    if (line == "----") {
      in_answer = true;
      for (const std::string& answer : runner.Take()) CatTo(out, answer, "\n");
    } else if (!line.empty() && line.front() != '#' && !runner.Run(std::string(line))) {
      CatTo(out, "NOT UNDERSTOOD OR NOT POSSIBLE: ", line, "\n");
    }
  }
  out.pop_back();  // Split sees an empty line behind the last newline
  return out;
}

}  // namespace troth
