#pragma once
// What each request does, by what is stored: protocol/server.md 2.4 - 2.6. Functions of the request
// and the record only; the engine saves and answers.

#include <optional>

#include "base/time.h"
#include "engine/answer.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/transaction.h"

namespace troth {

// What a request asks of the engine besides its answer.
struct RequestEffects {
  bool save = false;           // the record has changed: the answer comes after the save
  bool fixed_changed = false;  // options or custom_data too
  bool run = false;            // a pass should run
  bool wait = false;  // the record waits for its due time: a running pass ends with the save
};

// An answer that needs no look at the record.
std::optional<Answer> RefuseAtOnce(const Request& request);

// Whether the request makes a transaction where there is none. Such a request tries that first and
// looks at what is stored only if the gid turns out to exist.
bool Creates(const Request& request);

// Makes the new record from request.draft, which is moved away.
Answer Create(Request& request,
              Transaction& txn,
              TimePoint now,
              const EngineOptions& options,
              RequestEffects& effects);

// Applies a request to a record. The request stays whole: it is applied again, to what is stored
// then, if another server's save came first.
Answer Apply(const Request& request,
             Transaction& txn,
             TimePoint now,
             const EngineOptions& options,
             RequestEffects& effects);

// The answer where nothing is stored, for a request that does not create.
Answer AnswerMissing(const Request& request);

}  // namespace troth
