#include "api/topics.h"

#include <algorithm>
#include <utility>

#include "wire/json_reader.h"
#include "wire/json_writer.h"

namespace troth {
namespace {

struct Subscriber {
  std::string url;
  std::string remark;
};

StatusOr<std::vector<Subscriber>> ReadSubscribers(std::string_view value) {
  TROTH_ASSIGN_OR_RETURN(auto rows, ParseStringMaps(value));
  std::vector<Subscriber> out;
  for (auto& row : rows) out.push_back({std::move(row["url"]), std::move(row["remark"])});
  return out;
}

std::string WriteSubscribers(const std::vector<Subscriber>& subscribers) {
  JsonWriter json;
  json.BeginArray();
  for (const Subscriber& one : subscribers) {
    json.BeginObject().Field("url", one.url).Field("remark", one.remark).EndObject();
  }
  return json.EndArray().Take();
}

auto FindUrl(std::vector<Subscriber>& subscribers, std::string_view url) {
  return std::find_if(subscribers.begin(), subscribers.end(), [url](const Subscriber& one) {
    return one.url == url;
  });
}

Status CheckNames(std::string_view topic, std::string_view url) {
  if (topic.empty()) return InvalidArgument("empty topic");
  if (url.empty()) return InvalidArgument("empty url");
  return OkStatus();
}

// dtm's texts for a write that lost a race.
Status StorageError(const Status& status) {
  if (status.code() == StatusCode::kNotFound) return NotFound("storage: NotFound");
  if (status.code() == StatusCode::kAlreadyExists)
    return AlreadyExists("storage: UniqueKeyConflict");
  return status;
}

}  // namespace

std::vector<std::string> Topics::Subscribers(std::string_view topic) const {
  std::shared_ptr<const Map> topics;
  {
    absl::MutexLock lock(&mutex_);
    topics = topics_;
  }
  const auto found = topics->find(topic);
  return found == topics->end() ? std::vector<std::string>() : found->second;
}

Status Topics::Refresh(Store& store) {
  TROTH_ASSIGN_OR_RETURN(const std::vector<KvRecord> records, store.FindKv(kTopicsCategory, ""));
  auto topics = std::make_shared<Map>();
  for (const KvRecord& record : records) {
    TROTH_ASSIGN_OR_RETURN(std::vector<Subscriber> subscribers, ReadSubscribers(record.value));
    for (Subscriber& one : subscribers) (*topics)[record.key].push_back(std::move(one.url));
  }
  absl::MutexLock lock(&mutex_);
  topics_ = std::move(topics);
  return OkStatus();
}

Status Topics::Subscribe(
    Store& store, std::string topic, std::string url, std::string remark, TimePoint now) {
  TROTH_RETURN_IF_ERROR(CheckNames(topic, url));
  TROTH_ASSIGN_OR_RETURN(std::vector<KvRecord> found, store.FindKv(kTopicsCategory, topic));
  if (found.empty()) {
    KvRecord record{.category = std::string(kTopicsCategory),
                    .key = std::move(topic),
                    .value = WriteSubscribers({{std::move(url), std::move(remark)}}),
                    .create_time = now,
                    .update_time = now};
    TROTH_RETURN_IF_ERROR(StorageError(store.CreateKv(record)));
    return Refresh(store);
  }
  KvRecord& record = found.front();
  TROTH_ASSIGN_OR_RETURN(std::vector<Subscriber> subscribers, ReadSubscribers(record.value));
  if (FindUrl(subscribers, url) != subscribers.end()) return InvalidArgument("this url exists");
  subscribers.push_back({std::move(url), std::move(remark)});
  record.value = WriteSubscribers(subscribers);
  record.update_time = now;
  ++record.version;
  TROTH_RETURN_IF_ERROR(StorageError(store.UpdateKv(record)));
  return Refresh(store);
}

Status Topics::Unsubscribe(Store& store,
                           const std::string& topic,
                           const std::string& url,
                           TimePoint now) {
  TROTH_RETURN_IF_ERROR(CheckNames(topic, url));
  TROTH_ASSIGN_OR_RETURN(std::vector<KvRecord> found, store.FindKv(kTopicsCategory, topic));
  if (found.empty()) return NotFound("no such a topic");
  KvRecord& record = found.front();
  TROTH_ASSIGN_OR_RETURN(std::vector<Subscriber> subscribers, ReadSubscribers(record.value));
  if (subscribers.empty()) return NotFound("this topic is empty");
  const auto at = FindUrl(subscribers, url);
  if (at == subscribers.end()) return NotFound("no such an url ");
  subscribers.erase(at);
  record.value = WriteSubscribers(subscribers);
  record.update_time = now;
  ++record.version;
  TROTH_RETURN_IF_ERROR(StorageError(store.UpdateKv(record)));
  return Refresh(store);
}

Status Topics::Delete(Store& store, const std::string& topic) {
  if (topic.empty()) return InvalidArgument("empty topic");
  TROTH_RETURN_IF_ERROR(StorageError(store.DeleteKv(kTopicsCategory, topic)));
  return Refresh(store);
}

}  // namespace troth
