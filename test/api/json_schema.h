#pragma once
// Checks JSON values against the schemas of an OpenAPI file, as far as ours uses JSON Schema.

#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace troth {

class JsonSchemas {
 public:
  // `file` is the whole OpenAPI document, which references point into, and outlives this.
  explicit JsonSchemas(const boost::json::value& file) : file_(file) {}

  // What of `value` is not as `schema` says, a line each. Properties that the schema does not name
  // are a problem too, unless it has additionalProperties: what is answered shall be described.
  std::vector<std::string> Problems(const boost::json::value& schema,
                                    const boost::json::value& value) const;

  // The schema or response itself, when `value` is a reference to it.
  const boost::json::value& Resolve(const boost::json::value& value) const;

 private:
  using Problem = std::vector<std::string>;
  void Check(const boost::json::value& schema,
             const boost::json::value& value,
             const std::string& where,
             Problem& problems) const;
  void CheckObject(const boost::json::object& schema,
                   const boost::json::object& value,
                   const std::string& where,
                   Problem& problems) const;

  const boost::json::value& file_;
};

}  // namespace troth
