// The command line as values: every flag is declared once, in arguments.cc, which also makes --help and
// docs/reference/cli.md from it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/shard.h"

namespace kb::cli {

enum class OutputFormat { text, json };

// Flags of every command.
struct CommonFlags {
  OutputFormat output = OutputFormat::text;  // of the result on stdout and of the error on stderr
  std::string log_level = "info";
  std::string log_format = "text";
  std::string progress = "auto";
};

struct RunFlags {
  std::string file;         // "-" is stdin
  std::string backup_file;  // for restores: where the KafkaBackup stands when it is not in `file`
  std::string volumes;
  std::string secrets_dir;
  std::string backup_id;
  std::optional<engine::Shard> shard;
  bool finish = false;
  std::size_t memory_bytes_max = 0;
};

struct WorkerFlags {
  std::string order;
  std::string volumes;
  std::string termination_log;
  int port = 0;  // of /progress, at all addresses
  std::size_t memory_bytes_max = 0;
};

// Which archives a command looks at: one directory, or what is found below `volumes`.
struct ArchiveFlags {
  std::string archive;
  std::string volumes;
  std::string claim;
  std::string resource_namespace;
  std::string name;
};

struct ListFlags {
  ArchiveFlags where;
};

struct DescribeFlags {
  ArchiveFlags where;
  std::string backup_id;
};

struct VerifyFlags {
  ArchiveFlags where;
  std::vector<std::string> backup_ids;  // empty: all
  bool deep = false;
  std::size_t memory_bytes_max = 0;
};

struct PruneFlags {
  ArchiveFlags where;
  std::uint32_t keep_last = 0;     // 0: not given
  std::uint32_t max_age_days = 0;  // 0: not given
  std::vector<std::string> delete_ids;
  bool abandon_incomplete = false;
  bool dry_run = false;
};

struct Arguments {
  CommonFlags common;
  std::variant<RunFlags, ListFlags, DescribeFlags, VerifyFlags, PruneFlags, WorkerFlags> command;
};

// What to do, or a text to print and be done (--help, --version). Throws invalid with a hint.
std::variant<Arguments, std::string> parse_arguments(const std::vector<std::string>& arguments);

// docs/reference/cli.md.
std::string reference_page();

}  // namespace kb::cli
