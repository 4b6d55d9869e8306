#pragma once
// The fuzz targets: each takes any bytes and checks what must hold for all of them. One a file,
// <name>_fuzz.cc, with its corpus in corpus/<name>/. A broken promise stops the process
// (TROTH_CHECK); sanitizers find the rest. Targets keep nothing from one call to the next.

#include <array>
#include <string_view>

namespace troth::fuzz {

void FuzzConfig(std::string_view bytes);
void FuzzConsul(std::string_view bytes);
void FuzzCustomData(std::string_view bytes);
void FuzzEtcd(std::string_view bytes);
void FuzzGrpcHeader(std::string_view bytes);
void FuzzGrpcMessage(std::string_view bytes);
void FuzzGrpcRequest(std::string_view bytes);
void FuzzHttp1Answer(std::string_view bytes);
void FuzzHttp1Request(std::string_view bytes);
void FuzzHttp2Client(std::string_view bytes);
void FuzzHttp2Server(std::string_view bytes);
void FuzzJsonRpc(std::string_view bytes);
void FuzzStoreRecord(std::string_view bytes);
void FuzzStoreRows(std::string_view bytes);
void FuzzTransInput(std::string_view bytes);
void FuzzUrl(std::string_view bytes);

struct Target {
  const char* name;
  void (*run)(std::string_view bytes);
};

inline constexpr std::array kTargets = {
    Target{"config", FuzzConfig},
    Target{"consul", FuzzConsul},
    Target{"custom_data", FuzzCustomData},
    Target{"etcd", FuzzEtcd},
    Target{"grpc_header", FuzzGrpcHeader},
    Target{"grpc_message", FuzzGrpcMessage},
    Target{"grpc_request", FuzzGrpcRequest},
    Target{"http1_answer", FuzzHttp1Answer},
    Target{"http1_request", FuzzHttp1Request},
    Target{"http2_client", FuzzHttp2Client},
    Target{"http2_server", FuzzHttp2Server},
    Target{"json_rpc", FuzzJsonRpc},
    Target{"store_record", FuzzStoreRecord},
    Target{"store_rows", FuzzStoreRows},
    Target{"trans_input", FuzzTransInput},
    Target{"url", FuzzUrl},
};

}  // namespace troth::fuzz
