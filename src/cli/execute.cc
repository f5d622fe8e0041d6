#include "cli/commands.h"

namespace kb::cli {
namespace {

template <class... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
template <class... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

Outcome execute(const Context& ctx, const Arguments& arguments) {
  const auto& common = arguments.common;
  return std::visit(Overloaded{[&](const RunFlags& flags) { return run(ctx, flags, common); },
                               [&](const ListFlags& flags) { return list(ctx, flags); },
                               [&](const DescribeFlags& flags) { return describe(ctx, flags); },
                               [&](const VerifyFlags& flags) { return verify(ctx, flags, common); },
                               [&](const PruneFlags& flags) { return prune(ctx, flags); },
                               [&](const WorkerFlags& flags) { return worker(ctx, flags, common); }},
                    arguments.command);
}

}  // namespace kb::cli
