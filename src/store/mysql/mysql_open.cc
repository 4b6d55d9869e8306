// Opening: the database, its tables, what they hold.

#include <utility>

#include "base/text.h"
#include "store/mysql/mysql_store_impl.h"

namespace troth {
namespace mysql {
namespace {

ConnectionOptions ConnectionOf(const MysqlOptions& options) {
  return {.host = options.host,
          .port = options.port,
          .user = options.user,
          .password = options.password,
          .database = options.database,
          .tls = options.tls,
          .tls_verify = options.tls_verify,
          .tls_ca_path = options.tls_ca_path,
          .tls_cert_path = options.tls_cert_path,
          .tls_key_path = options.tls_key_path};
}

// Changing the tables of a large database takes its time.
constexpr Duration kAlterTimeout = Seconds(24 * 3600);

// The name of a database in a statement.
std::string Quoted(std::string_view name) {
  std::string out = "`";
  for (const char c : name) out.append(c == '`' ? 2 : 1, c);
  return Cat(out, '`');
}

// Connects; without the database when there is none yet, which is then created.
StatusOr<std::unique_ptr<Connection>> OpenDatabase(const MysqlOptions& options) {
  ConnectionOptions where = ConnectionOf(options);
  where.answer_timeout = kAlterTimeout;
  StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(where);
  if (connection.ok() || connection.status().code() != StatusCode::kFailedPrecondition) {
    return connection;
  }
  where.database.clear();
  StatusOr<std::unique_ptr<Connection>> without = Connection::Open(where);
  if (!without.ok()) return connection;  // the account it is
  const std::string create = Cat(
      "CREATE DATABASE IF NOT EXISTS ", Quoted(options.database), " DEFAULT CHARACTER SET utf8mb4");
  const Status created = (*without)->Execute(create).status();
  if (!created.ok()) {
    return FailedPrecondition(Cat("there is no database ",
                                  options.database,
                                  " at ",
                                  options.host,
                                  ":",
                                  options.port,
                                  " that this account may use (",
                                  Message(created),
                                  "); as an account that may: ",
                                  create));
  }
  where.database = options.database;
  return Connection::Open(where);
}

class Session final : public sql::SqlSession {
 public:
  Session(const MysqlOptions& options, std::unique_ptr<Connection> connection)
      : where_(Cat("database ", options.database, " at ", options.host, ":", options.port)),
        connection_(std::move(connection)) {}

  sql::Dialect dialect() const override { return sql::Dialect::kMysql; }
  std::string where() const override { return where_; }
  Status Execute(std::string_view statement) override {
    return connection_->Execute(statement).status();
  }
  StatusOr<std::vector<sql::FoundColumn>> FindColumns() override {
    TROTH_ASSIGN_OR_RETURN(std::vector<Row> rows,
                           connection_->Query(sql::ColumnsQuery("DATABASE()")));
    std::vector<sql::FoundColumn> columns;
    for (Row& row : rows) {
      sql::FoundColumn column{.table = ToLower(row[0].value_or("")),
                              .name = ToLower(row[1].value_or("")),
                              .type = ToLower(row[2].value_or(""))};
      if (row[3]) {
        if (const auto length = ParseInt(*row[3])) column.length = static_cast<uint64_t>(*length);
      }
      columns.push_back(std::move(column));
    }
    return columns;
  }

 private:
  const std::string where_;
  const std::unique_ptr<Connection> connection_;
};

// MySQL counts characters of a varchar and bytes of the rest.
dtm::ColumnLimits LimitsOf(const std::vector<sql::FoundColumn>& columns) {
  dtm::ColumnLimits limits;
  for (size_t i = 0; i < dtm::kColumns; ++i) {
    const auto column = static_cast<dtm::Column>(i);
    const dtm::ColumnName name = dtm::NameOf(column);
    limits.SetBytes(column, dtm::ColumnLimits::kMissing);
    for (const sql::FoundColumn& found : columns) {
      if (found.table != name.table || found.name != name.column) continue;
      const uint64_t length = found.length.value_or(dtm::ColumnLimits::kUnlimited);
      found.type == "varchar" ? limits.SetCharacters(column, length)
                              : limits.SetBytes(column, length);
    }
  }
  return limits;
}

}  // namespace

MysqlStore::MysqlStore(MysqlOptions options, dtm::ColumnLimits limits)
    : options_(std::move(options)),
      limits_(limits),
      local_(options_.utc_offset),
      literals_(local_),
      pool_({.server = "MySQL",
             .open_max = options_.open_conns_max,
             .idle_max = options_.idle_conns_max,
             .age_max = options_.conn_age_max},
            [where = ConnectionOf(options_)] { return Connection::Open(where); }),
      random_(Random::FromDevice()),
      token_(NewToken()) {}

std::string MysqlStore::NewToken() {
  absl::MutexLock lock(&mutex_);
  return NewGid(random_);
}

StatusOr<uint64_t> MysqlStore::Execute(std::string_view sql) {
  TROTH_ASSIGN_OR_RETURN(Pool::Lease lease, pool_.Take());
  return lease->Execute(sql);
}

// A question may be asked twice: a connection that idled may have been closed by the server.
StatusOr<std::vector<Row>> MysqlStore::Query(std::string_view sql) {
  {
    TROTH_ASSIGN_OR_RETURN(Pool::Lease lease, pool_.Take());
    StatusOr<std::vector<Row>> rows = lease->Query(sql);
    if (rows.ok() || rows.status().code() != StatusCode::kUnavailable) return rows;
  }
  pool_.CloseIdle();
  TROTH_ASSIGN_OR_RETURN(Pool::Lease lease, pool_.Take());
  return lease->Query(sql);
}

void MysqlStore::Note(const Status& status) {
  absl::MutexLock lock(&mutex_);
  health_ = status;
}

Status MysqlStore::Health() {
  absl::MutexLock lock(&mutex_);
  return health_;
}

}  // namespace mysql

StatusOr<std::unique_ptr<sql::SqlSession>> OpenMysqlSession(const MysqlOptions& options) {
  TROTH_ASSIGN_OR_RETURN(std::unique_ptr<mysql::Connection> connection,
                         mysql::OpenDatabase(options));
  return std::unique_ptr<sql::SqlSession>(
      std::make_unique<mysql::Session>(options, std::move(connection)));
}

StatusOr<std::unique_ptr<Store>> OpenMysqlStore(const MysqlOptions& options) {
  TROTH_ASSIGN_OR_RETURN(const std::unique_ptr<sql::SqlSession> session, OpenMysqlSession(options));
  TROTH_RETURN_IF_ERROR(sql::EnsureTables(*session));
  TROTH_ASSIGN_OR_RETURN(const std::vector<sql::FoundColumn> columns, session->FindColumns());
  return std::unique_ptr<Store>(
      std::make_unique<mysql::MysqlStore>(options, mysql::LimitsOf(columns)));
}

}  // namespace troth
