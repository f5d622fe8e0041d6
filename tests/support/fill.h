// The awkward topics: each scenario makes topics of its own, so that a failure names what went wrong.
#pragma once
#include <algorithm>
#include <span>

#include "arguments.h"
#include "content.h"

namespace tool {

struct Fill {
  std::string bootstrap;
  std::string prefix;  // of every topic and transactional id
  std::uint64_t seed;
  double scale;  // multiplies the number of records (and of topics, where there are many)
  const Arguments& arguments;

  std::string topic(std::string_view name) const { return prefix + std::string(name); }
  std::int64_t scaled(double count) const {
    return std::max<std::int64_t>(1, static_cast<std::int64_t>(count * scale));
  }
  // Independent of what other scenarios drew.
  Random random(std::string_view name) const;
};

// A producer whose transactional.id is the prefix and `name`, ready to begin.
Producer transactional_producer(const Fill& fill, const std::string& name, const char* codec = "none");

struct Scenario {
  const char* name;
  const char* makes;
  void (*fill)(const Fill& fill);
  bool in_all = true;
};

std::span<const Scenario> record_scenarios();       // fill_records.cc: what is in a record
std::span<const Scenario> log_scenarios();          // fill_logs.cc: what happened to a partition
std::span<const Scenario> transaction_scenarios();  // fill_transactions.cc
std::span<const Scenario> bulk_scenarios();         // fill_bulk.cc: for benches

}  // namespace tool
