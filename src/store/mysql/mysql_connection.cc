#include "store/mysql/mysql_connection.h"

#include <mysql.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/text.h"
#include "store/mysql/mysql_error.h"

namespace troth::mysql {
namespace {

// The library counts whole seconds.
unsigned WholeSeconds(Duration duration) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(duration).count();
  return static_cast<unsigned>(std::max<int64_t>(1, seconds));
}

void SetTimeouts(MYSQL* handle, const ConnectionOptions& options) {
  const unsigned connect = WholeSeconds(options.connect_timeout);
  const unsigned answer = WholeSeconds(options.answer_timeout);
  mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &connect);
  mysql_options(handle, MYSQL_OPT_READ_TIMEOUT, &answer);
  mysql_options(handle, MYSQL_OPT_WRITE_TIMEOUT, &answer);
}

const char* OrNull(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }

void SetTls(MYSQL* handle, const ConnectionOptions& options) {
  if (!options.tls) return;
  const my_bool yes = 1;
  const my_bool verify = options.tls_verify ? 1 : 0;
  mysql_ssl_set(handle,
                OrNull(options.tls_key_path),
                OrNull(options.tls_cert_path),
                OrNull(options.tls_ca_path),
                nullptr,
                nullptr);
  mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &yes);
  mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

// Before the first connection, not by two threads at once.
void InitializeLibrary() {
  static std::once_flag once;
  std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });
}

Row ReadRow(MYSQL_ROW values, const unsigned long* lengths, unsigned count) {
  Row row(count);
  for (unsigned i = 0; i < count; ++i) {
    if (values[i] != nullptr) row[i].emplace(values[i], lengths[i]);
  }
  return row;
}

}  // namespace

StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  InitializeLibrary();
  MYSQL* const handle = mysql_init(nullptr);
  if (handle == nullptr) return ResourceExhausted("no memory for a connection to MySQL");
  std::unique_ptr<Connection> connection(new Connection(handle));
  SetTimeouts(handle, options);
  SetTls(handle, options);
  mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(handle,
                         options.host.c_str(),
                         options.user.c_str(),
                         options.password.c_str(),
                         OrNull(options.database),
                         options.port,
                         nullptr,
                         0) == nullptr) {
    const Status failed = connection->LastError();
    return MakeStatus(
        failed.code(),
        Cat("cannot connect to ", options.host, ":", options.port, ": ", Message(failed)));
  }
  TROTH_RETURN_IF_ERROR(connection->SetUp(options));
  return connection;
}

Connection::~Connection() { mysql_close(handle_); }

Status Connection::SetUp(const ConnectionOptions& options) {
  TROTH_RETURN_IF_ERROR(Execute(Cat("SET sql_mode = 'STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION', "
                                    "innodb_lock_wait_timeout = ",
                                    WholeSeconds(options.lock_timeout)))
                            .status());
  TROTH_RETURN_IF_ERROR(Execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED").status());
  TROTH_ASSIGN_OR_RETURN(const std::vector<Row> rows, Query("SELECT @@max_allowed_packet"));
  const auto bytes = rows.empty() ? std::nullopt : ParseInt(rows[0][0].value_or(""));
  packet_max_ = static_cast<size_t>(bytes.value_or(1 << 20));
  return OkStatus();
}

Status Connection::LastError() {
  const Status status = ErrorOf(mysql_errno(handle_), mysql_error(handle_));
  if (status.code() == StatusCode::kUnavailable) usable_ = false;
  return status;
}

Status Connection::Send(std::string_view sql) {
  if (mysql_real_query(handle_, sql.data(), sql.size()) != 0) return LastError();
  return OkStatus();
}

StatusOr<uint64_t> Connection::Execute(std::string_view sql) {
  TROTH_RETURN_IF_ERROR(Send(sql));
  return mysql_affected_rows(handle_);
}

StatusOr<std::vector<Row>> Connection::Query(std::string_view sql) {
  TROTH_RETURN_IF_ERROR(Send(sql));
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(handle_),
                                                                        &mysql_free_result);
  if (result == nullptr) return LastError();
  std::vector<Row> rows;
  rows.reserve(mysql_num_rows(result.get()));
  const unsigned columns = mysql_num_fields(result.get());
  while (MYSQL_ROW values = mysql_fetch_row(result.get())) {
    rows.push_back(ReadRow(values, mysql_fetch_lengths(result.get()), columns));
  }
  return rows;
}

}  // namespace troth::mysql
