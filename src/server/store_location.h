#pragma once
// Where a store is, as `troth store copy` takes it: a conf file, a folder, or a URL.

#include <string>

#include "base/status.h"
#include "config/config.h"

namespace troth {

// A conf file's Store, read without the environment; or the folder of an embedded store; or
//   postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=SCHEMA
//   mysql://USER:PASSWORD@HOST:PORT/DATABASE
//   redis://USER:PASSWORD@HOST:PORT?prefix=PREFIX
//   embedded:FOLDER
// What a URL leaves out has the configuration's default. The error says what is wrong with it.
StatusOr<StoreConfig> ParseStoreLocation(const std::string& text);

// "the embedded store in troth-data", "postgres at 127.0.0.1:5432/dtm": without secrets.
std::string DescribeStoreLocation(const StoreConfig& config);

}  // namespace troth
