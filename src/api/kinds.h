// The five kinds of resources: names as kubectl knows them, columns of `kubectl get`, schemas. Pure.
#pragma once
#include <span>
#include <string_view>

#include <boost/json/object.hpp>

namespace kb::api {

struct PrinterColumn {
  std::string_view name, type, path;
  std::string_view description;
  int priority = 0;  // 1: only with -o wide
};

struct KindInfo {
  std::string_view kind, plural, singular, short_name, description;
  std::span<const PrinterColumn> columns;
  boost::json::object (*spec_schema)();
  boost::json::object (*status_schema)();
};

std::span<const KindInfo> kinds();

}  // namespace kb::api
