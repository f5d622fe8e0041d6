// The commands. Each gives what is to be printed, with the failure that ends the program after that, if any;
// or throws when there is nothing to print.
#pragma once
#include <optional>

#include "base/context.h"
#include "base/error.h"
#include "cli/arguments.h"
#include "cli/output.h"

namespace kb::cli {

struct Outcome {
  Result result;
  std::optional<Error> failure;
};

Outcome run(const Context& ctx, const RunFlags& flags, const CommonFlags& common);
Outcome list(const Context& ctx, const ListFlags& flags);
Outcome describe(const Context& ctx, const DescribeFlags& flags);
Outcome verify(const Context& ctx, const VerifyFlags& flags, const CommonFlags& common);
Outcome prune(const Context& ctx, const PruneFlags& flags);
Outcome worker(const Context& ctx, const WorkerFlags& flags, const CommonFlags& common);

Outcome execute(const Context& ctx, const Arguments& arguments);

}  // namespace kb::cli
