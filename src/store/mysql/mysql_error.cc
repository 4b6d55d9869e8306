#include "store/mysql/mysql_error.h"

#include "base/text.h"

namespace troth::mysql {
namespace {

StatusCode CodeOf(unsigned number) {
  switch (number) {
    case 1205:  // lock wait timeout
    case 1213:  // deadlock
    case 3572:  // NOWAIT
    case 3100:  // Group Replication: rolled back at the commit
    case 3101:
    case 8002:  // TiDB: transactions that must be tried again
    case 8005:
    case 8022:
    case 8028:
    case 9007: return StatusCode::kAborted;
    case 1062:
    case 1586: return StatusCode::kAlreadyExists;
    case 1153:  // packet too large
    case 8004:  // TiDB: transaction, row too large
    case 8025:
    case 1264:
    case 1265:
    case 1292:
    case 1366:
    case 1406: return StatusCode::kOutOfRange;
    case 1044:  // rights, accounts
    case 1045:
    case 1130:
    case 1698:
    case 1820:
    case 1862:
    case 3118:
    case 3159:  // TLS is asked for
    case 3955:  // blocked after wrong passwords
    case 4151:
    case 1251:  // ways to log in that one side does not have
    case 1524:
    case 2059:
    case 2061:
    case 1142:
    case 1143:
    case 1227:
    case 1049:  // no such database, table, column
    case 1146:
    case 1054:
    case 1290:  // read-only
    case 1792:
    case 1836:
    case 1665: return StatusCode::kFailedPrecondition;  // binlog_format
    case 1021:                                          // disk full
    case 1040:                                          // too many connections
    case 1114:
    case 1203:
    case 1226: return StatusCode::kResourceExhausted;
    case 1047:  // Galera: not ready
    case 1053:  // shutdown
    case 1129:
    case 1317:  // interrupted
    case 3032:  // offline mode
    case 8027:  // TiDB: without its cluster, or without an answer from it
    case 8501:
    case 9001:
    case 9002:
    case 9003:
    case 9004:
    case 9005:
    case 1927: return StatusCode::kUnavailable;  // killed
    default:
      return number >= 2000 && number < 3000 ? StatusCode::kUnavailable : StatusCode::kInternal;
  }
}

constexpr std::string_view kAdviceForPlugins =
    "; let the account of Store.User log in with mysql_native_password, caching_sha2_password or "
    "ed25519, for which libmariadb3 brings plugins";

std::string_view AdviceFor(unsigned number, std::string_view text) {
  // What the library says of a plugin that is not there has the number of a wrong password.
  if (number == 1045 && text.starts_with("Plugin ")) return kAdviceForPlugins;
  switch (number) {
    case 1040: return "; raise max_connections of the server or lower Store.MaxOpenConns";
    case 1045:
    case 1698:
      return "; correct Store.User and Store.Password, or set Store.TlsMode if the account asks "
             "for TLS";
    case 1130: return "; let the account of Store.User come from this machine";
    case 1820:
    case 1862:
      return "; give the account of Store.User a new password and set Store.Password to it";
    case 3118:
    case 3955:
    case 4151: return "; unlock the account of Store.User";
    case 3159: return "; set Store.TlsMode to encrypt or verify";
    case 1251:
    case 1524:
    case 2059:
    case 2061: return kAdviceForPlugins;
    case 1290:
    case 1792:
    case 1836:
      return "; the server takes no writes: make it writable or set Store.Host to one that is";
    case 1665: return "; set binlog_format to ROW or MIXED";
    default: return "";
  }
}

}  // namespace

Status ErrorOf(unsigned number, std::string_view text) {
  return MakeStatus(CodeOf(number), Cat("MySQL ", number, ": ", text, AdviceFor(number, text)));
}

}  // namespace troth::mysql
