#include "cli/arguments.h"

#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/version.h"

#include <doctest/doctest.h>

using namespace kb;
using namespace kb::cli;

namespace {

Arguments parse(const std::vector<std::string>& arguments) {
  auto parsed = parse_arguments(arguments);
  REQUIRE(std::holds_alternative<Arguments>(parsed));
  return std::get<Arguments>(parsed);
}

std::string text_for(const std::vector<std::string>& arguments) {
  auto parsed = parse_arguments(arguments);
  REQUIRE(std::holds_alternative<std::string>(parsed));
  return std::get<std::string>(parsed);
}

std::string refusal(const std::vector<std::string>& arguments) {
  try {
    parse_arguments(arguments);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::invalid);
    return error.what();
  }
  FAIL("accepted");
  return {};
}

}  // namespace

TEST_CASE("every flag of run arrives") {
  auto arguments = parse({"run",         "-f",          "x.yaml",
                          "--volumes",   "/v",          "--secrets-dir",
                          "/s",          "--backup-id", "a-20250101-000000",
                          "--memory",    "64Mi",        "--backup-file",
                          "b.yaml",      "--output",    "json",
                          "--log-level", "debug",       "--log-format",
                          "json",        "--progress",  "none"});
  CHECK(arguments.common.output == OutputFormat::json);
  CHECK(arguments.common.log_level == "debug");
  CHECK(arguments.common.log_format == "json");
  CHECK(arguments.common.progress == "none");
  const auto& run = std::get<RunFlags>(arguments.command);
  CHECK(run.file == "x.yaml");
  CHECK(run.volumes == "/v");
  CHECK(run.secrets_dir == "/s");
  CHECK(run.backup_id == "a-20250101-000000");
  CHECK(run.backup_file == "b.yaml");
  CHECK(run.memory_bytes_max == 64 << 20);
}

TEST_CASE("a shard is I/N, counted from 0; a finish has none") {
  auto run = std::get<RunFlags>(parse({"run", "-f", "x", "--shard", "3/4"}).command);
  CHECK(run.shard == engine::Shard{3, 4});
  CHECK_FALSE(run.finish);
  run = std::get<RunFlags>(parse({"run", "-f", "x", "--finish"}).command);
  CHECK_FALSE(run.shard);
  CHECK(run.finish);
  CHECK(refusal({"run", "-f", "x", "--shard", "4/4"}) == "shard 4/4: shards are counted from 0 to 3");
  CHECK(refusal({"run", "-f", "x", "--shard", "4"}) == "--shard: '4' is not of the form I/N");
}

TEST_CASE("flags of all commands may stand before and behind the command; defaults are as documented") {
  CHECK(parse({"--output=json", "list", "--volumes", "/v"}).common.output == OutputFormat::json);
  auto arguments = parse({"run", "--file=x"});
  CHECK(arguments.common.output == OutputFormat::text);
  CHECK(arguments.common.log_level == "info");
  CHECK(arguments.common.log_format == "text");
  CHECK(arguments.common.progress == "auto");
  CHECK(std::get<RunFlags>(arguments.command).memory_bytes_max == 256 << 20);
}

TEST_CASE("the other commands") {
  auto list = std::get<ListFlags>(
      parse({"list", "--volumes", "/v", "--claim", "c", "--namespace", "s", "--name", "n"}).command);
  CHECK(list.where.volumes == "/v");
  CHECK(list.where.claim == "c");
  CHECK(list.where.resource_namespace == "s");
  CHECK(list.where.name == "n");
  auto describe =
      std::get<DescribeFlags>(parse({"describe", "x-20250101-000000", "--archive", "/a"}).command);
  CHECK(describe.backup_id == "x-20250101-000000");
  CHECK(describe.where.archive == "/a");
  auto verify = std::get<VerifyFlags>(parse({"verify", "--archive", "/a", "--deep", "one", "two"}).command);
  CHECK(verify.deep);
  CHECK(verify.backup_ids == std::vector<std::string>{"one", "two"});
  CHECK(verify.memory_bytes_max == 256 << 20);
  auto prune =
      std::get<PruneFlags>(parse({"prune", "--archive", "/a", "--keep-last", "3", "--max-age-days", "30",
                                  "--delete", "one", "two", "--abandon-incomplete", "--dry-run"})
                               .command);
  CHECK(prune.keep_last == 3);
  CHECK(prune.max_age_days == 30);
  CHECK(prune.delete_ids == std::vector<std::string>{"one", "two"});
  CHECK(prune.abandon_incomplete);
  CHECK(prune.dry_run);
}

TEST_CASE("what cannot be meant is refused in one line") {
  const std::vector<std::vector<std::string>> bad{
      {},
      {"rum"},
      {"run"},
      {"run", "-f"},
      {"run", "-f", "a", "-f", "b"},
      {"run", "-f", "a", "more"},
      {"run", "-f", "a", "--unknown"},
      {"run", "-f", "a", "--memory", "many"},
      {"run", "-f", "a", "--memory", "15Mi"},
      {"run", "-f", "a", "--memory", "-1"},
      {"run", "-f", "a", "--output", "xml"},
      {"run", "-f", "a", "--log-level", "loud"},
      {"run", "-f", "a", "--log-format", "xml"},
      {"run", "-f", "a", "--progress", "bar"},
      {"run", "-f", "a", "--shard", "1"},
      {"run", "-f", "a", "--shard", "/"},
      {"run", "-f", "a", "--shard", "1/"},
      {"run", "-f", "a", "--shard", "a/4"},
      {"run", "-f", "a", "--shard", "4/4"},
      {"run", "-f", "a", "--shard", "-1/4"},
      {"run", "-f", "a", "--shard", "0/0"},
      {"run", "-f", "a", "--shard", "1/4x"},
      {"run", "-f", "a", "--shard", "1/99999999999"},
      {"run", "-f", "a", "--shard", "1/4", "--finish"},
      {"list", "--archive", "a", "--volumes", "b"},
      {"list", "--claim", "a"},
      {"list", "run"},
      {"describe", "--archive", "a"},
      {"describe", "x", "y", "--archive", "a"},
      {"prune", "--archive", "a", "--keep-last", "0"},
      {"prune", "--archive", "a", "--keep-last", "-1"},
      {"prune", "--archive", "a", "--keep-last", "3x"},
      {"prune", "--archive", "a", "--max-age-days", "1.5"},
      {"prune", "--archive", "a", "--delete"},
  };
  for (const auto& arguments : bad) {
    CAPTURE(arguments);
    auto text = refusal(arguments);
    CHECK_FALSE(text.empty());
    CHECK(text.find('\n') == std::string::npos);
  }
}

TEST_CASE("help and version are texts") {
  CHECK(text_for({"--version"}) == "kafka-backup " + std::string(program_version) + "\n");
  auto help = text_for({"--help"});
  for (const auto* command : {"run", "list", "describe", "verify", "prune"})
    CHECK(help.find(command) != std::string::npos);
  auto of_run = text_for({"run", "--help"});
  CHECK(of_run.find("--secrets-dir DIR") != std::string::npos);
  CHECK(of_run.find("How a restore finds its archive") != std::string::npos);
}

TEST_CASE("docs/reference/cli.md is what clidoc writes") {
  std::ifstream in(KB_SOURCE_DIR "/docs/reference/cli.md", std::ios::binary);
  std::string page{std::istreambuf_iterator<char>(in), {}};
  const bool is_fresh = page == reference_page();
  CHECK_MESSAGE(is_fresh, "run: build/release/clidoc docs/reference/cli.md");
}

TEST_CASE("help fits a terminal") {
  auto page = reference_page();
  std::size_t begin = 0;
  for (auto end = page.find('\n'); end != std::string::npos; begin = end + 1, end = page.find('\n', begin))
    CHECK_MESSAGE(end - begin <= 112, page.substr(begin, end - begin));
}
