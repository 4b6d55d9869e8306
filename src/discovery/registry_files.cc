#include "discovery/registry_files.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include "base/text.h"

namespace troth {
namespace {

// PEM files are a few kB; a bundle of every public authority is 200 kB.
constexpr size_t kFileBytesMax = 4 << 20;

Status CheckAuthority(const std::string& path) {
  TROTH_ASSIGN_OR_RETURN(
      const std::string ca,
      ReadRegistryFile(
          path, "ca  file not found: ", "read ca file failed, check your permission: "));
  if (ca.find("-----BEGIN CERTIFICATE-----") != ca.npos) return OkStatus();
  return InvalidArgument(Cat("append ca to x509.CertPool failed: no PEM certificate in ", path));
}

}  // namespace

StatusOr<std::string> ReadRegistryFile(const std::string& path,
                                       std::string_view not_found,
                                       std::string_view not_readable) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (file == nullptr) {
    return InvalidArgument(Cat(errno == ENOENT ? not_found : not_readable, path));
  }
  std::string content;
  char chunk[4096];
  size_t size = 0;
  while (content.size() < kFileBytesMax &&
         (size = std::fread(chunk, 1, sizeof(chunk), file.get())) > 0) {
    content.append(chunk, size);
  }
  if (std::ferror(file.get()) != 0) return InvalidArgument(Cat(not_readable, path));
  return content;
}

Status CheckRegistryFiles(const RegistryTarget& target) {
  if (!target.tls) return OkStatus();
  if (!target.ca_path.empty()) TROTH_RETURN_IF_ERROR(CheckAuthority(target.ca_path));
  for (const auto& [path, what] :
       {std::pair(&target.cert_path, "cert"), std::pair(&target.cert_key_path, "key")}) {
    if (path->empty()) continue;
    TROTH_RETURN_IF_ERROR(
        ReadRegistryFile(*path,
                         Cat(what, " file not found: "),
                         Cat("read ", what, " file failed, check your permission: "))
            .status());
  }
  return LoadRegistryTls(target).status();
}

StatusOr<std::shared_ptr<net::TlsContext>> LoadRegistryTls(const RegistryTarget& target) {
  if (!target.tls) return nullptr;
  net::TlsOptions options;
  options.ca_file = target.ca_path;
  options.server_name = target.tls_server_name;
  options.insecure_skip_verify = target.tls_skip_verify;
  // As the Kratos driver: a client certificate is used only when both files are given.
  if (!target.cert_path.empty() && !target.cert_key_path.empty()) {
    options.certificate_file = target.cert_path;
    options.key_file = target.cert_key_path;
  }
  return net::TlsContext::MakeClient(options);
}

}  // namespace troth
