#pragma once
// One connection to PostgreSQL. Statements go out as a pipeline: all at once, then the answers are
// read, so that a batch costs one round trip. Nothing here throws; every wait has a deadline.
// Private to this folder; one thread at a time.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/time.h"
#include "store/postgres/pg_values.h"

struct pg_conn;

namespace troth::postgres {

struct ConnectionOptions {
  // A name, an address or the folder of a unix socket; several, joined by commas: the first of them
  // that takes writes.
  std::string host;
  uint16_t port = 5432;
  std::string user;
  std::string password;
  std::string database;
  std::string schema;
  // As libpq's sslmode and its files; empty: libpq's defaults.
  std::string tls_mode;
  std::string tls_ca_path;
  std::string tls_cert_path;
  std::string tls_key_path;
  Duration connect_timeout = Seconds(5);
  // A connection that does not answer for so long is given up.
  Duration answer_timeout = Seconds(10);
  // How long a statement waits for a row that somebody else holds.
  Duration lock_timeout = Seconds(2);
};

// A statement, prepared on a connection when it is used there first. Names are unique.
struct Statement {
  std::string_view name;
  std::string_view text;
};

struct Query {
  const Statement* statement = nullptr;  // outlives the connection
  Parameters parameters{};
};

// A name as SQL text: in quotes, so that any characters are themselves.
std::string Quoted(std::string_view name);

class Connection {
 public:
  // Connects and sets the session up: the schema is where names are looked for, and indexes are
  // preferred, because statistics of a table that is empty now and then mislead the planner.
  static StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Each statement on its own, its effect durable when this returns OK.
  StatusOr<Result> Run(const Query& query);
  // All or none, as one database transaction. Results are in the order of the queries. The first
  // error counts (pg_error.h): SurelyNotDone tells whether all of it was undone.
  StatusOr<std::vector<Result>> RunTransaction(std::span<const Query> queries);
  // Reads that see the database as of one moment.
  StatusOr<std::vector<Result>> RunSnapshot(std::span<const Query> queries);
  // SQL text of one or more statements without parameters, as one database transaction.
  Status Execute(std::string_view sql);

  // False after a failure that leaves it in doubt what the server thinks: throw it away.
  bool usable() const { return usable_; }
  TimePoint opened_at() const { return opened_at_; }

 private:
  Connection(pg_conn* connection, const ConnectionOptions& options);

  Status SetUp(const ConnectionOptions& options);
  StatusOr<std::vector<Result>> RunBetween(const Statement& begin, std::span<const Query> queries);
  // One database transaction, so that a failure leaves nothing done: when columns have changed
  // since a statement was prepared here, all are prepared and sent once more.
  StatusOr<std::vector<Result>> RunPipeline(std::span<const Query> queries);
  StatusOr<std::vector<Result>> TryPipeline(std::span<const Query> queries);
  // Puts everything into the connection's buffer; libpq grows it.
  Status SendAll(std::span<const Query> queries, std::vector<const Statement*>& prepares);
  Status SendOne(const Query& query, std::vector<const Statement*>& prepares);
  StatusOr<std::vector<Result>> ReadAll(std::span<const Query> queries,
                                        const std::vector<const Statement*>& prepares);
  // The next answer and whether it is an error; no value at all when the connection is lost.
  StatusOr<Result> ReadAnswer();
  Status ReadSync();
  // Sends what is buffered and waits until an answer can be taken without blocking.
  Status AwaitAnswer();
  Status WaitForSocket(bool to_write);
  Status RollBackIfOpen();
  Status Lost();

  pg_conn* connection_;
  const Duration answer_timeout_;
  const TimePoint opened_at_;
  TimePoint deadline_{};
  bool usable_ = true;
  bool has_stale_plan_ = false;  // a statement of the pipeline that was sent last
  std::set<std::string_view> prepared_;
};

}  // namespace troth::postgres
