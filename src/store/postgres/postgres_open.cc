// Opening: a connection, the tables, what fits into their columns.

#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "store/postgres/postgres_impl.h"

namespace troth {
namespace postgres {
namespace {

const Statement kIsReadOnly = {"troth_is_read_only", "show transaction_read_only"};

ConnectionOptions ConnectionOf(const PostgresOptions& options) {
  return {.host = options.host,
          .port = options.port,
          .user = options.user,
          .password = options.password,
          .database = options.database,
          .schema = options.schema,
          .tls_mode = options.tls_mode,
          .tls_ca_path = options.tls_ca_path,
          .tls_cert_path = options.tls_cert_path,
          .tls_key_path = options.tls_key_path,
          .connect_timeout = options.connect_timeout,
          .answer_timeout = options.answer_timeout,
          .lock_timeout = options.lock_timeout};
}

class Session final : public sql::SqlSession {
 public:
  Session(std::unique_ptr<Connection> connection, const PostgresOptions& options)
      : connection_(std::move(connection)),
        where_(Cat("schema ",
                   options.schema,
                   " of database ",
                   options.database,
                   " at ",
                   options.host,
                   ":",
                   options.port)),
        schema_(options.schema),
        columns_text_(sql::ColumnsQuery("$1")),
        columns_{"troth_columns", columns_text_} {}

  sql::Dialect dialect() const override { return sql::Dialect::kPostgres; }
  std::string where() const override { return where_; }
  Status Execute(std::string_view statement) override { return connection_->Execute(statement); }

  // Asked first: making what is there needs the right to make it.
  Status CreateNamespace() override {
    static const Statement kFind = {
        "troth_schema", "select 1 from information_schema.schemata where schema_name = $1"};
    TROTH_ASSIGN_OR_RETURN(
        const Result found,
        connection_->Run({.statement = &kFind, .parameters = Parameters().Text(schema_)}));
    if (found.rows() > 0) return OkStatus();
    return connection_->Execute(Cat("create schema if not exists ", Quoted(schema_)));
  }

  StatusOr<std::vector<sql::FoundColumn>> FindColumns() override {
    TROTH_ASSIGN_OR_RETURN(
        const Result result,
        connection_->Run({.statement = &columns_, .parameters = Parameters().Text(schema_)}));
    std::vector<sql::FoundColumn> columns(result.rows());
    for (size_t row = 0; row < result.rows(); ++row) {
      columns[row] = {.table = std::string(result.Text(row, 0)),
                      .name = std::string(result.Text(row, 1)),
                      .type = std::string(result.Text(row, 2))};
      if (!result.IsNull(row, 3)) columns[row].length = static_cast<uint64_t>(result.Int(row, 3));
    }
    return columns;
  }

 private:
  const std::unique_ptr<Connection> connection_;
  const std::string where_;
  const std::string schema_;
  const std::string columns_text_;
  const Statement columns_;
};

dtm::ColumnLimits LimitsOf(const std::vector<sql::FoundColumn>& columns) {
  dtm::ColumnLimits limits;
  for (size_t i = 0; i < dtm::kColumns; ++i) {
    const auto column = static_cast<dtm::Column>(i);
    const dtm::ColumnName name = dtm::NameOf(column);
    if (const auto width = sql::WidthOf(columns, name.table, name.column)) {
      limits.SetCharacters(column, *width);
    }
  }
  return limits;
}

}  // namespace

StatusOr<std::unique_ptr<Store>> PostgresStore::Open(const PostgresOptions& options) {
  TROTH_ASSIGN_OR_RETURN(const auto session, OpenPostgresSession(options));
  TROTH_RETURN_IF_ERROR(sql::EnsureTables(*session));
  TROTH_ASSIGN_OR_RETURN(const std::vector<sql::FoundColumn> columns, session->FindColumns());
  return std::unique_ptr<Store>(new PostgresStore(options, LimitsOf(columns)));
}

PostgresStore::PostgresStore(const PostgresOptions& options, const dtm::ColumnLimits& limits)
    : options_(options),
      limits_(limits),
      has_troth_state_(limits.has(dtm::Column::kTrothState)),
      save_statements_(has_troth_state_),
      read_statements_(has_troth_state_),
      pool_({.server = "PostgreSQL",
             .open_max = options.open_connections_max,
             .idle_max = options.idle_connections_max,
             .age_max = options.connection_age_max,
             .wait_max = options.connect_timeout},
            [where = ConnectionOf(options)] { return Connection::Open(where); }),
      random_(Random::FromDevice()),
      token_(NewGid(random_)) {}

SaveRecord PostgresStore::Encode(const Save& save) const { return dtm::EncodeRows(save, token_); }

StatusOr<std::unique_ptr<Transaction>> PostgresStore::Decode(const StoredRecord& record) const {
  return dtm::DecodeRows(record);
}

// A statement that a lost connection left in doubt is not asked again here: reads may be, but a
// caller that retries does so anyway.
StatusOr<Result> PostgresStore::Run(const Query& query) {
  TROTH_ASSIGN_OR_RETURN(const Pool::Lease connection, pool_.Take());
  StatusOr<Result> result = connection->Run(query);
  if (!result.ok()) Learn(result.status());
  return result;
}

StatusOr<std::vector<Result>> PostgresStore::RunTransaction(std::span<const Query> queries) {
  TROTH_ASSIGN_OR_RETURN(const Pool::Lease connection, pool_.Take());
  auto results = connection->RunTransaction(queries);
  if (!results.ok()) Learn(results.status());
  return results;
}

StatusOr<std::vector<Result>> PostgresStore::RunSnapshot(std::span<const Query> queries) {
  TROTH_ASSIGN_OR_RETURN(const Pool::Lease connection, pool_.Take());
  auto results = connection->RunSnapshot(queries);
  if (!results.ok()) Learn(results.status());
  return results;
}

Status PostgresStore::Health() {
  TROTH_ASSIGN_OR_RETURN(const Result answer, Run({.statement = &kIsReadOnly}));
  if (answer.Text(0, 0) == "off") return OkStatus();
  return FailedPrecondition(
      Cat("PostgreSQL at ", options_.host, " is read-only: nothing can be saved"));
}

}  // namespace postgres

StatusOr<std::unique_ptr<Store>> OpenPostgresStore(const PostgresOptions& options) {
  return postgres::PostgresStore::Open(options);
}

StatusOr<std::unique_ptr<sql::SqlSession>> OpenPostgresSession(const PostgresOptions& options) {
  TROTH_ASSIGN_OR_RETURN(auto connection,
                         postgres::Connection::Open(postgres::ConnectionOf(options)));
  return std::unique_ptr<sql::SqlSession>(
      std::make_unique<postgres::Session>(std::move(connection), options));
}

}  // namespace troth
