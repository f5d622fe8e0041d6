#include "kube/counting_api.h"

#include <vector>

namespace kb::kube {
namespace {

// "" for what is no resource, such as /readyz.
std::string plural_of(std::string_view path) {
  std::vector<std::string_view> pieces;
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    path.remove_prefix(1);
    auto end = std::min(path.find('/'), path.size());
    pieces.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  if (pieces.empty() || (pieces[0] != "api" && pieces[0] != "apis")) return {};
  std::size_t at = pieces[0] == "api" ? 2 : 3;  // behind the version
  if (pieces.size() > at + 2 && pieces[at] == "namespaces") at += 2;
  return pieces.size() > at ? std::string(pieces[at]) : std::string();
}

}  // namespace

template <class Action>
auto CountingApi::counted(std::string method, const std::string& path, Action action) {
  std::pair key(std::move(method), plural_of(path));
  try {
    count(key, &Counts::requests);
    return action();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::cancelled) count(key, &Counts::failures);
    throw;
  }
}

void CountingApi::count(const std::pair<std::string, std::string>& key, std::uint64_t Counts::*counter) {
  std::lock_guard lock(mutex_);
  ++(counts_[key].*counter);
}

std::string CountingApi::send(const Context& ctx, const Request& request) {
  return counted(request.method, request.path, [&] { return inner_.send(ctx, request); });
}

void CountingApi::stream(const Context& ctx, const Request& request,
                         const std::function<void(std::string_view)>& line) {
  counted("WATCH", request.path, [&] { inner_.stream(ctx, request, line); });
}

std::map<std::pair<std::string, std::string>, CountingApi::Counts> CountingApi::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

}  // namespace kb::kube
