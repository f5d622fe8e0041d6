#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/job.h"
#include "base/error.h"
#include "base/version.h"
#include "cli/byte_size.h"
#include "schema/problems.h"

namespace kb::cli {
namespace {

constexpr std::string_view about =
    "Backs up Apache Kafka topics exactly and restores them, without Kubernetes: the resources KafkaBackup "
    "and KafkaRestore are run as they stand in a file.";

constexpr std::string_view about_run =
    "Runs every KafkaBackup and KafkaRestore of a file, in its order. A run that was stopped, by whatever, "
    "goes on where it was when the same command is given again.";

constexpr std::string_view footer =
    R"(Results go to stdout, logs and progress to stderr. The flags above may stand behind the command, too.
The exit code tells what kind of failure it was: docs/reference/errors.md.)";

constexpr std::string_view footer_run = R"(Where archives are:
  storageType pvc: the claim `kafka-backups` is the folder DIR/kafka-backups of `--volumes DIR` and must be
  there; the archive is <claim>/<subPath>/<namespace>/<name> and is made by the first run.
How a restore finds its archive:
  backupRef has storage and name   in that storage, at <namespace>/<name>
  backupRef has storage only       the only archive in that storage
  backupRef has a name only        in the storage of the KafkaBackup of that name in the same file or in
                                   `--backup-file`, else the only archive <namespace>/<name> below `--volumes`
Shards: several workers divide a large run, each with a --shard of its own, in any order and at any time; each
can be killed and run again. A KafkaBackup then needs --backup-id, the same for all of them and --finish; a
KafkaRestore needs spec.backupRef.backupId. --finish says what is missing as long as something is.
Examples:
  kafka-backup run -f examples/backup.yaml --volumes /backups
  kafka-backup run -f backup.yaml --volumes /backups --backup-id nightly-20251210-020000 --shard 0/4
  kafka-backup run -f backup.yaml --volumes /backups --backup-id nightly-20251210-020000 --finish
  kafka-backup run -f examples/restore.yaml --backup-file examples/backup.yaml --volumes /backups
  kafka-backup run -f backup.yaml --volumes /backups --output json >result.json)";

constexpr std::string_view footer_where = R"(Examples:
  kafka-backup {0} --archive /backups/kafka-backups/production/default/nightly
  kafka-backup {0} --volumes /backups --name nightly)";

constexpr std::string_view footer_verify =
    R"(Without --deep every object is looked up and must have its size; with it every segment is read whole
and every record batch in it is checked. Exit code 65 when anything is wrong; all problems are listed.
Examples:
  kafka-backup verify --volumes /backups
  kafka-backup verify --deep --archive /backups/kafka-backups/default/nightly nightly-20251210-020000)";

constexpr std::string_view footer_prune =
    R"(The newest complete backup is never deleted by --keep-last and --max-age-days. With both, --keep-last
is how many stay whatever their age. Without any of them only what no backup needs any more is removed.
Examples:
  kafka-backup prune --volumes /backups --name nightly --max-age-days 30 --keep-last 7 --dry-run
  kafka-backup prune --archive /backups/kafka-backups/default/nightly --delete nightly-20251210-020000)";

// Everything that the parser fills; outlives it.
struct Flags {
  CommonFlags common;
  std::string output = "text";
  std::string memory = "256Mi";
  std::string shard;
  RunFlags run;
  ListFlags list;
  DescribeFlags describe;
  VerifyFlags verify;
  PruneFlags prune;
  WorkerFlags worker;
};

constexpr std::size_t columns_max = 110, description_column = 34;

// Lines of at most `columns`, broken at spaces.
std::string wrapped(std::string_view text, std::size_t columns) {
  std::string out;
  while (text.size() > columns) {
    auto space = text.rfind(' ', columns);
    if (space == std::string_view::npos) break;
    out += std::string(text.substr(0, space)) + "\n";
    text.remove_prefix(space + 1);
  }
  return out + std::string(text);
}

// CLI11 breaks no lines.
class WrappingFormatter : public CLI::Formatter {
 public:
  WrappingFormatter() { column_width(description_column); }
  std::string make_option_desc(const CLI::Option* option) const override {
    return wrapped(option->get_description(), columns_max - description_column);
  }
  std::string make_subcommand(const CLI::App* command) const override {
    std::ostringstream out;
    CLI::detail::format_help(out, command->get_name(),
                             wrapped(command->get_description(), columns_max - description_column),
                             description_column);
    return out.str();
  }
  std::string make_description(const CLI::App* app) const override {
    return wrapped(app->get_description(), columns_max) + "\n";
  }
};

// The choices stand in the type's name already, so the check says nothing about itself.
CLI::Validator one_of(const std::vector<std::string>& choices) {
  return CLI::IsMember(choices).description("");
}

void add_choice(CLI::App& app, const std::string& name, std::string& value,
                const std::vector<std::string>& choices, const std::string& description) {
  app.add_option(name, value, description)
      ->check(one_of(choices))
      ->type_name(fmt::format("{}", fmt::join(choices, "|")))
      ->capture_default_str();
}

CLI::App* add_command(CLI::App& app, const std::string& name, std::string_view description,
                      const std::string& text_behind) {
  auto* command = app.add_subcommand(name, std::string(description));
  command->footer(text_behind);
  command->fallthrough();
  return command;
}

void add_where(CLI::App& command, ArchiveFlags& where) {
  auto* archive =
      command.add_option("--archive", where.archive, "The directory of one archive")->type_name("DIR");
  auto* volumes =
      command.add_option("--volumes", where.volumes, "Look for archives below this folder of claims")
          ->type_name("DIR")
          ->excludes(archive);
  command.add_option("--claim", where.claim, "Only below this claim")->type_name("CLAIM")->needs(volumes);
  command.add_option("--namespace", where.resource_namespace, "Only of KafkaBackups in this namespace")
      ->type_name("NAMESPACE")
      ->needs(volumes);
  command.add_option("--name", where.name, "Only of KafkaBackups of this name")
      ->type_name("NAME")
      ->needs(volumes);
}

void add_memory(CLI::App& command, Flags& flags) {
  command
      .add_option("--memory", flags.memory,
                  "Data in flight at most: a number with Ki, Mi or Gi; at least 16Mi")
      ->type_name("SIZE")
      ->capture_default_str();
}

void add_common(CLI::App& app, Flags& flags) {
  add_choice(app, "--output", flags.output, {"text", "json"},
             "Result and error as text for people or as one JSON document each");
  add_choice(app, "--log-level", flags.common.log_level, {"trace", "debug", "info", "warn", "error", "off"},
             "Least level that is logged");
  add_choice(app, "--log-format", flags.common.log_format, {"text", "json"}, "Log lines as text or JSON");
  add_choice(app, "--progress", flags.common.progress, {"auto", "plain", "json", "none"},
             "auto: a bar on a terminal, JSON where logs are JSON, lines of the log elsewhere");
}

void add_run(CLI::App& app, Flags& flags) {
  auto* command = add_command(app, "run", about_run, std::string(footer_run));
  command->add_option("-f,--file", flags.run.file, "The resources, YAML or JSON; - is stdin")
      ->required()
      ->type_name("FILE");
  command->add_option("--volumes", flags.run.volumes, "The folder that holds the folders of the claims")
      ->type_name("DIR");
  command
      ->add_option("--backup-file", flags.run.backup_file,
                   "For restores: the file with the KafkaBackup they name")
      ->type_name("FILE");
  command
      ->add_option("--secrets-dir", flags.run.secrets_dir,
                   "Key k of Secret s is the file DIR/s/k; read again at each use")
      ->type_name("DIR");
  command
      ->add_option(
          "--backup-id", flags.run.backup_id,
          "Name or resume this run of the file's KafkaBackup: <name>-YYYYMMDD-HHMMSS. Default: the run "
          "that was not finished, else a new one named after the time")
      ->type_name("ID");
  auto* shard =
      command
          ->add_option(
              "--shard", flags.shard,
              "Do only share I of N (from 0) of the file's one resource, and leave the end to --finish")
          ->type_name("I/N");
  command
      ->add_flag("--finish", flags.run.finish,
                 "End what was run in shards: commit the backup, or give restored topics their settings")
      ->excludes(shard);
  add_memory(*command, flags);
}

void add_readers(CLI::App& app, Flags& flags) {
  auto* list = add_command(app, "list", "Lists archives and the backups in them.",
                           fmt::format(fmt::runtime(footer_where), "list"));
  add_where(*list, flags.list.where);
  auto* describe = add_command(
      app, "describe", "Shows one backup: topics, partitions, offsets, configs, consumer groups, holes.",
      fmt::format(fmt::runtime(footer_where), "describe nightly-20251210-020000"));
  describe->add_option("backup-id", flags.describe.backup_id, "The backup")
      ->required()
      ->type_name("BACKUP_ID");
  add_where(*describe, flags.describe.where);
  auto* verify = add_command(app, "verify", "Checks that backups are whole and can be restored.",
                             std::string(footer_verify));
  verify->add_option("BACKUP_ID", flags.verify.backup_ids, "Only these backups; default: all")->type_name("");
  verify->add_flag("--deep", flags.verify.deep, "Read everything, not only look it up");
  add_where(*verify, flags.verify.where);
  add_memory(*verify, flags);
}

void add_prune(CLI::App& app, Flags& flags) {
  auto* command = add_command(app, "prune", "Deletes backups, and the objects that no backup needs any more.",
                              std::string(footer_prune));
  add_where(*command, flags.prune.where);
  command->add_option("--keep-last", flags.prune.keep_last, "Keep the newest N backups")
      ->type_name("N")
      ->check(CLI::Range(1u, 1'000'000u).description(""));
  command->add_option("--max-age-days", flags.prune.max_age_days, "Delete backups older than this")
      ->type_name("D")
      ->check(CLI::Range(1u, 100'000u).description(""));
  command->add_option("--delete", flags.prune.delete_ids, "Delete these backups")->type_name("BACKUP_ID");
  command->add_flag("--abandon-incomplete", flags.prune.abandon_incomplete,
                    "Give up runs that were not finished, so that their objects go; none must be running");
  command->add_flag("--dry-run", flags.prune.dry_run, "Only say what would be deleted");
}

void add_worker(CLI::App& app, Flags& flags) {
  auto* command =
      add_command(app, "worker", "What a pod of the operator runs: a part of the work of one resource.",
                  "The operator starts it; its order is the annotation kafka.oso.sh/order of the pod.");
  auto& worker = flags.worker;
  command->add_option("--order", worker.order, "What to do, as JSON")
      ->type_name("FILE")
      ->default_val(std::string(api::worker_order_file));
  command->add_option("--volumes", worker.volumes, "The folder that holds the folders of the claims")
      ->type_name("DIR")
      ->default_val(std::string(api::worker_volumes_folder));
  command->add_option("--termination-log", worker.termination_log, "Where the report goes, if it is there")
      ->type_name("FILE")
      ->default_val("/dev/termination-log");
  command->add_option("--port", worker.port, "Where /progress is served")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535).description(""))
      ->default_val(api::worker_progress_port);
  add_memory(*command, flags);
}

std::unique_ptr<CLI::App> make_app(Flags& flags) {
  auto app = std::make_unique<CLI::App>(std::string(about), "kafka-backup");
  app->set_version_flag("--version", fmt::format("kafka-backup {}", program_version), "Print the version");
  app->formatter(std::make_shared<WrappingFormatter>());
  app->require_subcommand(1);
  app->footer(std::string(footer));
  add_common(*app, flags);
  add_run(*app, flags);
  add_readers(*app, flags);
  add_prune(*app, flags);
  add_worker(*app, flags);
  return app;
}

std::size_t memory_of(const std::string& text) {
  constexpr std::uint64_t memory_bytes_min = 16 << 20;
  auto bytes = parse_byte_size(text);
  if (!bytes) fail(ErrorKind::invalid, "--memory: '{}' is not a size such as 128Mi", text);
  if (*bytes < memory_bytes_min) fail(ErrorKind::invalid, "--memory: {} is less than 16Mi", text);
  return static_cast<std::size_t>(*bytes);
}

engine::Shard shard_of(const std::string& text) {
  engine::Shard shard;
  const auto* end = text.data() + text.size();
  auto index = std::from_chars(text.data(), end, shard.index);
  if (index.ec == std::errc() && index.ptr != end && *index.ptr == '/') {
    auto count = std::from_chars(index.ptr + 1, end, shard.count);
    if (count.ec == std::errc() && count.ptr == end) {
      engine::require_shard(shard);
      return shard;
    }
  }
  throw Error(ErrorKind::invalid, fmt::format("--shard: '{}' is not of the form I/N", text),
              "the shards of four are 0/4, 1/4, 2/4 and 3/4");
}

Arguments chosen(const CLI::App& app, Flags& flags) {
  auto memory_bytes_max = memory_of(flags.memory);
  flags.run.memory_bytes_max = flags.verify.memory_bytes_max = flags.worker.memory_bytes_max =
      memory_bytes_max;
  if (!flags.shard.empty()) flags.run.shard = shard_of(flags.shard);
  Arguments arguments{.common = std::move(flags.common), .command = {}};
  arguments.common.output = flags.output == "json" ? OutputFormat::json : OutputFormat::text;
  auto name = app.get_subcommands().front()->get_name();
  if (name == "run") arguments.command = std::move(flags.run);
  if (name == "list") arguments.command = std::move(flags.list);
  if (name == "describe") arguments.command = std::move(flags.describe);
  if (name == "verify") arguments.command = std::move(flags.verify);
  if (name == "prune") arguments.command = std::move(flags.prune);
  if (name == "worker") arguments.command = std::move(flags.worker);
  return arguments;
}

std::string unknown_command(const CLI::App& app, const std::string& given) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  auto meant = schema::nearest(given, {names.begin(), names.end()});
  return fmt::format("'{}' is not a command{}", given,
                     meant.empty() ? "" : fmt::format(" (did you mean {}?)", meant));
}

[[noreturn]] void refuse(const CLI::App& app, const CLI::ParseError& error) {
  auto commands = app.get_subcommands();
  auto left = app.remaining();
  std::string text = error.what();
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (commands.empty() && !left.empty()) text = unknown_command(app, left.front());
  throw Error(ErrorKind::invalid, text,
              fmt::format("kafka-backup {}{}--help", commands.empty() ? "" : commands.front()->get_name(),
                          commands.empty() ? "" : " "));
}

}  // namespace

std::variant<Arguments, std::string> parse_arguments(const std::vector<std::string>& arguments) {
  Flags flags;
  auto app = make_app(flags);
  try {
    app->parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::Success& asked_for_text) {
    std::ostringstream text;
    app->exit(asked_for_text, text, text);
    return text.str();
  } catch (const CLI::ParseError& error) {
    refuse(*app, error);
  }
  return chosen(*app, flags);
}

std::string reference_page() {
  Flags flags;
  auto app = make_app(flags);
  std::string page =
      "<!-- Generated by clidoc from src/cli/arguments.cc; do not edit. -->\n# kafka-backup\n\n```\n" +
      app->help() + "```\n";
  for (const auto* command : app->get_subcommands({}))
    page += fmt::format("\n## kafka-backup {}\n\n```\n{}```\n", command->get_name(),
                        command->help("kafka-backup"));
  return page;
}

}  // namespace kb::cli
